"""What templates were filled in to is kept, and what is secret in it is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from runs_app.actions.retention import prune
from runs_app.domain.rendered import MAX_BYTES, bounded
from runs_app.models import DagRun, RenderedFields, TaskRun
from runs_app.selectors.rendered import rendered_of
from skytrail.sdk import DAG, Bash
from skytrail.security.secrets import keeping
from skytrail.security.secrets.values import ConnectionValue
from skytrail.testing import run_dag
from tests.workers.stations import done, ready

pytestmark = pytest.mark.usefixtures("committing", "no_companion_stays")


def _fields(found: TaskRun, **which: Any) -> Any:
    kept = rendered_of(found, **which)
    return kept and kept.fields


def test_only_fields_with_templates_are_kept_as_they_were_filled_in() -> None:
    found = ready(
        "bash", command="true", env={"TASK": "{{ ti.task_id }}", "PLAIN": "x"}, cwd="/tmp"
    )
    assert done(found) == "success"
    assert _fields(found) == {"env": {"TASK": "work", "PLAIN": "x"}}
    assert _fields(found, attempt=1) == _fields(found)
    assert _fields(found, attempt=2) is None


def test_of_a_task_without_templates_nothing_is() -> None:
    found = ready("bash", command="true")
    assert done(found) == "success"
    assert not RenderedFields.objects.exists()


def test_a_task_that_fails_afterwards_shows_what_it_was_given() -> None:
    found = ready("bash", command="exit 3", env={"TASK": "{{ ti.task_id }}"})
    assert done(found) == "failed"
    assert _fields(found) == {"env": {"TASK": "work"}}


def test_they_go_when_their_run_does() -> None:
    found = ready("bash", command="true", env={"TASK": "{{ ti.task_id }}"})
    assert done(found) == "success"
    assert RenderedFields.objects.count() == 1
    DagRun.objects.update(state="failed", finished_at=Now() - timedelta(days=40))
    assert prune(keep=timedelta(days=30)) == 1
    assert not RenderedFields.objects.exists()


def test_secrets_are_masked_by_value_and_by_name() -> None:
    keeping.keep_connection(ConnectionValue.from_uri("shop", "http://me:canary-1@shop.example.org"))
    keeping.keep_variable("pin", "canary-2")
    found = ready(
        "bash",
        command="true",
        env={
            "URL": "http://{{ conn.shop.login }}:{{ conn.shop.password }}@x",
            "PIN": "pin {{ var.value.pin }}",
            "API_TOKEN": "{{ 'canary' ~ '-3' }}",
        },
    )
    assert done(found) == "success"
    kept = _fields(found)["env"]
    assert "canary" not in str(RenderedFields.objects.get().fields)
    assert (kept["PIN"], kept["API_TOKEN"]) == ("pin ***", "***")


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("pin {{ var.value.pin }}", "pin ***"),
        ("{{ var.value.pin | upper }}", "***"),
        ("{{ conn.shop.password[:6] }}", "***"),
        ("{{ conn.shop.password | reverse }}", "***"),
        ("{{ var.value.pin | list | join('-') }}", "***"),
        ("{{ var.value.pin | length }}", "***"),
        # Whatever is looked for in the log has three characters at least.
        ("x {{ var.value.short }}", "***"),
        ("{{ 'a' if var.value.short == 'ab' else 'b' }}", "***"),
        ("{% if var.value.short == 'ab' %}{{ var.value.pin | upper }}{% endif %}", "***"),
        ("{{ var.json.keys.rows + 1 }}", "***"),
        ("{{ var.json.keys }}", {"rows": "***", "on": True}),
        ("{{ conn.shop.uri }}", "***"),
        ("{{ conn.shop.host }} {{ var.value.region }}", "shop.example.org north"),
        ("{{ conn.proxied.host | upper }}", "***"),
    ],
)
def test_what_a_template_makes_of_a_secret_is_masked(template: str, shown: Any) -> None:
    keeping.keep_connection(ConnectionValue.from_uri("shop", "http://me:Canary-1@shop.example.org"))
    keeping.keep_connection(
        ConnectionValue(
            conn_id="proxied", conn_type="http", host="http://me:canary-3@x.example.org"
        )
    )
    keeping.keep_variable("pin", "canary-2")
    keeping.keep_variable("short", "ab")
    keeping.keep_variable("keys", '{"rows": 5, "on": true}')
    keeping.keep_variable("region", "north", is_secret=False)
    found = ready("python", callable="tests.workers.chores.give", args=[template, {"plain": 1}])
    done(found)
    assert _fields(found)["args"][0] == shown


def test_text_that_the_database_refuses_is_replaced() -> None:
    found = ready("python", callable="tests.workers.chores.give", args=["{{ 'a\\x00b' | length }}"])
    assert done(found) == "success"
    assert bounded({"a": ["x\x00\ud83d"]}) == {"a": ["x\ufffd?"]}


def test_what_is_long_is_cut_and_says_how_long_it_was() -> None:
    assert bounded({"a": "x" * 70_000})["a"] == "x" * 1_000 + "… (70,000 characters)"
    rows = bounded({"rows": [{"n": n} for n in range(20_000)]})["rows"]
    assert (len(rows), rows[-1]) == (51, "… (20,000 entries)")
    wide = bounded({"rows": [["x" * 900] * 50] * 50})
    assert wide == {"rows": "… (2,260,100 bytes as JSON)"}
    fits = {"a": "x" * (MAX_BYTES - 9)}
    assert bounded(fits) == fits


def test_a_run_that_is_tried_shows_them_too() -> None:
    with DAG("tried") as dag:
        Bash("say", command="true", env={"DAY": "{{ ds }}"})
    result = run_dag(dag, logical_date="2026-01-31")
    assert result["say"].rendered == {"env": {"DAY": "2026-01-31"}}
