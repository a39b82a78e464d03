"""What a definition means: fields, their other names, short spellings, and defaults."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from dags_app.domain.commands import BashCommand, EmptyCommand, HttpCommand, TaskType
from dags_app.domain.parse import parse
from dags_app.domain.spec import FORMAT, DagSpec
from dags_app.domain.tasks import TASK_CLASSES, EmptyTask, TaskFields, TriggerRule
from dags_app.domain.timing.definition import Cron, Interval
from tests.domain.definitions import DAILY_REPORT, bash, dag, with_task


def only_task(document: dict[str, Any]) -> TaskFields:
    (task,) = parse(document).tasks
    return task


def test_the_first_document_of_every_guide_is_taken_as_it_stands() -> None:
    spec = parse(DAILY_REPORT)
    assert spec.name == "daily_report"
    assert spec.schedule == Cron(cron="0 9 * * *")
    fetch, transform, report = spec.tasks
    assert isinstance(fetch.as_command(), HttpCommand)
    assert isinstance(transform.as_command(), EmptyCommand)
    assert (transform.depends_on, report.depends_on) == (["fetch_data"], ["transform"])


def test_what_is_left_out_has_a_default() -> None:
    spec = parse(dag())
    assert spec.model_dump(exclude={"name", "tasks"}) == {
        "format": FORMAT,
        "description": "",
        "owner": "",
        "tags": [],
        "schedule": None,
        "timezone": "UTC",
        "start_date": None,
        "end_date": None,
        "catchup": False,
        "catchup_window_seconds": None,
        "overlap_policy": "allow",
        "max_active_runs": 16,
        "max_active_tasks": None,
        "run_timeout_seconds": None,
        "fail_fast": False,
        "params": {},
        "paused": None,
    }
    assert spec.tasks[0].model_dump() == {
        "id": "a",
        "type": "empty",
        "description": "",
        "depends_on": [],
        "trigger_rule": "all_success",
        "retries": 0,
        "retry_delay_seconds": 300.0,
        "retry_exponential_backoff": 0.0,
        "max_retry_delay_seconds": 86_400.0,
        "timeout_seconds": None,
        "queued_timeout_seconds": None,
        "memory_limit_mb": None,
        "priority": 0,
        "queue": "default",
        "pool": None,
        "pool_slots": 1,
        "rerun_on_worker_loss": True,
        "group": None,
        "setup": False,
        "teardown": False,
        "on_failure_fail_dagrun": False,
        "depends_on_past": False,
        "wait_for_downstream": False,
        "expand": None,
        "expand_kwargs": None,
        "max_map_length": 1024,
        "outlets": [],
    }


def test_keys_have_the_names_that_people_know_from_elsewhere() -> None:
    spec = parse({"dag_id": "d", "cron": "@daily", "tasks": [{"id": "a", "retry_count": 3}]})
    assert (spec.name, spec.schedule) == ("d", Cron(cron="0 0 * * *"))
    assert spec.tasks[0].retries == 3


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (None, None),
        ("", None),
        (" @None ", None),
        ("0 9 * * mon", Cron(cron="0 9 * * MON")),
        ("@hourly", Cron(cron="0 * * * *")),
        ({"cron": "@hourly"}, Cron(cron="0 * * * *")),
        ({"interval_seconds": 90}, Interval(interval_seconds=90)),
        ({"interval_seconds": 90.0}, Interval(interval_seconds=90)),
    ],
)
@pytest.mark.parametrize("key", ["schedule", "cron"])
def test_a_schedule_is_a_cron_expression_a_preset_an_interval_or_none(
    key: str, written: Any, meant: object
) -> None:
    assert parse(dag(**{key: written})).schedule == meant


@pytest.mark.parametrize(
    ("written", "zone", "meant"),
    [
        ("2026-07-01", "UTC", datetime(2026, 7, 1, tzinfo=UTC)),
        ("2026-07-01", "Europe/Berlin", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-07-01T09:00", "Europe/Berlin", datetime(2026, 7, 1, 7, tzinfo=UTC)),
        ("2026-07-01 09:00:00Z", "Europe/Berlin", datetime(2026, 7, 1, 9, tzinfo=UTC)),
        ("2026-07-01T09:00:00.5+0530", "UTC", datetime(2026, 7, 1, 3, 30, 0, 500_000, UTC)),
        (date(2026, 7, 1), "UTC", datetime(2026, 7, 1, tzinfo=UTC)),
        (datetime(2026, 7, 1, 9, tzinfo=UTC), "UTC", datetime(2026, 7, 1, 9, tzinfo=UTC)),
        (None, "UTC", None),
    ],
)
def test_a_date_without_an_offset_is_read_in_the_zone_of_the_dag(
    written: Any, zone: str, meant: datetime | None
) -> None:
    spec = parse(dag(start_date=written, end_date=written, timezone=zone))
    assert (spec.start_date, spec.end_date) == (meant, meant)


def test_a_plain_value_is_a_parameter_with_that_default() -> None:
    spec = parse(dag(params={"day": "monday", "n": {"type": "integer", "default": 2}}))
    assert spec.params == {"day": {"default": "monday"}, "n": {"type": "integer", "default": 2}}


def test_dates_that_yaml_finds_in_parameters_are_text_again() -> None:
    schema = {"type": "string", "default": date(2026, 1, 31)}
    assert parse(dag(params={"p": schema})).params == {
        "p": {"type": "string", "default": "2026-01-31"}
    }


@pytest.mark.parametrize("rule", TriggerRule)
def test_there_are_thirteen_trigger_rules(rule: TriggerRule) -> None:
    assert len(TriggerRule) == 13
    assert only_task(with_task(trigger_rule=rule.value)).trigger_rule is rule


def test_what_has_no_order_is_kept_in_one() -> None:
    spec = parse(
        dag({"id": "b"}, {"id": "a"}, {"id": "z", "depends_on": ["b", "a", "b"]}, tags=["y", "x"])
    )
    assert spec.tags == ["x", "y"]
    assert spec.tasks[2].depends_on == ["a", "b"]
    assert [task.id for task in spec.tasks] == ["b", "a", "z"], "the author's order, for people"


def test_whole_numbers_may_be_written_with_a_point() -> None:
    task = only_task(with_task(retries=3.0, retry_delay_seconds=5))
    assert (task.retries, type(task.retries)) == (3, int)
    assert (task.retry_delay_seconds, type(task.retry_delay_seconds)) == (5.0, float)


def test_a_task_hands_its_command_on_and_keeps_the_rest() -> None:
    command = only_task(bash(command="make", retries=3)).as_command()
    assert isinstance(command, BashCommand)
    assert command.canonical() == '{"command":"make","type":"bash"}'


def test_every_type_has_a_class_of_its_own() -> None:
    for kind, model in TASK_CLASSES.items():
        assert model.model_fields["type"].annotation is not None
        assert model.command_class.__name__.removesuffix("Command").lower() == kind.replace("_", "")


@pytest.mark.parametrize("text", ["日報 🚀", "דוח יומי", "a\u202eb", "line\nbreak"])
def test_descriptions_owners_and_tags_hold_any_text(text: str) -> None:
    spec = parse(dag({"id": "a", "description": text}, description=text, owner=text, tags=[text]))
    assert spec.description == spec.owner == spec.tags[0] == spec.tasks[0].description == text


def test_a_spec_cannot_be_changed() -> None:
    spec = parse(dag())
    with pytest.raises(ValueError, match="frozen"):
        spec.name = "other"  # type: ignore[misc]  # that is the point


def test_python_code_may_build_a_spec_directly() -> None:
    spec = DagSpec(name="d", tasks=[EmptyTask(id="a", type=TaskType.EMPTY)])
    assert spec == parse(dag())
