"""Runs, their tasks and their history: read-only pages with a few verbs."""

from __future__ import annotations

import pytest
from django.test import Client

from runs_app.models import (
    Attempt,
    DagRun,
    Output,
    Pool,
    RenderedFields,
    TaskRun,
    Transition,
)
from tests.factories import save_dag, start_run, task

pytestmark = pytest.mark.django_db

RUNS = "/admin/runs_app/dagrun/"


def test_a_run_shows_its_tasks_and_its_history(viewer: Client) -> None:
    run = start_run(save_dag({"a": [], "b": ["a"]}), conf={"x": "<b>"})

    shown = viewer.get(f"{RUNS}{run.pk}/change/").content.decode()

    assert run.run_id in shown
    assert "&lt;b&gt;" in shown
    assert "is-queued" in shown
    assert "is-waiting" in shown
    assert "created" in shown
    assert "Cancel the run" not in shown


def test_a_run_shows_when_it_times_out_and_that_it_has(viewer: Client) -> None:
    run = start_run(save_dag({"a": []}, run_timeout_seconds=60))
    page = f"{RUNS}{run.pk}/change/"

    assert "Times out" in viewer.get(page).content.decode()
    assert "run timeout" not in viewer.get(page).content.decode()
    DagRun.objects.filter(pk=run.pk).update(timed_out=True)
    assert "run timeout" in viewer.get(page).content.decode()


@pytest.mark.parametrize("row", ["run", "task", "attempt", "transition", "version"])
def test_nobody_changes_history(root: Client, row: str) -> None:
    run = start_run(save_dag({"a": []}))
    a = task(run, "a")
    attempt = Attempt.objects.create(task_run=a, epoch=1, number=1, worker="w", state="running")
    page = {
        "run": f"{RUNS}{run.pk}/",
        "task": f"/admin/runs_app/taskrun/{a.pk}/",
        "attempt": f"/admin/runs_app/attempt/{attempt.pk}/",
        "transition": f"/admin/runs_app/transition/{Transition.objects.filter(run=run)[0].pk}/",
        "version": f"/admin/dags_app/dagversion/{run.version_id}/",
    }[row]

    assert root.get(f"{page}change/").status_code == 200
    assert root.post(f"{page}change/", {"state": "success"}).status_code == 403
    assert root.get(f"{page}delete/").status_code == 403
    assert root.get(f"{page.rsplit('/', 2)[0]}/add/").status_code == 403


