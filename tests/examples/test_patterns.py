"""Each file of `examples/patterns/` is run from start to end, and ends as it says."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from dags_app.authoring.importing import import_file
from dags_app.domain.spec import DagSpec
from skytrail.cli.arguments import read_spec
from skytrail.testing import run_dag
from tests.workers.pages import Page, serving

PATTERNS = Path(__file__).resolve().parent.parent.parent / "examples" / "patterns"
FILES = sorted(
    file for file in PATTERNS.iterdir() if file.suffix in {".py", ".yaml"} and file.stem[0] != "_"
)
DAY = "2026-01-31"

#: Stem of the file, what the run is given, how it ends, and which tasks do not end as a success.
ENDS: list[tuple[str, dict[str, Any], str, dict[str, str]]] = [
    ("linear", {}, "success", {}),
    ("fan_out", {}, "success", {}),
    ("branch", {"rows": 40}, "success", {"in_parts": "skipped", "warn": "skipped"}),
    ("branch", {"rows": 2500}, "success", {"at_once": "skipped"}),
    ("branch", {"rows": 0}, "success",
     {"at_once": "skipped", "in_parts": "skipped", "warn": "skipped"}),
    ("short_circuit", {}, "success", {"load": "skipped", "tell": "skipped"}),
    ("short_circuit", {"rows": 3}, "success", {}),
    ("skip", {}, "success",
     {"read_orders": "skipped", "sum_up": "skipped", "tidy_up": "skipped"}),
    ("skip", {"rows": 3}, "success", {"tidy_up": "skipped"}),
    ("trigger_rules", {}, "success", {"rates": "failed", "publish": "upstream_failed"}),
    ("trigger_rules", {"broken": False}, "success", {"alert": "skipped"}),
    ("setup_teardown", {}, "failed", {"work": "failed"}),
    ("setup_teardown", {"fail": False}, "success", {}),
    ("mapping", {}, "success", {}),
    ("expand_kwargs", {}, "success", {}),
    ("cross_product", {}, "success", {}),
    ("groups", {}, "success", {}),
    ("params", {"days": 3, "cities": ["Seattle", "San Francisco"]}, "success", {}),
    ("defaults", {}, "success", {}),
    ("retries", {}, "success", {}),
    ("retries", {"password": "wrong"}, "failed", {"ask_service": "failed"}),
    ("fail_fast", {}, "failed",
     {"check": "failed", "convert": "cancelled", "publish": "skipped"}),
    ("past", {}, "success", {}),
    ("latest_only", {}, "success", {}),  # what is tried knows of no later run
    ("builder", {}, "success", {}),
    ("waits", {"file": "/etc/passwd"}, "success", {}),
    ("waits", {"file": "/no/such/file"}, "success", {"file": "skipped", "load": "skipped"}),
    ("sensor", {}, "success", {}),
    ("external", {}, "success", {}),
    ("approval", {}, "success", {}),
    ("approval", {"changed": 9999}, "failed",
     {"release": "failed", "publish": "upstream_failed"}),
    ("trigger", {}, "success", {}),
    ("wait_for_downstream", {}, "success", {}),
    ("state", {}, "success", {}),
    ("assets", {}, "success", {}),
    ("connections", {}, "success", {}),
    ("sql", {}, "success", {}),
    ("sql", {"shop": "closed"}, "failed", {"report": "failed"}),
    ("schedules", {}, "success", {}),
    ("data", {}, "success", {}),
]  # fmt: skip

#: The two files of these show the same pattern with other tasks.
OTHERWISE = {"expand_kwargs", "data"}


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the patterns find around them: a shop's service, its database, settings, and people."""
    database = tmp_path_factory.mktemp("shop") / "sales.db"
    with contextlib.closing(sqlite3.connect(database)) as sales, sales:
        sales.execute("CREATE TABLE orders (day text, shop text, amount real)")
        sales.execute("CREATE TABLE totals (day text, shop text, amount real)")
        sales.execute("INSERT INTO orders VALUES (?, 'north', 10.5), (?, 'north', 4.5)", [DAY, DAY])
    with serving() as site:
        headers = {"Content-Type": "application/json"}
        site.pages[f"/days/{DAY}"] = Page(200, b'{"closed": true}', headers)
        site.pages["/orders"] = Page(200, b"[1, 2]", headers)
        yield {
            "connections": {
                "shop": f"http://me:s3cret@127.0.0.1:{site.port}",
                "sales": f"sqlite:///{database}",
            },
            "variables": {"region": "north", "api_token": "canary"},
            "answers": {
                "Publish 12 new prices?": "Approve",
                "Publish 9999 new prices?": "Reject",
            },
        }


def _specs(file: Path) -> list[DagSpec]:
    if file.suffix == ".py":
        return [dag.spec() for dag in import_file(file).dags]
    return [read_spec(str(file))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_pattern_is_sound_and_explains_itself(file: Path) -> None:
    for spec in _specs(file):
        assert spec.name.startswith(f"pattern_{file.stem}")
        assert spec.description
        assert spec.owner == "examples"
        assert bool(spec.paused) == (spec.schedule is not None), "nothing starts by itself"


def test_each_pattern_is_run() -> None:
    assert {file.stem for file in FILES} == {stem for stem, *_ in ENDS}


@pytest.mark.parametrize(
    "stem",
    sorted({file.stem for file in FILES if file.suffix == ".yaml"} - OTHERWISE),
)
def test_yaml_and_python_say_the_same(stem: str) -> None:
    (in_yaml,) = _specs(PATTERNS / f"{stem}.yaml")
    # Of several DAGs in Python, YAML has one.
    (in_python,) = (spec for spec in _specs(PATTERNS / f"{stem}.py") if spec.name == in_yaml.name)
    assert _in_any_order(in_python) == _in_any_order(in_yaml)


def _in_any_order(spec: DagSpec) -> dict[str, Any]:
    """Saving one file after the other makes no new version: the order of tasks has no meaning."""
    said = spec.model_dump()
    return said | {"tasks": sorted(said["tasks"], key=lambda task: str(task["id"]))}


@pytest.mark.parametrize(
    ("file", "conf", "state", "others"),
    [
        pytest.param(file, conf, state, others, id=f"{file.name}-{conf}")
        for stem, conf, state, others in ENDS
        for file in FILES
        if file.stem == stem
    ],
)
def test_a_pattern_ends_as_it_says(
    file: Path,
    conf: dict[str, Any],
    state: str,
    others: dict[str, str],
    around: dict[str, Any],
    settings: Settings,
) -> None:
    settings.SKYTRAIL_HTTP_ALLOWED = ["127.0.0.1"]
    for spec in _specs(file):
        result = run_dag(spec, conf=conf, logical_date=DAY, **around)
        assert result.state == state, result
        ended = {task: how for task, how in result.states.items() if how != "success"}
        assert ended == others, result


def test_each_pattern_is_in_the_list() -> None:
    listed = (PATTERNS / "README.md").read_text()
    for file in FILES:
        assert f"({file.name})" in listed, file.name
