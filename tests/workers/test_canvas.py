from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from celery import Celery, Signature
from hypothesis import given
from hypothesis import strategies as st

from runs_app.dispatching import Consignment, Ticket
from runs_app.domain.blocks import Block, Fork, Stretch
from runs_app.domain.graph import Step
from workers import names
from workers.broker import canvas

APP = Celery("tests", set_as_current=False)
RUN = UUID(int=1)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """Any block that the planner may cut; each position is in it once."""
    count = 0

    def position() -> int:
        nonlocal count
        count += 1
        return count - 1

    def stretch(depth: int) -> Stretch:
        steps: list[int | Fork] = [position()]
        for _ in range(draw(st.integers(0, 2))):
            if depth and draw(st.booleans()):
                width = draw(st.integers(2, 3))
                steps.append(Fork(tuple(stretch(depth - 1) for _ in range(width))))
            steps.append(position())
        return tuple(steps)

    stretches = tuple(stretch(2) for _ in range(draw(st.integers(1, 4))))
    return Block(stretches, draw(st.none() | st.just((99,)) | st.just(())))


def tickets(block: Block) -> dict[Step, Ticket]:
    return {
        position: Ticket(UUID(int=1000 + position), position + 1, "default", 0, f"story.{position}")
        for position in block.steps()
        if isinstance(position, int)
    }


def made_of(block: Block) -> Signature:
    ((same, signature),) = canvas.canvases(Consignment(RUN, [block], tickets(block)), app=APP)
    assert same is block
    return signature


def tasks_in(signature: Any) -> Iterator[Any]:
    """Every plain task of a canvas."""
    match signature.get("subtask_type"):
        case "chain":
            inner = signature.tasks
        case "group":
            inner = signature.tasks
        case "chord":
            inner = [*signature.tasks, signature.body]
        case _:
            yield signature
            return
    for one in inner:
        yield from tasks_in(one)


@given(blocks())
def test_every_task_is_sent_once_and_the_dispatch_comes_once(block: Block) -> None:
    sent = list(tasks_in(made_of(block)))
    runs = [task.args for task in sent if task.task == names.RUN]
    expected = [(str(t.task_run_id), t.epoch) for t in tickets(block).values()]
    assert sorted(map(tuple, runs)) == sorted(expected)
    ends = [task for task in sent if task.task == names.DISPATCH]
    towards = None if block.towards is None else list(block.towards)
    assert [list(end.args) for end in ends] == [[str(RUN), towards]]
    assert ends[0].options["queue"] == names.DISPATCH_QUEUE


@given(blocks())
def test_all_of_it_is_immutable_and_its_ids_are_its_own(block: Block) -> None:
    runs = [task for task in tasks_in(made_of(block)) if task.task == names.RUN]
    assert all(task.immutable for task in runs)
    assert len({task.options["task_id"] for task in runs}) == len(runs)


def shape(signature: Any) -> Any:
    """A canvas as tuples for chains, sets for what runs side by side, positions, and "end"."""
    match signature.get("subtask_type"):
        case "chain":
            return tuple(part for one in signature.tasks for part in as_steps(shape(one)))
        case "group":
            return frozenset(shape(one) for one in signature.tasks)
        case "chord":
            header = frozenset(shape(one) for one in signature.tasks)
            return (header, *as_steps(shape(signature.body)))
    return "end" if signature.task == names.DISPATCH else signature.args[1] - 1


def as_steps(inner: Any) -> tuple[Any, ...]:
    return inner if isinstance(inner, tuple) else (inner,)


def expected_shape(stretch: Stretch) -> Any:
    steps = tuple(
        frozenset(expected_shape(branch) for branch in step.branches)
        if isinstance(step, Fork)
        else step
        for step in stretch
    )
    return steps if len(steps) > 1 else steps[0]


@given(blocks())
def test_chains_and_chords_are_where_stretches_and_forks_are(block: Block) -> None:
    if len(block.stretches) == 1:
        expected: Any = (*as_steps(expected_shape(block.stretches[0])), "end")
    else:
        expected = (frozenset(expected_shape(stretch) for stretch in block.stretches), "end")
    assert shape(made_of(block)) == expected


def test_priorities_are_redis_own_the_lowest_first() -> None:
    block = Block(((0, 1, 2),), ())
    priorities = {0: -3, 1: 0, 2: 7}
    consignment = Consignment(
        RUN,
        [block],
        {p: Ticket(UUID(int=p), 1, f"q{p}", priorities[p], "x") for p in (0, 1, 2)},
    )
    ((_, signature),) = canvas.canvases(consignment, app=APP)
    options = [task.options for task in tasks_in(signature)][:3]
    assert [option["priority"] for option in options] == [9, 5, 0]
    assert [option["queue"] for option in options] == ["q0", "q1", "q2"]
