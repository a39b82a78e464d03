"""Mapped tasks over real rows: expanded when their turn comes, one row for each instance."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from runs_app.actions.rerunning import BadSelection, clear
from runs_app.actions.waking import wake
from runs_app.domain.clearing import Selection
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.models import DagRun, Pool, TaskRun
from runs_app.selectors.outputs import outputs_of
from tests.conveyor import Conveyor, failing
from tests.factories import Graph, save_dag, start_run, states

pytestmark = pytest.mark.usefixtures("committing")

GRAPH: Graph = {"find": [], "work": ["find"], "join": ["work"]}
MAPPED: dict[str, Any] = {"work": {"expand": {"n": "{{ outputs.find }}"}}}


class Mapped:
    """What tasks do: `work` is expanded over `values`, and its instances end as told by index."""

    def __init__(self, *values: Any, **ends: Outcome) -> None:
        self.values = list(values)
        self.ends = ends
        self.seen: list[tuple[int, Any]] = []

    def __call__(self, execution: Execution) -> Outcome:
        if execution.is_expansion:
            return Outcome.expanded([{"n": value} for value in self.values])
        name = execution.task_id
        if execution.map_index >= 0:
            name = f"{name}{execution.map_index}"
            assert execution.map_values is not None
            self.seen.append((execution.map_index, execution.map_values["n"]))
        return self.ends.get(name, Outcome.success(name))


def instances(run: DagRun, task_id: str = "work") -> list[str]:
    """The states of the instances of a mapped task, in order."""
    rows = TaskRun.objects.filter(run=run, task_id=task_id, map_index__gte=0)
    return list(rows.order_by("map_index").values_list("state", flat=True))


def end_of(run: DagRun) -> str:
    run.refresh_from_db()
    return run.state


def test_a_mapped_task_becomes_one_instance_for_each_value(conveyor: Conveyor) -> None:
    script = conveyor.script = Mapped("a", "b", "c")
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    assert sorted(script.seen) == [(0, "a"), (1, "b"), (2, "c")]
    assert instances(run) == ["success"] * 3
    assert end_of(run) == "success"
    assert states(run)["join"] == "success"


def test_the_next_task_finds_the_outputs_in_the_order_of_the_values(conveyor: Conveyor) -> None:
    conveyor.script = Mapped("a", "b", "c", work1=Outcome.success(None))
    conveyor.shuffled, conveyor.choose = True, random.Random(3)
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    assert outputs_of(run.pk, ["work", "find"]) == {
        "work": ["work0", None, "work2"],
        "find": "find",
    }


def test_nothing_to_expand_over_skips_the_task_and_what_follows(conveyor: Conveyor) -> None:
    conveyor.script = Mapped()
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    assert states(run) == {"find": "success", "work": "skipped", "join": "skipped"}
    assert end_of(run) == "success"
    assert outputs_of(run.pk, ["work"]) == {"work": []}


def test_who_does_not_mind_a_skip_gets_an_empty_list(conveyor: Conveyor) -> None:
    conveyor.script = Mapped()
    run = start_run(
        save_dag(GRAPH, tasks={**MAPPED, "join": {"trigger_rule": "none_failed"}}),
    )
    conveyor.run()
    assert states(run) == {"find": "success", "work": "skipped", "join": "success"}


@pytest.mark.parametrize(
    ("rule", "ends", "join"),
    [
        ("all_success", {"work1": failing()}, "upstream_failed"),
        ("all_success", {"work1": Outcome.skipped("no")}, "skipped"),
        ("all_done", {"work1": failing()}, "success"),
        ("one_failed", {"work1": failing()}, "success"),
        ("one_failed", {}, "skipped"),
        ("one_success", {"work0": failing(), "work1": failing()}, "success"),
        ("all_failed", {"work0": failing(), "work1": failing(), "work2": failing()}, "success"),
        ("all_done_min_one_success", {"work0": failing()}, "success"),
        ("none_failed_min_one_success", {"work0": Outcome.skipped("no")}, "success"),
        ("none_skipped", {"work0": Outcome.skipped("no")}, "skipped"),
    ],
)
def test_trigger_rules_count_instances(
    conveyor: Conveyor, rule: str, ends: dict[str, Outcome], join: str
) -> None:
    conveyor.script = Mapped("a", "b", "c", **ends)
    run = start_run(save_dag(GRAPH, tasks=MAPPED | {"join": {"trigger_rule": rule}}))
    conveyor.run()
    assert states(run)["join"] == join


def test_an_instance_is_tried_again_by_itself(conveyor: Conveyor) -> None:
    again = MAPPED["work"] | {"retries": 1, "retry_delay_seconds": 0}
    script = conveyor.script = Mapped("a", "b", work1=failing())
    run = start_run(save_dag(GRAPH, tasks={"work": again}))
    conveyor.run()
    assert instances(run) == ["success", "up_for_retry"]
    script.ends.clear()

    wake()
    conveyor.run()
    assert [index for index, _ in script.seen] == [0, 1, 1]
    assert end_of(run) == "success"


def test_expanding_that_fails_fails_the_task(conveyor: Conveyor) -> None:
    def script(execution: Execution) -> Outcome:
        if execution.is_expansion:
            return Outcome.failed("no list", reason="cannot_expand", may_retry=False)
        return Outcome.success()

    conveyor.script = script
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    assert states(run) == {"find": "success", "work": "failed", "join": "upstream_failed"}
    assert end_of(run) == "failed"


def test_a_mapped_task_can_be_expanded_over_a_mapped_one(conveyor: Conveyor) -> None:
    graph: Graph = {"find": [], "work": ["find"], "more": ["work"], "join": ["more"]}
    conveyor.script = Mapped("a", "b")
    run = start_run(save_dag(graph, tasks=MAPPED | {"more": {"expand": {"n": [1, 2]}}}))
    conveyor.run()
    assert instances(run, "more") == ["success", "success"]
    assert end_of(run) == "success"


def test_a_mapped_task_at_the_start_of_a_run(conveyor: Conveyor) -> None:
    conveyor.script = Mapped("a", "b")
    run = start_run(save_dag({"work": []}, tasks={"work": {"expand": {"n": ["a", "b"]}}}))
    conveyor.run()
    assert instances(run) == ["success", "success"]
    assert end_of(run) == "success"


def test_instances_take_slots_and_their_expansion_none(conveyor: Conveyor) -> None:
    Pool.objects.create(name="db", slots=1)
    conveyor.script = Mapped("a", "b", "c")
    conveyor.held = {f"work[{index}]" for index in range(3)}
    run = start_run(save_dag(GRAPH, tasks={"work": MAPPED["work"] | {"pool": "db"}}))
    conveyor.run()
    assert sorted(instances(run)) == ["queued", "waiting", "waiting"]
    conveyor.held.clear()
    conveyor.run()
    assert end_of(run) == "success"


def test_cleared_with_fewer_values_the_surplus_is_removed(conveyor: Conveyor) -> None:
    script = conveyor.script = Mapped("a", "b", "c")
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    script.values = ["x", "y"]
    script.seen.clear()
    clear(run, Selection(task_ids=["find"]), actor="user:alice")
    conveyor.run()
    assert sorted(script.seen) == [(0, "x"), (1, "y")]
    assert instances(run) == ["success", "success", "removed"]
    assert end_of(run) == "success"
    assert outputs_of(run.pk, ["work"]) == {"work": ["work0", "work1"]}


def test_cleared_with_more_values_there_are_more(conveyor: Conveyor) -> None:
    script = conveyor.script = Mapped("a")
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    script.values = ["x", "y", "z"]
    clear(run, Selection(task_ids=["work"]), actor="user:alice")
    conveyor.run()
    assert instances(run) == ["success"] * 3
    assert end_of(run) == "success"


def test_cleared_and_then_not_reached_its_old_instances_are_removed(conveyor: Conveyor) -> None:
    script = conveyor.script = Mapped("a", "b")
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    script.ends["find"] = failing()
    clear(run, Selection(task_ids=["find"]), actor="user:alice")
    conveyor.run()
    assert states(run)["join"] == "upstream_failed"
    assert instances(run) == ["removed", "removed"]
    assert end_of(run) == "failed"


def test_one_instance_runs_again_with_what_follows(conveyor: Conveyor) -> None:
    script = conveyor.script = Mapped("a", "b", "c")
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    script.seen.clear()
    conveyor.started.clear()
    cleared = clear(run, Selection(task_ids=["work[1]"]), actor="user:alice")
    assert [row.name for row in cleared] == ["work[1]", "join"]
    conveyor.run()
    assert script.seen == [(1, "b")]
    assert [name for name, _ in conveyor.started] == ["work", "join"]
    assert end_of(run) == "success"


def test_only_the_instances_that_failed_run_again(conveyor: Conveyor) -> None:
    script = conveyor.script = Mapped("a", "b", "c", work1=failing())
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    script.ends.clear()
    script.seen.clear()
    cleared = clear(run, Selection(only_failed=True), actor="user:alice")
    assert [row.name for row in cleared] == ["work[1]", "join"]
    conveyor.run()
    assert script.seen == [(1, "b")]
    assert end_of(run) == "success"


def test_an_instance_that_is_not_there_is_refused(conveyor: Conveyor) -> None:
    conveyor.script = Mapped("a")
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    with pytest.raises(BadSelection) as caught:
        clear(run, Selection(task_ids=["find", "work[1]"]), actor="user:alice")
    (problem,) = caught.value.problems
    assert (problem.path, problem.code) == ("task_ids[1]", "no_such_instance")


@pytest.mark.parametrize("seed", range(8))
def test_a_thousand_messages_in_any_order_come_to_the_same(conveyor: Conveyor, seed: int) -> None:
    conveyor.shuffled, conveyor.choose = True, random.Random(seed)
    conveyor.script = Mapped(*range(12), work5=failing(), work7=Outcome.skipped("no"))
    graph: Graph = {**GRAPH, "early": ["work"], "late": ["join"]}
    rules = {"early": {"trigger_rule": "one_failed"}, "join": {"trigger_rule": "all_done"}}
    run = start_run(save_dag(graph, tasks=MAPPED | rules))
    conveyor.run()
    assert end_of(run) == "success"
    assert states(run) | {"work": ""} == {
        "find": "success",
        "work": "",
        "join": "success",
        "early": "success",
        "late": "success",
    }


def test_the_values_stand_in_the_row(conveyor: Conveyor) -> None:
    conveyor.script = Mapped({"deep": ["ü", None]})
    run = start_run(save_dag(GRAPH, tasks=MAPPED))
    conveyor.run()
    row = TaskRun.objects.get(run=run, map_index=0)
    assert json.loads(json.dumps(row.map_values)) == {"n": {"deep": ["ü", None]}}
