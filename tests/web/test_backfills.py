"""Backfills in the admin: asked for with their dates in view, watched and steered."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from runs_app.actions.backfilling import advance
from runs_app.models import Backfill, DagRun
from tests.factories import save_dag
from tests.web.forms import fields_of

pytestmark = pytest.mark.django_db

ASK = "/admin/runs_app/backfill/ask/?dag=story"


def asked(editor: Client, what: str, **fields: str) -> Any:
    form = fields_of(editor, ASK, form="backfill_form")
    stretch = {"from_date": "2026-01-01T00:00", "to_date": "2026-01-03T00:00"}
    return editor.post(ASK, form | stretch | fields | {"what": what})


def test_the_dates_are_shown_before_anything_is_created(editor: Client) -> None:
    save_dag({"a": []}, cron="@daily", timezone="Asia/Kathmandu")
    page = asked(editor, "plan").content.decode()
    assert "3 dates; nothing has been created yet" in page
    assert "2026-01-03T00:00:00+05:45" in page
    assert not Backfill.objects.exists()


def test_it_is_created_watched_and_steered(editor: Client) -> None:
    dag = save_dag({"a": [], "b": []}, cron="@daily")
    answer = asked(editor, "create", max_active_runs="2", run_backwards="on", task_ids="a")
    backfill = Backfill.objects.get()
    page = f"/admin/runs_app/backfill/{backfill.pk}/"
    assert answer.headers["Location"] == f"{page}change/"
    assert (backfill.created_by, backfill.task_ids) == ("user:edith", ["a"])
    assert "begins with the next tick" in editor.get(f"{page}change/").content.decode()
    advance()
    shown = editor.get(f"{page}change/").content.decode()
    assert "backfill__2026-01-03T00:00:00+00:00" in shown
    assert "0 of 3 dates done" in shown
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        editor.post(f"{page}{verb}/")
        backfill.refresh_from_db()
        assert backfill.state == state
    assert set(DagRun.objects.filter(dag=dag).values_list("state", flat=True)) == {"cancelled"}
    told = editor.post(f"{page}pause/", follow=True).content.decode()
    assert "nothing of it is left to be done" in told


def test_what_is_wrong_stands_at_its_field(editor: Client) -> None:
    save_dag({"a": []}, cron="@daily")
    form = asked(editor, "create", to_date="2025-01-01T00:00", from_date="soon").context["form"]
    assert set(form.errors) == {"from_date"}
    form = asked(editor, "create", to_date="2025-01-01T00:00").context["form"]
    assert set(form.errors) == {"to_date"}
    form = asked(editor, "create", task_ids="b").context["form"]
    assert set(form.errors) == {"task_ids"}
    assert not Backfill.objects.exists()


def test_a_viewer_looks_on_only(editor: Client, viewer: Client) -> None:
    save_dag({"a": []}, cron="@daily")
    asked(editor, "create")
    backfill = Backfill.objects.get()
    page = f"/admin/runs_app/backfill/{backfill.pk}/"
    assert "Pause" not in viewer.get(f"{page}change/").content.decode()
    assert viewer.get(ASK).status_code == 403
    assert viewer.post(f"{page}cancel/").status_code == 403
    backfill.refresh_from_db()
    assert backfill.state == "running"
