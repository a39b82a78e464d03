"""What comes from files, in the admin: shown, not changed; and what is wrong with files."""

from __future__ import annotations

import pytest
from django.test import Client

from dags_app.models import Dag
from tests.factories import import_error, save_from_file
from tests.web.conftest import logged_in, staff
from tests.web.forms import fields_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(db: None) -> Client:
    """Somebody who may do everything with DAGs."""
    words = ("view", "change", "delete", "run")
    return logged_in(staff("keith", *(f"dags_app.{word}_dag" for word in words)))


def test_a_dag_from_a_file_says_so_and_its_form_is_closed(keeper: Client) -> None:
    dag = save_from_file({"a": []})
    page = keeper.get(f"/admin/dags_app/dag/{dag.pk}/change/").content.decode()
    assert "From etl/story.py, commit 4f2a9c1e: it is changed there" in page
    assert '<fieldset class="sky-plain" disabled>' in page
    assert "_save" not in page
    assert f"/admin/dags_app/dag/{dag.pk}/delete/" not in page
    assert f"/admin/dags_app/dag/{dag.pk}/pause/" in page
    assert "Trigger" in page


def test_what_is_sent_all_the_same_is_refused_with_the_reason(keeper: Client) -> None:
    dag = save_from_file({"a": []})
    page = f"/admin/dags_app/dag/{dag.pk}/change/"
    data = fields_of(keeper, page) | {"description": "mine"}
    assert "comes from the file /srv/dags/etl/story.py" in keeper.post(page, data).content.decode()
    answer = keeper.post(f"/admin/dags_app/dag/{dag.pk}/delete/", {"post": "yes"}, follow=True)
    assert "comes from the file" in answer.content.decode()
    dag.refresh_from_db()
    assert (dag.description, dag.deleted_at) == ("", None)
    keeper.post(f"/admin/dags_app/dag/{dag.pk}/pause/")
    assert Dag.objects.get(pk=dag.pk).paused


def test_what_is_wrong_with_a_file_is_shown(viewer: Client) -> None:
    error = import_error()
    assert "bad.py" in viewer.get("/admin/dags_app/dagimporterror/").content.decode()
    page = viewer.get(f"/admin/dags_app/dagimporterror/{error.pk}/change/").content.decode()
    assert "/srv/dags/bad.py, line 3" in page
    assert "ZeroDivisionError" in page
    assert "Traceback (most recent" in page
