"""Everything that a page needs comes from the same server."""

from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from tests.factories import save_dag

pytestmark = pytest.mark.django_db


def test_pages_name_only_files_that_are_served_here(root: Client) -> None:
    dag = save_dag({"a": []})
    for page in ("/admin/", "/admin/login/", f"/admin/dags_app/dag/{dag.pk}/change/", "/nothing"):
        shown = root.get(page).content.decode()
        files = re.findall(r'<(?:link|script|img)\b[^>]*?(?:href|src)="([^"]+)"', shown)
        for file in files:
            assert file.startswith("/"), file
            if file.startswith("/static/"):
                assert finders.find(file.removeprefix("/static/")), file
            else:
                assert root.get(file).status_code == 200, file
        # A template that does not know a tag prints it.
        assert "{%" not in shown
        assert "{{ " not in shown.replace("{{ ds }}", "").replace("{{ outputs", "")


def test_no_page_sends_a_script_to_another_host(root: Client) -> None:
    shown = root.get("/admin/").content.decode()

    assert not re.search(r"(?:src|hx-get)=\"https?:", shown)
