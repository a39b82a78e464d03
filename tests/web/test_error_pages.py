"""People get a page that says what to do, never a traceback."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.web.forms import new_dag

pytestmark = pytest.mark.django_db


def test_a_page_that_is_not_there(root: Client) -> None:
    answer = root.get("/nothing-here")

    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_something_that_one_may_not_do(viewer: Client) -> None:
    answer = viewer.get("/admin/dags_app/dag/add/")

    assert answer.status_code == 403
    assert "You may not do this" in answer.content.decode()


def test_more_fields_than_are_taken(editor: Client) -> None:
    sent = new_dag(*({"id": f"t{index}"} for index in range(6_000)))

    answer = editor.post("/admin/dags_app/dag/add/", sent)

    assert answer.status_code == 400
    assert "too large" in answer.content.decode()
