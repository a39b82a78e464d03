"""`skytrail explain`."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from skytrail.cli import app
from tests.factories import save_dag, start_run

pytestmark = pytest.mark.django_db


def explained(*words: str) -> str:
    result = CliRunner().invoke(app, ["explain", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_task_is_explained_as_a_tree_and_as_json() -> None:
    start_run(save_dag({"load": [], "check": ["load"]}), run_id="first")
    assert "`check` waits for `load`" in explained("story", "first", "check")
    answer = json.loads(explained("story", "first", "check", "--output", "json"))
    assert answer["headline"] == "`check` waits for `load`"
    assert answer["reasons"][0]["code"] == "in_queue"
    assert answer["reasons"][0]["because"][0]["code"] == "no_worker"


def test_a_run_and_a_schedule_are_explained() -> None:
    start_run(save_dag({"load": []}), run_id="first")
    assert "The run is under way" in explained("story", "first", "--output", "plain")
    assert "it has no schedule" in explained("story", "--at", "2026-01-01")
