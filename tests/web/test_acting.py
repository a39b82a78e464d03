"""What is done in pages: asked first, done by those who may, and said where it cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from dags_app.models import Dag, DagPause, DagVersion
from runs_app.models import Backfill, DagRun, DeadLetter, Pool
from tests.dead_letters import dead_letter
from tests.factories import save_dag, start_run, states
from tests.web.conftest import logged_in, staff
from tests.web.pages import Scene, questions
from tests.web.scenes import scene

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def told(answer: Any) -> str:
    """What an action says that it did."""
    text: str = json.loads(answer.headers["HX-Trigger"])["told"]["text"]
    return text


# ------------------------------------------------------------------- who may

_FREE = {"editor-check"}  # whoever may see DAGs may try one out
_READ = {"events", "connection-test", "pool"}  # asked in other ways; see below


def _asked(shown: Scene) -> dict[str, str]:
    return {name: page for name, page in questions(shown).items() if name not in _FREE | _READ}


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_only_look_can_do_nothing(viewer: Client, method: str) -> None:
    shown = scene()
    for name, page in _asked(shown).items():
        answer = getattr(viewer, method)(page)
        # 400: what was chosen is looked at first, and nothing was.
        assert answer.status_code in {403, 404, 405, 400}, name
    run = DagRun.objects.get(run_id="first")
    assert run.state == "running"
    assert not Dag.objects.get(dag_id="shop").paused


def test_slots_and_tests_of_connections_need_their_own_permissions(viewer: Client) -> None:
    shown = scene()
    assert viewer.post("/pools/p/", {"slots": "9"}).status_code == 403
    assert viewer.post("/connections/c/test/").status_code == 403
    assert viewer.get(f"/events/?topic=dag:{shown.dag_key}").status_code == 200
    assert viewer.get("/events/").status_code == 400
    assert viewer.get("/events/?topic=dag:x").status_code == 400
    nobody = logged_in(staff("nora"))
    assert nobody.get("/events/?topic=runs").status_code == 403


# ------------------------------------------------------------------- runs


def test_a_run_is_cancelled(editor: Client) -> None:
    run = start_run(save_dag({"a": [], "b": ["a"]}), run_id="first")
    page = "/dags/story/runs/first/cancel/"
    assert "2 tasks will not be done" in editor.get(page).content.decode()
    answer = editor.post(page)
    assert (answer.status_code, told(answer)) == (204, "first is being cancelled.")
    run.refresh_from_db()
    assert run.state == "cancelled"
    again = editor.post(page, headers=HTMX)
    assert again.status_code == 409
    assert "notice" in again.content.decode()


def test_a_clear_lists_exactly_what_runs_again(editor: Client) -> None:
    run = dead_letter().run
    page = f"/dags/story/runs/{run.run_id}/clear/"
    asked = editor.get(f"{page}?which=failed").content.decode()
    assert "<strong>2 tasks</strong> will run again" in asked
    alone = editor.get(f"{page}?which=task&task=extract&asked=1").content.decode()
    assert "<strong>1 task</strong> will run again" in alone
    assert states(run)["extract"] == "failed"
    answer = editor.post(page, {"which": "failed"})
    assert told(answer) == "2 tasks of first run again."
    assert states(run)["extract"] == "waiting"


def test_a_conf_that_does_not_fit_is_said_and_nothing_is_lost(editor: Client) -> None:
    params = {"days": {"type": "integer", "default": 1}}
    save_dag({"a": []}, params=params)
    run = start_run(Dag.objects.get(), run_id="first")
    page = "/dags/story/runs/first/clear/"
    for conf, words in (("{", "cannot be read as JSON"), ('{"days": "x"}', "integer")):
        answer = editor.post(page, {"which": "all", "conf": conf})
        assert answer.status_code == 422
        text = answer.content.decode()
        assert words in text
        assert conf.replace('"', "&quot;") in text
    assert states(run)["a"] == "queued"


def test_a_note_is_kept(editor: Client) -> None:
    run = start_run(save_dag({"a": []}), run_id="first")
    page = "/dags/story/runs/first/note/"
    assert editor.post(page, {"note": "as <b>expected</b>"}).status_code == 204
    run.refresh_from_db()
    assert run.note == "as <b>expected</b>"
    assert "as &lt;b&gt;expected" in editor.get("/dags/story/runs/first/details/").content.decode()
    assert editor.post(page, {"note": "x" * 10_001}, headers=HTMX).status_code == 400
    run.refresh_from_db()
    assert run.note == "as <b>expected</b>"


def test_a_run_is_repeated_by_the_newest_version(editor: Client) -> None:
    start_run(save_dag({"a": []}), run_id="first")
    answer = editor.post("/dags/story/runs/first/repeat/")
    made = DagRun.objects.exclude(run_id="first").get()
    assert answer.headers["HX-Redirect"] == f"/dags/story/runs/{made.run_id}/"


def test_a_task_is_cancelled(editor: Client) -> None:
    run = start_run(save_dag({"a": [], "b": []}), run_id="first")
    assert told(editor.post("/dags/story/runs/first/tasks/a/cancel/")) == "a is being cancelled."
    assert states(run) == {"a": "cancelled", "b": "queued"}


# ------------------------------------------------------------------- starting


def test_the_form_is_made_of_the_parameters(editor: Client) -> None:
    params = {
        "days": {"type": "integer", "default": 7, "minimum": 1, "description": "How many"},
        "city": {"enum": ["Seattle", "Paris"], "default": "Paris"},
        "loud": {"type": "boolean", "default": True},
    }
    save_dag({"a": []}, params=params)
    page = editor.get("/dags/story/trigger/").content.decode()
    assert 'name="p.days" value="7" type="number" step="1" min="1"' in page
    assert "How many" in page
    given = {"p.days": "3", "p.city": '"Seattle"', "logical_date": "2026-01-05 09:00"}
    answer = editor.post("/dags/story/trigger/", given)
    run = DagRun.objects.get()
    assert answer.headers["Location"] == f"/dags/story/runs/{run.run_id}/"
    assert run.conf == {"days": 3, "city": "Seattle", "loud": False}
    assert run.logical_date is not None
    assert run.logical_date.isoformat() == "2026-01-05T09:00:00+00:00"


def test_what_was_written_stays_with_what_is_wrong_about_it(editor: Client) -> None:
    save_dag({"a": []}, params={"days": {"type": "integer", "default": 7, "minimum": 1}})
    answer = editor.post("/dags/story/trigger/", {"p.days": "0", "run_id": "mine"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="0"' in page
    assert "less than the minimum of 1" in page
    assert 'value="mine"' in page
    assert not DagRun.objects.exists()


def test_several_are_triggered_or_none(editor: Client) -> None:
    save_dag({"a": []}, name="one")
    save_dag({"a": []}, name="two", params={"p": {"type": "string"}})
    answer = editor.post("/trigger/", {"dag": ["one", "two"]})
    assert answer.status_code == 422
    assert "Nothing has been started" in answer.content.decode()
    assert not DagRun.objects.exists()
    save_dag({"a": []}, name="two")
    assert editor.post("/trigger/", {"dag": ["one", "two"]}).status_code == 302
    assert DagRun.objects.count() == 2


# ------------------------------------------------------------------- schedules


def test_resuming_shows_what_would_start(editor: Client) -> None:
    save_dag({"a": []}, cron="@daily", catchup=True, start_date="2026-01-01")
    assert "is paused" in told(editor.post("/dags/story/pause/"))
    dag = Dag.objects.get()
    assert dag.paused
    asked = editor.get("/dags/story/resume/").content.decode()
    assert "would start at once" in asked
    assert Dag.objects.get().paused
    editor.post("/dags/story/resume/")
    assert not Dag.objects.get().paused
    pause = DagPause.objects.get(dag=dag)
    assert (pause.paused_by, pause.resumed_by) == ("user:edith", "user:edith")


def test_many_are_paused_at_once(editor: Client) -> None:
    for name in ("one", "two"):
        save_dag({"a": []}, name=name, cron="@daily")
    chosen = {"dag": ["one", "two"], "do": "pause"}
    assert "Pause 2 DAGs?" in editor.get("/dags-chosen/", chosen).content.decode()
    assert editor.post("/dags-chosen/", chosen).headers["HX-Refresh"] == "true"
    assert Dag.objects.filter(paused=True).count() == 2
    assert editor.post("/dags-chosen/", {"do": "pause"}).status_code == 400


def test_a_backfill_shows_its_dates_then_begins(editor: Client) -> None:
    save_dag({"a": []}, cron="@daily", timezone="Asia/Kathmandu")
    stretch = {"from_date": "2026-01-01 00:00", "to_date": "2026-01-03 00:00"}
    page = editor.post("/dags/story/backfills/", stretch | {"do": "plan"}).content.decode()
    assert "<strong>3 dates</strong>" in page
    assert "2026-01-03 00:00 +0545" in page
    assert not Backfill.objects.exists()
    answer = editor.post("/dags/story/backfills/", stretch | {"do": "create"})
    made = Backfill.objects.get()
    assert answer.headers["Location"] == f"/backfills/{made.pk}/"
    for do, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert editor.post(f"/backfills/{made.pk}/steer/", {"do": do}).status_code == 204
        made.refresh_from_db()
        assert made.state == state


def test_a_backfill_that_cannot_be_is_said_at_its_fields(editor: Client) -> None:
    save_dag({"a": []}, cron="@daily")
    given = {"from_date": "soon", "to_date": "2026-01-03", "conf": "[1]", "do": "plan"}
    answer = editor.post("/dags/story/backfills/", given)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "<code>from_date</code>" in page
    assert "<code>conf</code>" in page
    assert 'value="soon"' in page


# ------------------------------------------------------------------- the operator's pages


def test_dead_letters_are_replayed_and_dropped(editor: Client) -> None:
    one, two = dead_letter("one"), dead_letter("two")
    asked = editor.get("/dead-letters/chosen/", {"letter": [one.pk], "do": "replay"})
    assert "<strong>2 tasks</strong> will run again" in asked.content.decode()
    answer = editor.post("/dead-letters/chosen/", {"letter": [one.pk], "do": "replay"})
    assert told(answer).startswith("1 dead letter ")
    answer = editor.post("/dead-letters/chosen/", {"letter": [two.pk], "do": "drop"})
    assert "off the list" in told(answer)
    assert not DeadLetter.objects.exists()


def test_slots_of_a_pool_are_changed(root: Client) -> None:
    Pool.objects.create(name="p", slots=1)
    assert told(root.post("/pools/p/", {"slots": "7"})) == "p has 7 slots."
    assert Pool.objects.get().slots == 7
    for slots in ("-1", "many", "", "99999999"):
        assert root.post("/pools/p/", {"slots": slots}, headers=HTMX).status_code == 400
    assert Pool.objects.get().slots == 7


# ------------------------------------------------------------------- writing DAGs

SOUND = "name: mine\ntasks:\n  - id: a\n    type: empty\n"


def test_a_dag_is_checked_while_it_is_written(viewer: Client) -> None:
    page = viewer.post("/editor/check/", {"text": SOUND}).content.decode()
    assert "sound" in page
    assert "<svg" in page
    page = viewer.post("/editor/check/", {"text": SOUND + "    retries: x\n"}).content.decode()
    assert 'data-line="5"' in page


def test_saving_shows_what_changes_first(editor: Client) -> None:
    asked = editor.post("/editor/save/", {"text": SOUND}).content.decode()
    assert "A new DAG of 1 task." in asked
    assert not Dag.objects.exists()
    answer = editor.post("/editor/save/", {"text": SOUND, "confirmed": "1"})
    assert answer.headers["HX-Redirect"] == "/dags/mine/"
    changed = SOUND + "    retries: 2\n"
    given = {"text": changed, "dag": "mine", "number": "1"}
    assert "retries" in editor.post("/editor/save/", given).content.decode()
    assert DagVersion.objects.count() == 1
    editor.post("/editor/save/", given | {"confirmed": "1", "note": "more patience"})
    version = DagVersion.objects.get(number=2)
    assert (version.note, version.author) == ("more patience", "user:edith")
    late = editor.post("/editor/save/", {"text": SOUND, "dag": "mine", "number": "1"})
    assert "Somebody has saved version 2" in late.content.decode()


def test_nothing_unsound_is_saved(editor: Client) -> None:
    answer = editor.post("/editor/save/", {"text": "name: x", "confirmed": "1"})
    assert answer.status_code == 422
    assert not Dag.objects.exists()


def test_an_old_version_holds_again_after_a_look_at_what_changes(editor: Client) -> None:
    save_dag({"a": []})
    save_dag({"a": [], "b": ["a"]})
    page = "/dags/story/versions/1/rollback/"
    assert "gone" in editor.get(page).content.decode()
    assert editor.post(page).status_code == 302
    dag = Dag.objects.select_related("version").get()
    assert dag.version is not None
    assert (dag.version.number, dag.tasks.count()) == (3, 1)
