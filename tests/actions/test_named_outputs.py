"""Outputs by name: one row each, one value together."""

from __future__ import annotations

from typing import Any

import pytest

from runs_app.domain.outcomes import Outcome
from runs_app.models import Output
from runs_app.selectors.outputs import outputs_of
from tests.conveyor import Conveyor, ends
from tests.factories import save_dag, start_run

pytestmark = pytest.mark.usefixtures("committing")

ROW = {"a": [], "b": ["a"]}


def named(value: dict[str, Any]) -> Outcome:
    return Outcome(state=Outcome.success().state, output=value, is_named=True)


def left(conveyor: Conveyor, outcome: Outcome, **fields: Any) -> Any:
    """What task `a` has left when it has ended so."""
    run = start_run(save_dag(ROW, **fields))
    conveyor.script = ends(a=outcome)
    conveyor.run()
    return outputs_of(run.pk, ["a"])


@pytest.mark.parametrize(
    "value", [{"rows": 3, "place": "/tmp/x"}, {"rows": None}, {}, {"é": {"deep": [1]}}]
)
def test_named_outputs_are_a_dict_of_them(conveyor: Conveyor, value: dict[str, Any]) -> None:
    assert left(conveyor, named(value)) == {"a": value}


def test_each_is_a_row(conveyor: Conveyor) -> None:
    left(conveyor, named({"rows": 3, "place": "/tmp/x"}))
    assert set(Output.objects.values_list("name", "value")) == {("rows", 3), ("place", "/tmp/x")}


@pytest.mark.parametrize("value", [0, "", [], {"rows": 3}, "x" * 100])
def test_what_is_not_parted_is_one_value(conveyor: Conveyor, value: Any) -> None:
    assert left(conveyor, Outcome.success(value)) == {"a": value}
    assert Output.objects.get().name == "return_value"


def test_a_task_that_fails_leaves_nothing(conveyor: Conveyor) -> None:
    failed = Outcome.failed("it broke", reason="exception")
    assert left(conveyor, failed) == {}


def test_of_a_mapped_task_a_list_of_them(conveyor: Conveyor) -> None:
    run = start_run(save_dag({"a": []}, tasks={"a": {"expand": {"n": [1, 2, 3]}, **PYTHON}}))

    def script(execution: Any) -> Outcome:
        if execution.is_expansion:
            return Outcome.expanded([{"n": 1}, {"n": 2}, {"n": 3}])
        if execution.map_index == 1:
            return Outcome.success()
        return named({"n": execution.map_index, "of": 3})

    conveyor.script = script
    conveyor.run()
    assert outputs_of(run.pk, ["a"]) == {"a": [{"n": 0, "of": 3}, None, {"n": 2, "of": 3}]}


PYTHON = {"type": "python", "callable": "tests.workers.chores.give"}