def test_a_run_is_cancelled_and_all_of_it_run_again(editor: Client) -> None:
    run = start_run(save_dag({"a": [], "b": ["a"]}))

    editor.post(f"{RUNS}{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.state == "cancelled"

    editor.post(f"{RUNS}{run.pk}/clear/", {"what": "all"})
    run.refresh_from_db()
    assert run.state == "running"
    assert set(TaskRun.objects.filter(run=run).values_list("state", flat=True)) == {"waiting"}


def test_cancelling_twice_is_said_and_harmless(editor: Client) -> None:
    run = start_run(save_dag({"a": []}))
    editor.post(f"{RUNS}{run.pk}/cancel/")

    answer = editor.post(f"{RUNS}{run.pk}/cancel/", follow=True)

    assert "is over" in answer.content.decode()


def test_selected_runs_are_cancelled_and_cleared(editor: Client) -> None:
    dag = save_dag({"a": []})
    runs = [start_run(dag), start_run(dag)]
    keys = [str(run.pk) for run in runs]

    for action in ("cancel_selected", "clear_failed_selected"):
        editor.post(RUNS, {"action": action, "_selected_action": keys})
        states = set(DagRun.objects.values_list("state", flat=True))
        assert states == {"cancelled" if action == "cancel_selected" else "running"}


def test_a_task_is_cancelled_and_run_again_with_what_follows(editor: Client) -> None:
    run = start_run(save_dag({"a": [], "b": ["a"]}))
    a = task(run, "a")

    editor.post(f"/admin/runs_app/taskrun/{a.pk}/cancel/")
    a.refresh_from_db()
    assert a.state == "cancelled"

    editor.post(f"/admin/runs_app/taskrun/{a.pk}/clear/")
    a.refresh_from_db()
    assert a.state == "waiting"


def test_a_task_shows_its_log_its_output_and_what_went_wrong(viewer: Client) -> None:
    run = start_run(save_dag({"a": []}))
    a = task(run, "a")
    Attempt.objects.create(
        task_run=a, epoch=1, number=1, worker="w", state="failed", reason="exit_code",
        message="no <such> file", exit_code=2,
    )  # fmt: skip
    a.log_chunks.create(epoch=1, sequence=0, text="first\n")
    a.log_chunks.create(epoch=1, sequence=1, text="sec<ond>\n")
    Output.objects.create(task_run=a, epoch=1, value={"rows": 3})

    shown = viewer.get(f"/admin/runs_app/taskrun/{a.pk}/change/").content.decode()
    log = viewer.get(f"/admin/runs_app/taskrun/{a.pk}/log/")

    assert "no &lt;such&gt; file" in shown
    assert "first\nsec&lt;ond&gt;" in shown
    assert "&quot;rows&quot;: 3" in shown
    assert log.content == b"first\nsec<ond>\n"
    assert log.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "no &lt;such&gt; file" in viewer.get(f"{RUNS}{run.pk}/change/").content.decode()


def test_a_large_run_is_shown_in_pages(viewer: Client) -> None:
    run = start_run(save_dag({f"t{index:03}": [] for index in range(120)}))

    shown = viewer.get(f"{RUNS}{run.pk}/change/?p=2").content.decode()

    assert "Page 2 of 2" in shown
    assert shown.count("is-waiting") + shown.count("is-queued") > 20


def test_runs_are_filtered_by_state_and_dag(viewer: Client) -> None:
    x, y = save_dag({"a": []}, name="x"), save_dag({"a": []}, name="y")
    runs = [start_run(x, run_id="one"), start_run(y, run_id="two")]

    by_dag = viewer.get(f"{RUNS}?dag__id__exact={runs[0].dag_id}").content.decode()
    by_state = viewer.get(f"{RUNS}?state__exact=failed").content.decode()
    found = viewer.get(f"{RUNS}?q=two").content.decode()

    assert "one" in by_dag
    assert ">two<" not in by_dag
    assert ">one<" not in by_state
    assert ">two<" in found
    assert ">one<" not in found


def test_only_a_run_that_is_not_over_asks_for_news(editor: Client) -> None:
    run = start_run(save_dag({"a": []}))
    page = f"{RUNS}{run.pk}/change/"
    assert 'hx-trigger="every' in editor.get(page).content.decode()

    editor.post(f"{RUNS}{run.pk}/cancel/")

    assert 'hx-trigger="every' not in editor.get(page).content.decode()


def test_the_latest_runs_are_those_of_one_dag_or_of_all(viewer: Client) -> None:
    for name in ("x", "y"):
        start_run(save_dag({"a": []}, name=name), run_id=f"run-of-{name}")

    of_all = viewer.get(f"{RUNS}recent/").content.decode()
    of_one = viewer.get(f"{RUNS}recent/?dag=x").content.decode()

    assert "run-of-x" in of_all
    assert "run-of-y" in of_all
    assert "run-of-x" in of_one
    assert "run-of-y" not in of_one


def test_a_pool_keeps_its_name(root: Client) -> None:
    pool = Pool.objects.create(name="db", slots=1)
    page = f"/admin/runs_app/pool/{pool.pk}/change/"
    assert root.get(page).status_code == 200

    root.post(page, {"name": "other", "slots": "5", "description": ""})

    pool.refresh_from_db()
    assert (pool.name, pool.slots) == ("db", 5)


def test_a_task_shows_what_its_templates_were_filled_in_to(viewer: Client) -> None:
    run = start_run(save_dag({"a": []}))
    a = task(run, "a")
    Attempt.objects.create(task_run=a, epoch=1, number=1, worker="w", state="running")
    RenderedFields.objects.create(task_run=a, epoch=1, fields={"env": {"X": "<i>"}, "cwd": "/srv"})
    shown = viewer.get(f"/admin/runs_app/taskrun/{a.pk}/change/").content.decode()
    assert "Rendered fields" in shown
    assert "&lt;i&gt;" in shown
    assert "/srv" in shown


def test_each_attempt_shows_what_its_own_templates_were_filled_in_to(viewer: Client) -> None:
    a = task(start_run(save_dag({"a": []})), "a")
    for epoch in (1, 2):
        Attempt.objects.create(task_run=a, epoch=epoch, number=epoch, worker="w", state="running")
    RenderedFields.objects.create(task_run=a, epoch=1, fields={"env": {"X": "<first>"}})
    shown = {
        attempt.epoch: viewer.get(f"/admin/runs_app/attempt/{attempt.pk}/change/").content.decode()
        for attempt in Attempt.objects.filter(task_run=a)
    }
    assert "&lt;first&gt;" in shown[1]
    assert "&lt;first&gt;" not in shown[2]


def test_a_run_is_repeated_and_says_whose_repetition_it_is(editor: Client) -> None:
    run = start_run(save_dag({"a": []}))
    DagRun.objects.filter(pk=run.pk).update(
        earlier_confs=[{"conf": {"day": 7}, "until": "2026-01-31T09:00", "changed_by": "user:ada"}]
    )
    shown = editor.get(f"{RUNS}{run.pk}/change/").content.decode()
    assert "changed by user:ada" in shown
    answer = editor.post(f"{RUNS}{run.pk}/repeat/", follow=True)
    (other,) = DagRun.objects.filter(repeats=run)
    assert other.run_id in answer.content.decode()
    assert run.run_id in answer.content.decode()
    assert other.run_id in editor.get(f"{RUNS}{run.pk}/change/").content.decode()
