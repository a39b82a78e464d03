"""Everything that is wrong with a definition is said at once: where, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dags_app.domain.parse import BadDefinition, parse
from skytrail.errors import Problem
from tests.domain.definitions import bash, dag, with_task


def problems(document: Any) -> list[Problem]:
    with pytest.raises(BadDefinition) as caught:
        parse(document)
    return list(caught.value.problems)


def branch(**fields: Any) -> dict[str, Any]:
    """A definition with a branch task `a` before `b`."""
    return dag({"id": "a", "type": "branch", **fields}, {"id": "b", "depends_on": ["a"]})


def http(**fields: Any) -> dict[str, Any]:
    return with_task(type="http", **{"uri": "https://example.org", **fields})


#: A definition, and the one thing that is wrong with it: path, code, and words of the message.
ONE_PROBLEM: list[tuple[Any, str, str, str]] = [
    # the document
    ([], "", "not_an_object", "must be an object"),
    (None, "", "not_an_object", "must be an object"),
    ("dag", "", "not_an_object", "must be an object"),
    # required keys
    ({"tasks": [{"id": "a"}]}, "name", "missing", "add it"),
    ({"name": "d"}, "tasks", "missing", "add it"),
    ({"name": "d", "tasks": []}, "tasks", "too_short", "give at least 1"),
    ({"name": "d", "tasks": {}}, "tasks", "list_type", "must be a list"),
    ({"name": "d", "tasks": [{}]}, "tasks[0].id", "missing", "add it"),
    (dag("a"), "tasks[0]", "model_type", "must be an object"),  # type: ignore[arg-type]  # wrong
    (dag(None), "tasks[0]", "model_type", "must be an object"),  # type: ignore[arg-type]  # wrong
    (bash(command=None), "tasks[0].command", "string_type", "text in quotes"),
    (with_task(type="bash"), "tasks[0].command", "missing", "add it"),
    # keys
    (dag(onwer="me"), "onwer", "unknown_key", "did you mean 'owner'?"),
    (dag(Cron="@daily"), "Cron", "unknown_key", "did you mean 'cron'?"),
    (dag(zzz=1), "zzz", "unknown_key", "remove it"),
    (with_task(retires=3), "tasks[0].retires", "unknown_key", "did you mean 'retries'?"),
    (with_task(dependson=[]), "tasks[0].dependson", "unknown_key", "'depends_on'"),
    (with_task(command="x"), "tasks[0].command", "unknown_key", "no such key"),
    (bash(comand="x"), "tasks[0].comand", "unknown_key", "did you mean 'command'?"),
    (http(jsn={}), "tasks[0].jsn", "unknown_key", "did you mean 'json'?"),
    (http(json_body={}), "tasks[0].json_body", "unknown_key", "no such key"),
    (dag(**{"": 1}), '[""]', "unknown_key", "remove it"),
    (dag(**{"a.b": 1}), '["a.b"]', "unknown_key", "remove it"),
    (with_task(bash=1, type="bash", command="x"), "tasks[0].bash", "unknown_key", "no such key"),
    (dag(dag_id="d"), "dag_id", "given_twice", "another name for 'name'"),
    (dag(cron="@daily", schedule="@daily"), "cron", "given_twice", "another name for 'schedule'"),
    (dag(cron="@daily", schedule=None), "cron", "given_twice", "keep one"),
    (with_task(retries=1, retry_count=1), "tasks[0].retry_count", "given_twice", "keep one"),
    # names
    (dag(name=""), "name", "string_too_short", "write something"),
    (dag(name=5), "name", "string_type", "text in quotes"),
    (dag(name="a b"), "name", "identifier", "use only letters"),
    (dag(name="日報"), "name", "identifier", "a description may hold any text"),
    (dag(name="report🚀"), "name", "identifier", "use only letters"),
    (dag(name="דוח"), "name", "identifier", "use only letters"),
    (dag(name="a\u202eb"), "name", "identifier", "use only letters"),
    (dag(name="é"), "name", "identifier", "use only letters"),
    (dag(name="a\n"), "name", "identifier", "use only letters"),
    (dag(name="a/b"), "name", "identifier", "use only letters"),
    (dag(name=".."), "name", "identifier", "dots alone"),
    (dag(name="n" * 251), "name", "string_too_long", "shorten it"),
    ({"dag_id": "a b", "tasks": [{"id": "a"}]}, "dag_id", "identifier", "use only letters"),
    (dag({"id": "a b"}), "tasks[0].id", "identifier", "use only letters"),
    (dag({"id": 1}), "tasks[0].id", "string_type", "text in quotes"),
    (with_task(queue="a b"), "tasks[0].queue", "identifier", "use only letters"),
    (with_task(pool=""), "tasks[0].pool", "string_too_short", "leave it out"),
    (dag(params={"a b": 1}), 'params["a b"]', "identifier", "use only letters"),
    # what PostgreSQL cannot keep
    (dag(name="a\x00b"), "name", "unstorable_text", "remove the NUL"),
    (dag(description="\ud83d"), "description", "unstorable_text", "broken Unicode"),
    (dag(**{"a\x00": 1}), "", "unstorable_text", "in a key"),
    (bash(env={"A": "\x00"}), "tasks[0].env.A", "unstorable_text", "remove the NUL"),
    (dag(params={"p": float("nan")}), "params.p", "not_finite", "use null"),
    (dag(params={"p": 10**5000}), "params.p", "number_too_long", "as text in quotes"),
    (dag(params={"p": {1: 2}}), "params.p", "key_not_text", "write it in quotes"),
    (dag(params={"p": {1, 2}}), "params.p", "not_json", "use text, numbers"),
    (with_task(timeout_seconds=b"5"), "tasks[0].timeout_seconds", "not_json", "a bytes is not"),
    # single fields
    (dag(format=2), "format", "unknown_format", "write 1"),
    (dag(format=True), "format", "unknown_format", "write 1"),
    (dag(format="1"), "format", "unknown_format", "write 1"),
    (dag(description=None), "description", "string_type", "text in quotes"),
    (dag(owner="o" * 251), "owner", "string_too_long", "more than 250 characters"),
    (dag(tags="etl"), "tags", "list_type", "must be a list"),
    (dag(tags=[1]), "tags[0]", "string_type", "text in quotes"),
    (dag(tags=[""]), "tags[0]", "string_too_short", "write something"),
    (dag(tags=["x"] * 101), "tags", "too_long", "at most 100 are allowed, not 101"),
    (dag(catchup="yes"), "catchup", "bool_type", "true or false"),
    (dag(catchup=1), "catchup", "bool_type", "true or false"),
    (dag(paused="false"), "paused", "bool_type", "true or false"),
    (dag(max_active_runs=0), "max_active_runs", "greater_than_equal", "use 1 or more"),
    (dag(max_active_runs=10_001), "max_active_runs", "less_than_equal", "use 10,000 or less"),
    (dag(max_active_runs="3"), "max_active_runs", "int_type", "whole number"),
    (dag(max_active_runs=2.5), "max_active_runs", "int_type", "whole number"),
    (dag(max_active_runs=None), "max_active_runs", "int_type", "whole number"),
    (dag(max_active_tasks=0), "max_active_tasks", "greater_than_equal", "use 1 or more"),
    (with_task(retries=-1), "tasks[0].retries", "greater_than_equal", "use 0 or more"),
    (with_task(retry_count=-1), "tasks[0].retry_count", "greater_than_equal", "use 0 or more"),
    (with_task(retries=True), "tasks[0].retries", "int_type", "whole number"),
    (with_task(retries=10**30), "tasks[0].retries", "less_than_equal", "use 1,000 or less"),
    (with_task(retry_delay_seconds="5m"), "tasks[0].retry_delay_seconds", "float_type", "number"),
    (with_task(timeout_seconds=0), "tasks[0].timeout_seconds", "greater_than", "more than 0"),
    (with_task(timeout_seconds=10**400), "tasks[0].timeout_seconds", "less_than_equal", "or less"),
    (with_task(priority=1001), "tasks[0].priority", "less_than_equal", "use 1,000 or less"),
    (with_task(pool_slots=0), "tasks[0].pool_slots", "greater_than_equal", "use 1 or more"),
    (with_task(depends_on="b"), "tasks[0].depends_on", "list_type", "must be a list"),
    (with_task(depends_on=[1]), "tasks[0].depends_on[0]", "string_type", "text in quotes"),
    (with_task(description="x" * 2001), "tasks[0].description", "string_too_long", "shorten it"),
    # types and rules
    (with_task(type="bsh"), "tasks[0].type", "unknown_type", "did you mean 'bash'?"),
    (with_task(type="BASH"), "tasks[0].type", "unknown_type", "did you mean 'bash'?"),
    (with_task(type="kubernetes"), "tasks[0].type", "unknown_type", "use one of empty, bash"),
    (with_task(type=None), "tasks[0].type", "unknown_type", "in quotes: one of empty, bash"),
    (with_task(type=["bash"]), "tasks[0].type", "unknown_type", "in quotes: one of"),
    (
        with_task(trigger_rule="all_sucess"),
        "tasks[0].trigger_rule",
        "unknown_trigger_rule",
        "did you mean 'all_success'?",
    ),
    (
        with_task(trigger_rule="whenever"),
        "tasks[0].trigger_rule",
        "unknown_trigger_rule",
        "use one of all_success, all_failed",
    ),
    (with_task(trigger_rule=1), "tasks[0].trigger_rule", "unknown_trigger_rule", "in quotes"),
    # schedules
    (dag(cron="* * * *"), "cron", "cron_fields", "five fields"),
    (dag(schedule="0 9 * * FRYDAY"), "schedule", "cron_name", "use SUN, MON"),
    (dag(schedule={"cron": "61 * * * *"}), "schedule.cron", "cron_out_of_range", "use 0 to 59"),
    (dag(cron={"cron": "0 0 30 2 *"}), "cron.cron", "cron_never", "never fires"),
    (dag(cron="0 0 30 2 *"), "cron", "cron_never", "30 February?"),
    (dag(cron="@fortnightly"), "cron", "cron_preset", "use one of @hourly"),
    (dag(schedule=5), "schedule", "not_a_schedule", "write a cron expression in quotes"),
    (dag(cron=True), "cron", "not_a_schedule", "or null for none"),
    (dag(cron=["@daily", "61 * * * *"]), "cron[1]", "cron_out_of_range", "use 0 to 59"),
    (dag(schedule=["@once"]), "schedule[0]", "cron_preset", "write it alone"),
    (dag(schedule=[]), "schedule", "too_short", "at least 1"),
    (dag(schedule={"cron": ["@daily", 5]}), "schedule.cron[1]", "string_type", "text in quotes"),
    (dag(schedule={"once": False}), "schedule.once", "not_true", "write true"),
    (dag(schedule={"once": True, "except": {}}), "schedule.except", "unknown_key", "remove it"),
    (dag(schedule={"events": ["soon"]}), "schedule.events[0]", "not_a_date", "a date like"),
    (dag(schedule={"assets": []}), "schedule.assets", "too_short", "at least 1"),
    (dag(schedule={"any_asset": [""]}), "schedule.any_asset[0]", "string_too_short", "empty"),
    (
        dag(schedule={"cron": "@daily", "except": {"holidays": "XX"}}),
        "schedule.except.holidays",
        "holidays_unknown",
        "such as DE",
    ),
    (
        dag(schedule={"cron": "@daily", "except": {"holidays": "DE-XX"}}),
        "schedule.except.holidays",
        "holidays_unknown",
        "use one of BB",
    ),
    (
        dag(schedule={"cron": "@daily", "except": {"dates": ["2026-02-30"]}}),
        "schedule.except.dates[0]",
        "not_a_date",
        "like 2026-12-24",
    ),
    (
        dag(schedule={"cron": "@daily", "except": {"weekdays": ["sat"]}}),
        "schedule.except.weekdays[0]",
        "not_a_choice",
        "did you mean 'SAT'?",
    ),
    (
        dag(schedule={"cron": "@daily", "except": {"weekday": ["SAT"]}}),
        "schedule.except.weekday",
        "unknown_key",
        "did you mean 'weekdays'?",
    ),
    (
        dag(
            schedule={
                "cron": "@daily",
                "except": {"weekdays": ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]},
            }
        ),
        "schedule.except.weekdays",
        "all_weekdays",
        "leave one of them out",
    ),
    (
        dag(schedule={"cron": "0 0 25 12 *", "except": {"holidays": "DE"}}),
        "schedule",
        "schedule_never",
        "exclude less",
    ),
    (
        dag(schedule={"events": ["2026-12-25T09:00"], "except": {"holidays": "DE"}}),
        "schedule",
        "schedule_never",
        "exclude less",
    ),
    (dag(schedule="@continuous", max_active_runs=2), "max_active_runs", "not_one_run", "write 1"),
    (
        dag(cron={"continuous": True}, max_active_runs=16),
        "max_active_runs",
        "not_one_run",
        "leave it out",
    ),
    (dag(overlap_policy="skp"), "overlap_policy", "not_a_choice", "did you mean 'skip'?"),
    (dag(catchup_window_seconds=0), "catchup_window_seconds", "greater_than_equal", "1 or more"),
    (dag(schedule={}), "schedule.cron", "missing", "add it"),
    (dag(schedule={"cron": 5}), "schedule.cron", "string_type", "text in quotes"),
    (
        dag(schedule={"interval_seconds": 0}),
        "schedule.interval_seconds",
        "greater_than_equal",
        "use 1 or more",
    ),
    (
        dag(cron={"interval_seconds": "60"}),
        "cron.interval_seconds",
        "int_type",
        "whole number",
    ),
    (
        dag(schedule={"cron": "@daily", "interval_seconds": 5}),
        "schedule",
        "two_schedules",
        "keep one of them",
    ),
    (
        dag(schedule={"interval_seconds": 5, "zone": "UTC"}),
        "schedule.zone",
        "unknown_key",
        "remove it",
    ),
    (dag(timezone="Berlin"), "timezone", "timezone_unknown", "did you mean Europe/Berlin?"),
    (dag(timezone="../etc/passwd"), "timezone", "timezone_unknown", "IANA"),
    (dag(timezone=None), "timezone", "string_type", "text in quotes"),
    # dates
    (dag(start_date="soon"), "start_date", "not_a_date", "like 2026-01-31"),
    (dag(start_date="2026-02-30"), "start_date", "not_a_date", "like 2026-01-31"),
    (dag(start_date=1_767_225_600), "start_date", "not_a_date", "like 2026-01-31"),
    (dag(start_date="0001-01-01"), "start_date", "out_of_range", "from 1900 to 8999"),
    (
        dag(start_date="2026-02-02", end_date="2026-02-01"),
        "end_date",
        "ends_before_start",
        "swap them",
    ),
    (
        dag(
            start_date="2026-02-01T00:00",
            end_date=datetime(2026, 1, 31, 22, tzinfo=UTC),
            timezone="Europe/Berlin",
        ),
        "end_date",
        "ends_before_start",
        "swap them",
    ),
    # parameters
    (dag(params=[]), "params", "dict_type", "must be an object"),
    (dag(params={"p": {"type": "nmber"}}), "params.p.type", "bad_schema", "no JSON Schema"),
    (
        dag(params={"p": {"type": "integer", "default": "x"}}),
        "params.p.default",
        "bad_default",
        "change the default, or the schema",
    ),
    (
        dag(params={"a.b": {"items": {"type": "null"}, "default": [None, 1]}}),
        'params["a.b"].default[1]',
        "bad_default",
        "not of type 'null'",
    ),
    (dag(params={"p": {"pattern": "("}}), "params.p.pattern", "bad_schema", "correct it"),
    (dag(params={"p": {"$ref": "http://x/"}}), "params.p.$ref", "bad_schema", "leads nowhere"),
    (dag(params={"p": "x" * 70_000}), "params", "too_large", "shorten them"),
    (
        dag(params={f"p{i}": None for i in range(1001)}),
        "params",
        "too_long",
        "at most 1,000 are allowed",
    ),
    (dag(cron="@daily", params={"p": {}}), "params.p", "needs_default", "give it a default"),
    (
        dag(schedule={"interval_seconds": 5}, params={"p": {"type": "null"}}),
        "params.p",
        "needs_default",
        "or remove the schedule",
    ),
    # the graph
    (
        dag({"id": "a"}, {"id": "a"}),
        "tasks[1].id",
        "duplicate_id",
        "tasks[0] has this id too",
    ),
    (
        dag({"id": "fetch"}, {"id": "b", "depends_on": ["fetch", "fetsh"]}),
        "tasks[1].depends_on[1]",
        "unknown_upstream",
        "did you mean 'fetch'?",
    ),
    (
        with_task(depends_on=["zzz"]),
        "tasks[0].depends_on[0]",
        "unknown_upstream",
        "add it, or remove this dependency",
    ),
    (with_task(depends_on=["a"]), "tasks[0].depends_on[0]", "self_dependency", "remove this"),
    (
        dag({"id": "a", "depends_on": ["b"]}, {"id": "b", "depends_on": ["a"]}),
        "tasks[0].depends_on",
        "cycle",
        "these tasks wait for each other: a → b → a; remove one",
    ),
    (
        dag(
            {"id": "in", "depends_on": ["c"]},
            {"id": "c", "depends_on": ["b"]},
            {"id": "b", "depends_on": ["a"]},
            {"id": "a", "depends_on": ["c", "root"]},
            {"id": "root"},
        ),
        "tasks[1].depends_on",
        "cycle",
        "c → a → b → c",
    ),
    # commands
    (bash(command=""), "tasks[0].command", "string_too_short", "write something"),
    (
        bash(command="echo {{ outputs.b }}"),
        "tasks[0].command",
        "pasted_value",
        "environment variable",
    ),
    (bash(env={"1A": "x"}), 'tasks[0].env["1A"]', "env_name", "no digit first"),
    (bash(env={"SKYTRAIL_X": "x"}), "tasks[0].env.SKYTRAIL_X", "env_name", "use another name"),
    (bash(env={"A": ["x"]}), "tasks[0].env.A", "not_a_scalar", "as JSON in quotes"),
    (bash(env={"A": None}), "tasks[0].env.A", "not_a_scalar", "text in quotes"),
    (bash(skip_on_exit_code=0), "tasks[0].skip_on_exit_code", "greater_than_equal", "1 or more"),
    (with_task(type="python", callable="x"), "tasks[0].callable", "dotted_path", "like my_project"),
    (with_task(type="python", callable="a.b", args="x"), "tasks[0].args", "list_type", "a list"),
    (with_task(type="celery", task=""), "tasks[0].task", "string_too_short", "write something"),
    (http(uri="example.org"), "tasks[0].uri", "http_uri", "write a full address"),
    (http(uri="ftp://example.org"), "tasks[0].uri", "http_uri", "like https://"),
    (http(method="get"), "tasks[0].method", "not_a_choice", "did you mean 'GET'?"),
    (http(method="FETCH"), "tasks[0].method", "not_a_choice", "there is no 'FETCH'"),
    (http(method=1), "tasks[0].method", "not_a_choice", "one of GET, HEAD"),
    (http(headers={"a b": "x"}), 'tasks[0].headers["a b"]', "header_name", "letters, digits"),
    (http(headers={"a": "x\ny"}), "tasks[0].headers.a", "header_value", "encode the value"),
    (http(expected_status=[600]), "tasks[0].expected_status[0]", "status_rule", "from 100 to 599"),
    (http(expected_status=["299-200"]), "tasks[0].expected_status[0]", "status_rule", "swap"),
    (http(expected_status=[]), "tasks[0].expected_status", "too_short", "give at least 1"),
    (http(json=1, body="x"), "tasks[0]", "two_bodies", "keep one"),
    (branch(), "tasks[0]", "branch_decision", "give either callable"),
    (branch(value="x"), "tasks[0]", "branch_decision", "give cases"),
    (branch(value="x", cases={"x": ["c"]}), "tasks[0].cases.x[0]", "not_downstream", "no task 'c'"),
    (
        branch(value="x", cases={"x y": ["a"]}),
        'tasks[0].cases["x y"][0]',
        "not_downstream",
        "add the dependency, or name another task",
    ),
    (
        branch(value="x", cases={"x": ["b"]}, default=["bb"]),
        "tasks[0].default[0]",
        "not_downstream",
        "did you mean 'b'?",
    ),
    # templates
    (bash(env={"A": "{{ 1 + }}"}), "tasks[0].env.A", "bad_template", "cannot be read"),
    (bash(env={"A": "{{ ds | uper }}"}), "tasks[0].env.A", "bad_template", "did you mean 'upper'?"),
    (
        bash(env={"A": "{{ outputs.fetch }}"}),
        "tasks[0].env.A",
        "unknown_output",
        "name a task that runs before",
    ),
    (
        dag({"id": "a"}, {"id": "b", "type": "bash", "command": "x", "cwd": "{{ outputs.a.dir }}"}),
        "tasks[1].cwd",
        "output_not_upstream",
        "let 'b' depend on it",
    ),
    (bash(env={"A": "{{ outputs.a }}"}), "tasks[0].env.A", "output_not_upstream", "'a'"),
    (
        {**bash(env={"A": "{{ params.dya }}"}), "params": {"day": 1}},
        "tasks[0].env.A",
        "unknown_param",
        "did you mean 'day'?",
    ),
    (
        bash(env={"A": "{{ parms.day }}"}),
        "tasks[0].env.A",
        "unknown_name",
        "did you mean 'params'?",
    ),
]


@pytest.mark.parametrize(("document", "path", "code", "words"), ONE_PROBLEM)
def test_a_problem_names_the_place_and_the_way_out(
    document: Any, path: str, code: str, words: str
) -> None:
    (problem,) = problems(document)
    assert (problem.path, problem.code) == (path, code)
    assert words in problem.message


def test_all_problems_are_listed_at_once_in_the_order_of_reading() -> None:
    found = problems(
        {
            "name": "a b",
            "cron": "61 * * * *",
            "retries": 3,
            "start_date": "soon",
            "params": {"p": {"type": "integer", "default": "x"}},
            "tasks": [
                {"id": "a", "depends_on": ["b"]},
                {"id": "b", "depends_on": ["a", "nobody"]},
                {"id": "c", "depends_on": ["c"], "retries": -1},
                {"id": "c", "type": "bash"},
                *({"id": f"t{i}"} for i in range(6)),
                {"id": "t10", "type": "magic"},
            ],
        }
    )
    assert [(problem.path, problem.code) for problem in found] == [
        ("cron", "cron_out_of_range"),
        ("name", "identifier"),
        ("params.p.default", "bad_default"),
        ("retries", "unknown_key"),
        ("start_date", "not_a_date"),
        ("tasks[0].depends_on", "cycle"),
        ("tasks[1].depends_on[1]", "unknown_upstream"),
        ("tasks[2].depends_on[0]", "self_dependency"),
        ("tasks[2].retries", "greater_than_equal"),
        ("tasks[3].command", "missing"),
        ("tasks[3].id", "duplicate_id"),
        ("tasks[10].type", "unknown_type"),
    ]


def test_cycles_that_share_no_task_are_all_named() -> None:
    pairs = [("a", "b"), ("b", "a"), ("c", "d"), ("d", "e"), ("e", "c"), ("f", "a"), ("c", "b")]
    tasks = [{"id": name, "depends_on": [up for n, up in pairs if n == name]} for name in "abcdef"]
    cycles = [p.message.split(": ")[1].split(";")[0] for p in problems(dag(*tasks))]
    assert cycles == ["a → b → a", "c → e → d → c"]


def test_a_long_cycle_is_shown_by_its_ends() -> None:
    tasks = [{"id": f"t{i}", "depends_on": [f"t{(i - 1) % 100}"]} for i in range(100)]
    (problem,) = problems(dag(*tasks))
    assert "t0 → t1 → t2 → t3 → t4 → t5 → … → t96 → t97 → t98 → t99 → t0;" in problem.message


def test_what_stands_behind_a_cycle_is_not_accused_of_anything_else() -> None:
    document = dag(
        {"id": "a", "depends_on": ["b"]},
        {"id": "b", "depends_on": ["a"]},
        {"id": "c", "type": "bash", "command": "x", "env": {"A": "{{ outputs.a }}"}}
        | {"depends_on": ["b"]},
    )
    assert [problem.code for problem in problems(document)] == ["cycle"]


def test_an_output_may_come_from_any_task_before() -> None:
    document = dag(
        {"id": "a"},
        {"id": "b", "depends_on": ["a"]},
        {"id": "c", "type": "bash", "command": "x", "env": {"A": "{{ outputs.a }}"}}
        | {"depends_on": ["b"]},
    )
    assert len(parse(document).tasks) == 3


def test_a_dag_that_nobody_schedules_may_ask_for_values() -> None:
    for schedule in (None, "", "@none"):
        assert parse(dag(params={"day": {"type": "string"}}, schedule=schedule)).schedule is None


def test_endless_names_are_not_repeated_in_full() -> None:
    (problem,) = problems(with_task(depends_on=["x" * 100_000]))
    assert len(problem.message) < 400


def test_a_document_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    assert {problem.code for problem in problems(dag(params=loop))} <= {"too_large", "too_deep"}
