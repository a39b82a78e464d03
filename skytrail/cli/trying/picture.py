"""A local run as the tree, and as JSON, show it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from runs_app.domain.planner import rollup
from runs_app.domain.states import POKING, RunState, TaskState
from skytrail.cli.tree import RunShown, TaskShown, TryShown, why_not
from workers.local.ledger import Ledger, LocalTask, Try

#: More of a log is shown where something failed.
_LINES_OF_FAILED = 20


def picture_of(ledger: Ledger, *, began: float, longest_wait: float) -> RunShown:
    """The run as it stands; `began` by `time.monotonic()`."""
    tasks = [task for task in ledger.in_order() if task.map_index < 0]
    return RunShown(
        name=ledger.spec.name,
        state=ledger.state,
        took=time.monotonic() - began,
        tasks=[_shown(ledger, task, began, longest_wait) for task in tasks],
    )


def _shown(ledger: Ledger, task: LocalTask, began: float, longest_wait: float) -> TaskShown:
    tries = [each for each in task.tries if each is task.tries[-1] or each.state not in POKING]
    is_broken = task.state is TaskState.FAILED
    instances = _instances(ledger, task)
    return TaskShown(
        name=task.name,
        state=_state_of(task, instances),
        began=task.tries[0].began - began if tries else None,
        took=took(ledger, task),
        tries=[
            TryShown(each.number, each.state, said_of(task, each, longest_wait=longest_wait))
            for each in tries
        ],
        why=why(ledger, task) if task.state.is_final else "",
        log=task.tries[-1].transcript.text if tries else "",
        **({"log_lines": _LINES_OF_FAILED} if is_broken else {}),
        output=task.output,
        group=task.spec.group if task.map_index < 0 else None,
        instances=[_shown(ledger, instance, began, longest_wait) for instance in instances],
    )


def said_of(task: LocalTask, each: Try, *, longest_wait: float) -> str:
    """What is to be said of one of its tries: what went wrong, and when it goes on."""
    if each is not task.tries[-1] or task.wake_at is None or task.wake_after is None:
        return each.message
    again = f"again in {task.wake_after:.4g} s"
    if task.wake_after > longest_wait:
        again += f", here in {longest_wait:g} s" if longest_wait else ", here at once"
    return f"{each.message}; {again}" if each.message else again


def _instances(ledger: Ledger, task: LocalTask) -> list[LocalTask]:
    return ledger.instances(task.position) if task.map_index < 0 else []


def _state_of(task: LocalTask, instances: list[LocalTask]) -> TaskState:
    """Of a mapped task what its instances have come to, all together."""
    states = {instance.state for instance in instances}
    if not states or len(states) == 1:
        return next(iter(states), task.state)
    if not all(state.is_final for state in states):
        return TaskState.RUNNING
    good = rollup(states) is RunState.SUCCESS
    return TaskState.SUCCESS if good else TaskState.FAILED


def took(ledger: Ledger, task: LocalTask) -> float | None:
    """How long it took from its first beginning to its end, in seconds; so far, if it goes on.

    Of a mapped task all of it.
    """
    tries = [each for one in (task, *_instances(ledger, task)) for each in one.tries]
    if not tries:
        return None
    now = time.monotonic()
    return max(now if each.ended is None else each.ended for each in tries) - tries[0].began


def why(ledger: Ledger, task: LocalTask) -> str:
    """Why a task that is over never began."""
    nodes = ledger.graph.nodes
    before = [ledger.tasks[position] for position in nodes[task.position].upstream]
    return why_not(
        (
            (
                each.name,
                each.state,
                None if each.chosen is None else [nodes[place].task_id for place in each.chosen],
            )
            for each in before
        ),
        task.spec.id,
    )


def record_of(ledger: Ledger) -> dict[str, Any]:
    """The run with its tasks, as JSON has it."""
    facts = ledger.facts
    return {
        "dag_id": ledger.spec.name,
        "run_id": facts.run_id,
        "state": ledger.state,
        "logical_date": facts.logical_date and facts.logical_date.isoformat(),
        "conf": facts.conf,
        "tasks": [task_record(ledger, task) for task in ledger.in_order()],
    }


def task_record(ledger: Ledger, task: LocalTask) -> dict[str, Any]:
    """A task with its tries."""
    return {
        "task_id": task.spec.id,
        "map_index": task.map_index,
        **({} if task.map_values is None else {"map_values": task.map_values}),
        "state": task.state,
        "attempt": task.attempt,
        "max_attempts": task.spec.retries + 1,
        "seconds": None if (seconds := took(ledger, task)) is None else round(seconds, 3),
        "output": ledger.output_of(task),
        "error": _error_of(task),
        "log": "".join(each.transcript.text for each in task.tries),
    }


def _error_of(task: LocalTask) -> Mapping[str, Any] | None:
    last: Try | None = task.tries[-1] if task.tries else None
    if last is None or not last.reason or task.state is TaskState.SUCCESS:
        return None
    return {"reason": last.reason, "message": last.message, "exit_code": last.exit_code}
