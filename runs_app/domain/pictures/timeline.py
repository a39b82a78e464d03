"""The runs of many DAGs over time: what was going on, and in which lanes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from runs_app.domain.pictures.scale import WIDTH
from runs_app.domain.states import RunState

#: Parts that the span is cut into to show how much was going on.
SLICES = 96

#: From the bottom to the top of a slice.
STACK = (RunState.FAILED, RunState.CANCELLED, RunState.QUEUED, RunState.RUNNING, RunState.SUCCESS)

#: No bar is narrower: it could be neither seen nor hit.
NARROWEST = 2.0


class Span(NamedTuple):
    """A run, or several at the same place; `x` and `until` are from 0 to `WIDTH`."""

    run_id: str
    state: str
    x: float
    until: float
    runs: int = 1


class DagRuns(NamedTuple):
    """What a DAG has run: how often, how often in vain, and when."""

    dag_id: str
    runs: int
    failed: int
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class Bar:
    """A run in its lane, or several of the same state that are too close to be told apart."""

    x: float
    width: float
    state: str
    run_id: str
    count: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A DAG's runs."""

    dag_id: str
    bars: list[Bar]
    runs: int
    failed: int


@dataclass(frozen=True, slots=True)
class Block:
    """How many runs were in a state during a slice; `y` and `height` in runs, from the top."""

    x: float
    width: float
    y: float
    height: float
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """All of it. `peak` is the height of the stack of blocks, in runs."""

    lanes: list[Lane]
    blocks: list[Block]
    peak: int
    counts: list[tuple[str, int]]
    left_out: int


def timeline(
    dags: Sequence[DagRuns],
    *,
    slices: Mapping[tuple[int, str], int],
    counts: Mapping[str, int],
    left_out: int = 0,
) -> Timeline:
    """The chart of `dags`, in their order.

    `slices` has how many runs of all DAGs were under way in a slice, by the state that they have
    come to; `counts` how many there are of each state.
    """
    blocks, peak = _blocks(slices)
    return Timeline(
        lanes=[Lane(dag.dag_id, _bars(dag.spans), dag.runs, dag.failed) for dag in dags],
        blocks=blocks,
        peak=peak,
        counts=[(state, counts[state]) for state in reversed(STACK) if counts.get(state)],
        left_out=left_out,
    )


def _bars(spans: Sequence[Span]) -> list[Bar]:
    bars: list[Bar] = []
    for span in sorted(spans, key=lambda span: span.x):
        width = max(span.until - span.x, NARROWEST)
        x = min(span.x, WIDTH - width)
        last = bars[-1] if bars else None
        if last and last.state == span.state and x <= last.x + last.width and width < 2 * NARROWEST:
            # Too close to be told apart.
            bars[-1] = replace(
                last,
                width=round(max(last.width, x + width - last.x), 1),
                run_id=span.run_id,
                count=last.count + span.runs,
            )
        else:
            bars.append(Bar(round(x, 1), round(width, 1), span.state, span.run_id, span.runs))
    return bars


def _blocks(slices: Mapping[tuple[int, str], int]) -> tuple[list[Block], int]:
    """How many runs were under way in each slice."""
    stacks: dict[int, Counter[str]] = defaultdict(Counter)
    for (place, state), count in slices.items():
        stacks[place][state] += count
    peak = max((counts.total() for counts in stacks.values()), default=0)
    width = WIDTH / SLICES
    blocks = []
    for place, counts in sorted(stacks.items()):
        top = float(peak)
        for state in STACK:
            if count := counts[state]:
                top -= count
                x = round(place * width, 2)
                blocks.append(Block(x, round(width - 1, 2), top, count, state, count))
    return blocks, peak
