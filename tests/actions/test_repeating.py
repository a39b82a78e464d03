"""Clearing a range of runs, clearing with another conf, and repeating a run by a newer version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dags_app.actions import registration
from dags_app.domain.parse import parse
from dags_app.models import Dag, DagSource
from runs_app.actions import rerunning
from runs_app.actions.cancellation import cancel_run
from runs_app.actions.clearing_ranges import MOST, BadRange, RunCleared, clear_range
from runs_app.actions.repeating import repeat
from runs_app.actions.rerunning import BadSelection
from runs_app.domain.clearing import Selection
from runs_app.models import DagRun, TaskRun
from runs_app.selectors.invariants.examining import Scope, examine
from runs_app.selectors.invariants.terms import NO_TOLERANCE
from skytrail.errors import Invalid
from tests.conveyor import Conveyor, ends, failing
from tests.factories import document, save_dag, start_run, states

pytestmark = pytest.mark.usefixtures("committing")

ALL = Selection()


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def runs_on(dag: Dag, *days: int) -> list[DagRun]:
    return [start_run(dag, logical_date=day(number)) for number in days]


def cleared(
    dag: Dag, first: int, last: int, selection: Selection = ALL, **how: Any
) -> list[RunCleared]:
    return list(
        clear_range(dag, selection, from_date=day(first), to_date=day(last), actor="x", **how)
    )


# ---------------------------------------------------------------- a range of runs


def test_the_runs_of_a_stretch_are_cleared_in_the_order_of_their_dates(conveyor: Conveyor) -> None:
    dag = save_dag({"a": [], "b": ["a"]})
    runs = runs_on(dag, 3, 1, 2, 4)
    conveyor.run()
    found = cleared(dag, 1, 3)
    assert [each.run.logical_date for each in found] == [day(1), day(2), day(3)]
    assert all([task.name for task in each.tasks] == ["a", "b"] for each in found)
    conveyor.run()
    assert all(TaskRun.objects.get(run=run, task_id="b").attempt == 2 for run in runs[:3])
    assert TaskRun.objects.get(run=runs[3], task_id="b").attempt == 1
    assert examine(Scope(), tolerance=NO_TOLERANCE).breaches == []


def test_a_dry_run_says_just_what_the_real_one_does(conveyor: Conveyor) -> None:
    dag = save_dag({"a": [], "b": ["a"]})
    runs_on(dag, 1)
    conveyor.script = ends(b=failing())
    runs_on(dag, 2)
    conveyor.run()
    selection = Selection(only_failed=True)
    planned = cleared(dag, 1, 5, selection, dry_run=True)
    assert cleared(dag, 1, 5, selection, dry_run=True) == planned
    assert cleared(dag, 1, 5, selection) == planned
    assert any(each.tasks for each in planned)


def test_a_run_that_is_being_cancelled_is_passed_over(conveyor: Conveyor) -> None:
    dag = save_dag({"a": []})
    first, _ = runs_on(dag, 1, 2)
    conveyor.held.add("a")
    conveyor.run()
    from tests.actions.test_cancelling import claimed

    claimed(first, "a")
    cancel_run(first, actor="x")
    found = cleared(dag, 1, 2)
    assert "being cancelled" in found[0].passed_over
    assert found[1].passed_over == ""


def test_a_task_that_only_some_versions_have_is_history(conveyor: Conveyor) -> None:
    dag = save_dag({"a": []})
    runs_on(dag, 1)
    dag = save_dag({"a": [], "b": []})
    runs_on(dag, 2)
    conveyor.run()
    first, second = cleared(dag, 1, 2, Selection(task_ids=["b"]))
    assert "no task 'b'" in first.passed_over
    assert [task.name for task in second.tasks] == ["b"]
    with pytest.raises(BadSelection) as refused:
        cleared(dag, 1, 2, Selection(task_ids=["zzz"]))
    assert refused.value.problems[0].path == "task_ids[0]"


def test_dates_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(BadRange) as refused:
        cleared(save_dag({"a": []}), 2, 1)
    assert refused.value.problems[0].path == "from_date"
    assert MOST == 1_000


# ---------------------------------------------------------------- with another conf


def test_a_run_gets_another_conf_and_keeps_those_before(conveyor: Conveyor) -> None:
    dag = save_dag({"a": []}, params={"day": 1, "shop": "x"})
    run = start_run(dag, conf={"day": 5})
    conveyor.run()
    rerunning.clear(run, ALL, actor="user:alice", conf={"day": 6})
    run.refresh_from_db()
    assert run.conf == {"day": 6, "shop": "x"}
    (earlier,) = run.earlier_confs
    assert (earlier["conf"], earlier["changed_by"]) == ({"day": 5, "shop": "x"}, "user:alice")
    seen = []

    def look(execution: Any) -> Any:
        seen.append(execution.conf)
        return ends()(execution)

    conveyor.script = look
    conveyor.run()
    assert seen == [{"day": 6, "shop": "x"}]


def test_a_conf_that_does_not_suit_changes_nothing(conveyor: Conveyor) -> None:
    run = start_run(save_dag({"a": []}, params={"day": {"type": "integer", "default": 1}}))
    conveyor.run()
    with pytest.raises(Invalid):
        rerunning.clear(run, ALL, actor="x", conf={"day": "monday"})
    rerunning.clear(run, ALL, actor="x", conf={"day": 2}, dry_run=True)
    run.refresh_from_db()
    assert (run.conf, run.earlier_confs, states(run)) == ({"day": 1}, [], {"a": "success"})


# ---------------------------------------------------------------- by the newest version


def test_a_run_is_repeated_by_the_version_that_holds_now(conveyor: Conveyor) -> None:
    dag = save_dag({"a": []})
    old = start_run(dag, logical_date=day(1), conf={})
    conveyor.run()
    spec = parse(document({"a": [], "b": ["a"]}))
    registration.replace(dag=dag, spec=spec, author="x", source=DagSource.API)
    new = repeat(old, actor="user:alice")
    conveyor.run()
    assert states(new) == {"a": "success", "b": "success"}
    assert states(old) == {"a": "success"}
    assert (new.logical_date, new.version.number) == (day(1), 2)
    assert DagRun.objects.get(pk=new.pk).repeats == old
    assert examine(Scope(), tolerance=NO_TOLERANCE).breaches == []


def test_a_conf_that_the_new_version_does_not_take_is_named() -> None:
    dag = save_dag({"a": []}, params={"day": 1})
    old = start_run(dag, conf={"day": 5})
    spec = parse(document({"a": []}, params={"hour": {"type": "integer", "default": 1}}))
    registration.replace(dag=dag, spec=spec, author="x", source=DagSource.API)
    with pytest.raises(Invalid) as refused:
        repeat(old, actor="x")
    assert refused.value.problems[0].path == "conf.day"
    assert repeat(old, actor="x", conf={"hour": 2}).conf == {"hour": 2}
