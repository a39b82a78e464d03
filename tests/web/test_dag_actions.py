"""Trigger, pause, resume and delete, on the list and on the page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from dags_app.models import Dag
from runs_app.models import DagRun
from tests.factories import save_dag, start_run

pytestmark = pytest.mark.django_db

LIST = "/admin/dags_app/dag/"
TRIGGER = "/admin/runs_app/dagrun/trigger/"


def act(client: Client, action: str, *dags: Dag) -> Any:
    keys = [str(dag.pk) for dag in dags]
    return client.post(LIST, {"action": action, "_selected_action": keys}, follow=True)


def test_selected_dags_are_paused_and_resumed(editor: Client) -> None:
    dags = [save_dag({"a": []}, name=name, cron="@daily") for name in ("x", "y")]

    act(editor, "pause_selected", *dags)
    assert Dag.objects.filter(paused=True).count() == 2

    act(editor, "resume_selected", dags[0])
    assert list(Dag.objects.filter(paused=True).values_list("dag_id", flat=True)) == ["y"]


def test_what_would_start_many_runs_is_not_resumed_with_others(editor: Client) -> None:
    quiet = save_dag({"a": []}, name="quiet", cron="@daily", paused=True)
    late = save_dag({"a": []}, name="late", cron="@daily", catchup=True, paused=True)
    Dag.objects.filter(pk=late.pk).update(last_logical_date="2026-01-01T00:00Z")

    answer = act(editor, "resume_selected", quiet, late)

    assert list(Dag.objects.filter(paused=True).values_list("dag_id", flat=True)) == ["late"]
    told = [str(message) for message in answer.context["messages"]]
    assert any("runs at once; resume it on its own page" in text for text in told)


def test_a_link_pauses_nothing(editor: Client) -> None:
    dag = save_dag({"a": []})

    assert editor.get(f"{LIST}{dag.pk}/pause/").status_code == 405


def test_a_run_is_triggered_with_conf_and_logical_date(editor: Client) -> None:
    save_dag({"a": []}, params={"day": {"type": "string", "default": "monday"}})

    answer = editor.post(
        f"{TRIGGER}?dag=story", {"conf": '{"day": "friday"}', "logical_date": "2026-01-31T09:00"}
    )

    run = DagRun.objects.get()
    assert answer.headers["Location"] == f"/admin/runs_app/dagrun/{run.pk}/change/"
    assert (run.conf, run.triggered_by) == ({"day": "friday"}, "user:edith")
    assert run.logical_date is not None
    assert run.logical_date.isoformat() == "2026-01-31T09:00:00+00:00"


def test_the_form_begins_with_the_defaults(editor: Client) -> None:
    save_dag({"a": []}, params={"day": {"type": "string", "default": "monday"}, "n": {}})

    answer = editor.get(f"{TRIGGER}?dag=story")

    assert "&quot;monday&quot;" in answer.content.decode()
    assert "needs a value" in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("conf", '{"day": 3}'),
        ("conf", '{"dya": "x"}'),
        ("conf", "[1]"),
        ("conf", '{"day": '),
        ("conf", '{"day": "a\x00"}'),
        ("logical_date", "tomorrow"),
        ("logical_date", "0001-01-01T00:00"),
        ("run_id", "with blanks"),
        ("run_id", "x\x00"),
    ],
)
def test_a_problem_with_a_run_is_shown_at_its_field(editor: Client, field: str, text: str) -> None:
    save_dag({"a": []}, params={"day": {"type": "string", "default": "monday"}})

    answer = editor.post(f"{TRIGGER}?dag=story", {field: text})

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert not DagRun.objects.exists()


def test_a_run_id_that_is_taken_is_refused(editor: Client) -> None:
    start_run(save_dag({"a": []}), run_id="mine")

    answer = editor.post(f"{TRIGGER}?dag=story", {"run_id": "mine"})

    assert "already has a run" in answer.content.decode()


def test_several_dags_are_triggered_together_or_not_at_all(editor: Client) -> None:
    dags = [save_dag({"a": []}, name="x"), save_dag({"a": []}, name="y", params={"n": {}})]

    answer = act(editor, "trigger_selected", *dags)
    page = answer.redirect_chain[-1][0]
    assert page == f"{TRIGGER}?dag=x&dag=y"
    editor.post(page, {"conf": ""})
    assert not DagRun.objects.exists()

    editor.post(page, {"conf": '{"n": 1}'})
    assert DagRun.objects.count() == 2


@pytest.mark.parametrize("query", ["", "?dag=nothing", "?dag=%00", "?dag=a" + "&dag=b" * 60])
def test_what_is_not_there_cannot_be_triggered(editor: Client, query: str) -> None:
    assert editor.get(f"{TRIGGER}{query}").status_code == 404


def test_a_deleted_dag_is_gone_and_its_runs_stay(editor: Client) -> None:
    dag = save_dag({"a": []})
    run = start_run(dag)
    editor.post(f"/admin/runs_app/dagrun/{run.pk}/cancel/")
    page = f"{LIST}{dag.pk}/delete/"
    assert editor.get(page).status_code == 200

    editor.post(page, {"post": "yes"})

    assert not Dag.objects.present().exists()
    assert (
        "story (deleted)" in editor.get(f"/admin/runs_app/dagrun/{run.pk}/change/").content.decode()
    )
    assert editor.get(f"{LIST}{dag.pk}/change/").status_code == 302


def test_a_dag_with_unfinished_runs_is_kept(editor: Client) -> None:
    dag = save_dag({"a": []})
    start_run(dag)

    answer = editor.post(f"{LIST}{dag.pk}/delete/", {"post": "yes"}, follow=True)

    assert Dag.objects.present().exists()
    assert answer.status_code == 200
    assert [str(message) for message in answer.context["messages"]]
