"""The DAG form: one door to the definition, every problem in its place, nothing half-saved."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from dags_app.admin.editor import Editor
from dags_app.domain.spec import DagSpec
from dags_app.models import Dag, DagVersion, Task
from skytrail.database.clock import database_now
from tests.factories import save_dag
from tests.web.forms import fields_of, new_dag

ADD = "/admin/dags_app/dag/add/"

pytestmark = pytest.mark.django_db


def page_of(dag: Dag) -> str:
    return f"/admin/dags_app/dag/{dag.pk}/change/"


def refused(answer: Any) -> Editor:
    """The form that came back because nothing was saved."""
    assert answer.status_code == 200
    editor = answer.context["editor"]
    assert isinstance(editor, Editor)
    return editor


def card_errors(answer: Any, index: int) -> dict[str, list[str]]:
    return {name: list(texts) for name, texts in refused(answer).cards.forms[index].errors.items()}


def save(client: Client, page: str, data: dict[str, Any]) -> Any:
    return client.post(page, data)


def test_a_new_dag_is_saved_with_its_first_version(editor: Client) -> None:
    answer = save(
        editor,
        ADD,
        new_dag(
            {"id": "fetch", "type": "bash", "main": "echo 1", "retries": "3"},
            {"id": "tell", "depends_on": "fetch", "queue": "slow"},
            cron="0 5 * * *",
            tags="b, a",
            paused="on",
        ),
    )

    assert answer.status_code == 302
    dag = Dag.objects.get()
    assert (dag.cron, dag.tags, dag.paused, dag.source) == ("0 5 * * *", ["a", "b"], True, "admin")
    version = dag.version
    assert version is not None
    assert (version.number, version.author) == (1, "user:edith")
    assert version.spec["tasks"] == [
        {"id": "fetch", "type": "bash", "command": "echo 1", "retries": 3},
        {"id": "tell", "type": "empty", "depends_on": ["fetch"], "queue": "slow"},
    ]


def test_saving_without_a_change_makes_no_version(editor: Client) -> None:
    dag = save_dag(
        {"a": [], "b": ["a"], "c": ["b"]},
        cron="*/7 * * * *",
        timezone="Europe/Berlin",
        start_date="2026-03-01T09:30:00.123456+01:00",
        params={"day": {"type": "string", "default": "x"}},
        tags=["x"],
        tasks={
            "a": {"type": "bash", "command": "  echo 1\n", "retry_delay_seconds": 0.1},
            "b": {"type": "branch", "value": "1", "cases": {"1": ["c"]}},
        },
    )
    before = dag.version

    answer = save(editor, page_of(dag), fields_of(editor, page_of(dag)))

    assert answer.status_code == 302
    dag.refresh_from_db()
    assert dag.version == before
    assert DagVersion.objects.filter(dag=dag).count() == 1


@pytest.mark.parametrize("suffix", ["", "?json"])
def test_a_changed_field_makes_the_next_version(editor: Client, suffix: str) -> None:
    dag = save_dag({"a": []}, tasks={"a": {"type": "bash", "command": "echo 1"}})
    page = page_of(dag) + suffix

    save(editor, page, fields_of(editor, page) | {"description": "New."})

    dag.refresh_from_db()
    assert dag.version is not None
    assert (dag.version.number, dag.version.spec["description"]) == (2, "New.")
    assert dag.version.spec["tasks"] == [{"id": "a", "type": "bash", "command": "echo 1"}]


def test_every_problem_is_shown_at_its_field_and_nothing_is_saved(editor: Client) -> None:
    answer = save(
        editor,
        ADD,
        new_dag(
            {"id": "a b", "type": "bash", "main": "echo {{ params.x }}", "retries": "many"},
            {"id": "c", "depends_on": "c, nowhere", "type": "python", "main": "nodots"},
            {"id": "d", "type": "bash", "main": "true", "parameters": '{"cwdd": "/"}'},
            {"id": "e", "type": "bash", "main": "true", "parameters": '{"env": '},
            {"id": "f", "type": "bash", "main": "true", "parameters": '{"retries": 3}'},
            cron="61 * * * *",
            timezone="Mars/Olympus",
            max_active_runs="0",
            params='{"day": {"type": "strange"}}',
        ),
    )

    general = refused(answer).general.errors
    assert {"cron", "timezone", "max_active_runs", "params"} <= set(general)
    assert {"id", "main", "retries"} == set(card_errors(answer, 0))
    second = card_errors(answer, 1)
    assert set(second) == {"depends_on", "main"}
    assert len(second["depends_on"]) == 2
    assert "cwd" in card_errors(answer, 2)["parameters"][0]
    assert set(card_errors(answer, 3)) == {"parameters"}
    assert "retries" in card_errors(answer, 4)["parameters"][0]
    assert not Dag.objects.exists()
    assert not Task.objects.exists()


def test_what_was_typed_is_shown_again(editor: Client) -> None:
    answer = save(
        editor, ADD, new_dag({"id": "a", "parameters": '{"x": <oops>'}, cron="nonsense & more")
    )

    shown = answer.content.decode()
    assert "nonsense &amp; more" in shown
    assert "&lt;oops&gt;" in shown


def test_a_cycle_is_shown_at_a_dependency(editor: Client) -> None:
    answer = save(
        editor, ADD, new_dag({"id": "a", "depends_on": "b"}, {"id": "b", "depends_on": "a"})
    )

    errors = card_errors(answer, 0) | card_errors(answer, 1)
    assert "wait for each other" in errors["depends_on"][0]


def test_a_dag_needs_a_task_and_a_name(editor: Client) -> None:
    answer = save(editor, ADD, fields_of(editor, ADD))

    editor_shown = refused(answer)
    assert "name" in editor_shown.general.errors
    assert [problem for problem in editor_shown.problems if "task" in problem] != [], (
        editor_shown.problems
    )


def test_a_name_that_is_taken_is_refused(editor: Client) -> None:
    save_dag({"a": []}, name="story")

    answer = save(editor, ADD, new_dag({"id": "a"}))

    assert "already" in refused(answer).problems[0]


def test_two_schedules_are_one_too_many(editor: Client) -> None:
    answer = save(editor, ADD, new_dag({"id": "a"}, cron="@daily", interval_seconds="60"))

    assert set(refused(answer).general.errors) == {"interval_seconds"}


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\u202eعربى", "🚀" * 300, "x" * 100_000])
@pytest.mark.parametrize("field", ["name", "description", "owner", "tags", "cron", "timezone",
                                   "start_date", "interval_seconds", "max_active_runs", "params"])  # fmt: skip # noqa: E501
def test_no_text_in_a_field_is_too_strange(editor: Client, field: str, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()

    answer = save(editor, ADD, new_dag({"id": "a"}, **{field: text}))

    assert answer.status_code in {200, 302}
    if answer.status_code == 200:
        assert refused(answer).errors > 0


@pytest.mark.parametrize("text", ["a\x00b", "\u202eعربى", "🚀" * 300, "9" * 5000, "1e999", "nan"])
def test_no_text_in_a_task_is_too_strange(editor: Client, text: str) -> None:
    fields = ("id", "type", "depends_on", "main", "parameters", "description", "retries", "pool")
    for field in fields:
        answer = save(
            editor, ADD, new_dag({"id": "a", "type": "bash", "main": "true", field: text})
        )
        assert answer.status_code in {200, 302}
        Dag.objects.filter(dag_id="story").update(dag_id=f"story-{field}")


def test_ten_thousand_and_one_tasks_are_refused_in_a_sentence(editor: Client) -> None:
    tasks = [{"id": f"t{index}"} for index in range(10_001)]
    sent = new_dag() | {"json-tasks": json.dumps(tasks)}

    answer = save(editor, f"{ADD}?json", sent)

    form = refused(answer).json
    assert form is not None
    assert "10,000" in form.errors["tasks"][0]


def test_more_cards_than_there_may_be_are_refused_in_a_sentence(editor: Client) -> None:
    answer = save(editor, ADD, new_dag({"id": "a"}) | {"tasks-TOTAL_FORMS": 10_001})

    assert any("JSON" in problem for problem in refused(answer).problems)


@pytest.mark.parametrize("total", ["", "-1", "many", "9" * 400])
def test_a_broken_count_of_cards_is_no_failure(editor: Client, total: str) -> None:
    answer = save(editor, ADD, new_dag({"id": "a"}) | {"tasks-TOTAL_FORMS": total})

    assert refused(answer).errors > 0


def test_an_empty_form_is_no_failure(editor: Client) -> None:
    dag = save_dag({"a": []})

    for page in (ADD, f"{ADD}?json", page_of(dag), f"{page_of(dag)}?json"):
        assert refused(save(editor, page, {})).errors > 0


def test_a_large_dag_is_edited_as_json(editor: Client) -> None:
    dag = save_dag({f"t{index}": [] for index in range(151)})

    fields = fields_of(editor, page_of(dag))
    tasks = json.loads(fields["json-tasks"])
    tasks[0]["description"] = "first"
    answer = save(editor, page_of(dag), fields | {"json-tasks": json.dumps(tasks)})

    assert answer.status_code == 302
    assert Task.objects.get(dag=dag, description="first").task_id == "t0"


def test_problems_in_json_name_the_task(editor: Client) -> None:
    sent = new_dag() | {"json-tasks": '[{"id": "a", "depends_on": ["b"]}, {"id": "a"}]'}

    answer = save(editor, f"{ADD}?json", sent)

    form = refused(answer).json
    assert form is not None
    assert [str(text).split(":")[0] for text in form.errors["tasks"]] == [
        "[0].depends_on[0]",
        "[1].id",
    ]


def test_a_task_is_renamed_and_another_one_removed(editor: Client) -> None:
    dag = save_dag({"a": [], "b": ["a"], "c": []}, tasks={"a": {"description": "kept"}})
    fields = fields_of(editor, page_of(dag))

    answer = save(
        editor,
        page_of(dag),
        fields | {"tasks-0-id": "first", "tasks-1-depends_on": "first", "tasks-2-DELETE": "on"},
    )

    assert answer.status_code == 302
    assert sorted(dag.tasks.values_list("task_id", "description")) == [("b", ""), ("first", "kept")]


def test_removing_a_task_that_others_need_is_refused_at_them(editor: Client) -> None:
    dag = save_dag({"a": [], "b": ["a"]})
    fields = fields_of(editor, page_of(dag))

    answer = save(editor, page_of(dag), fields | {"tasks-0-DELETE": "on"})

    assert "'a'" in card_errors(answer, 1)["depends_on"][0]
    assert dag.tasks.count() == 2


def test_another_time_zone_moves_the_dates_that_are_shown(editor: Client) -> None:
    dag = save_dag({"a": []}, cron="@daily", start_date="2026-01-01T09:00:00+00:00")
    fields = fields_of(editor, page_of(dag))
    assert fields["start_date"] == "2026-01-01T09:00:00"

    save(editor, page_of(dag), fields | {"timezone": "Europe/Berlin"})

    dag.refresh_from_db()
    assert dag.start_date is not None
    assert dag.start_date.isoformat() == "2026-01-01T08:00:00+00:00"
    assert fields_of(editor, page_of(dag))["start_date"] == "2026-01-01T09:00:00"


# ------------------------------------------------------------------- two editors at once


def test_a_stale_page_is_not_saved(editor: Client) -> None:
    dag = save_dag({"a": []})
    fields = fields_of(editor, page_of(dag))
    save_dag({"a": [], "b": []})

    answer = save(editor, page_of(dag), fields | {"description": "mine"})

    shown = answer.content.decode()
    assert refused(answer).is_stale
    assert "version 2 now" in shown
    assert "mine" in shown
    dag.refresh_from_db()
    assert dag.description == ""


def test_a_stale_page_is_saved_on_demand_over_just_that_version(editor: Client) -> None:
    dag = save_dag({"a": []})
    fields = fields_of(editor, page_of(dag)) | {"description": "mine"}
    theirs = save_dag({"a": [], "b": []}).version
    assert theirs is not None

    answer = save(editor, page_of(dag), fields | {"over": theirs.checksum})

    assert answer.status_code == 302
    dag.refresh_from_db()
    assert dag.description == "mine"
    assert list(dag.tasks.values_list("task_id", flat=True)) == ["a"]

    answer = save(editor, page_of(dag), fields | {"over": theirs.checksum})
    assert refused(answer).is_stale


def test_pausing_meanwhile_is_no_conflict(editor: Client) -> None:
    dag = save_dag({"a": []}, cron="@daily")
    fields = fields_of(editor, page_of(dag)) | {"description": "mine"}
    editor.post(f"/admin/dags_app/dag/{dag.pk}/pause/")

    save(editor, page_of(dag), fields)

    dag.refresh_from_db()
    assert (dag.paused, dag.description) == (True, "mine")


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        ({"cron": "0 5 * * *"}, "cron"),
        ("@once", "cron"),
        ("@continuous", "cron"),
        ({"interval_seconds": 60}, "interval_seconds"),
        (["0 9 * * *", "0 17 * * *"], "schedule"),
        ({"cron": "@daily", "except": {"holidays": "DE", "weekdays": ["SAT"]}}, "schedule"),
        ({"events": ["2026-01-01T09:00Z"]}, "schedule"),
        ({"any_asset": ["a", "b"]}, "schedule"),
    ],
)
def test_every_kind_of_schedule_is_edited_in_its_field(
    editor: Client, schedule: Any, field: str
) -> None:
    dag = save_dag({"a": []}, schedule=schedule)
    assert dag.version is not None
    form = fields_of(editor, page_of(dag))
    assert form[field]
    assert {form[name] for name in ("cron", "interval_seconds", "schedule") if name != field} == {
        ""
    }

    save(editor, page_of(dag), form | {"description": "changed"})

    after = Dag.objects.get()
    assert after.description == "changed"
    assert after.schedule == dag.schedule


def test_a_schedule_is_written_as_json_and_its_problems_stand_there(editor: Client) -> None:
    written = '{"cron": ["0 9 * * *", "0 17 * * MON-FRI"], "except": {"holidays": "XX"}}'
    answer = save(editor, ADD, new_dag({"id": "a"}, schedule=written))
    assert "such as DE" in refused(answer).general.errors["schedule"][0]
    answer = save(editor, ADD, new_dag({"id": "a"}, schedule=written.replace("XX", "FR")))
    assert answer.status_code == 302
    assert Dag.objects.get().schedule == {
        "cron": ["0 17 * * MON-FRI", "0 9 * * *"],
        "except": {"holidays": "FR"},
    }


def test_the_page_of_a_paused_dag_says_what_resuming_starts(editor: Client) -> None:
    dag = save_dag(
        {"a": []}, cron="@hourly", catchup=True, paused=True,
        start_date=(database_now() - timedelta(hours=4)).isoformat(),
    )  # fmt: skip
    page = editor.get(page_of(dag)).content.decode()
    assert "Resuming starts 4 runs at once" in page
    assert "Next by schedule" in page


def test_no_field_of_a_definition_is_lost_by_being_edited(editor: Client) -> None:
    fields: dict[str, Any] = {
        "description": "about", "owner": "data", "tags": ["x"], "timezone": "Asia/Kathmandu",
        "schedule": ["0 9 * * *", "0 17 * * *"], "start_date": "2026-01-01T00:00:00Z",
        "end_date": "2027-01-01T00:00:00Z", "catchup": True, "catchup_window_seconds": 60,
        "overlap_policy": "skip", "max_active_runs": 3, "max_active_tasks": 4,
        "run_timeout_seconds": 5.5, "fail_fast": True, "params": {"a": {"default": 1}},
    }  # fmt: skip
    assert set(DagSpec.model_fields) == {*fields, "name", "format", "paused", "tasks"}
    dag = save_dag({"a": []}, **fields)
    assert dag.version is not None
    before = dag.version.spec

    save(editor, page_of(dag), fields_of(editor, page_of(dag)) | {"owner": "somebody"})

    dag.refresh_from_db()
    assert dag.version is not None
    assert dag.version.spec == before | {"owner": "somebody"}
