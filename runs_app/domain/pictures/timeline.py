"""The runs of many DAGs over time: what was going on, and in which lanes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from runs_app.domain.pictures.scale import WIDTH, Scale
from runs_app.domain.states import RunState

#: Parts that the span is cut into to show how much was going on.
SLICES = 96

#: From the bottom to the top of a slice.
STACK = (RunState.FAILED, RunState.CANCELLED, RunState.QUEUED, RunState.RUNNING, RunState.SUCCESS)

#: No bar is narrower: it could be neither seen nor hit.
NARROWEST = 2.0


class Span(NamedTuple):
    """A run: when it began and ended (None: not yet)."""

    dag_id: str
    run_id: str
    state: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Bar:
    """A run in its lane, or several of the same state that are too close to be told apart."""

    x: float
    width: float
    state: str
    run_id: str
    count: int
    start: datetime
    end: datetime | None


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

    scale: Scale
    lanes: list[Lane]
    blocks: list[Block]
    peak: int
    left_out: int = 0
    counts: list[tuple[str, int]] = field(default_factory=list)


def timeline(spans: Sequence[Span], *, scale: Scale, most: int) -> Timeline:
    """The chart of `spans`: `most` lanes, of the DAGs that failed first, then of the busiest."""
    of_dag: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        of_dag[span.dag_id].append(span)
    shown = sorted(of_dag, key=lambda dag_id: _urgency(of_dag[dag_id], scale))[:most]
    blocks, peak = _blocks(spans, scale)
    counted = Counter(span.state for span in spans)
    return Timeline(
        scale=scale,
        lanes=[_lane(dag_id, of_dag[dag_id], scale) for dag_id in shown],
        blocks=blocks,
        peak=peak,
        left_out=len(of_dag) - len(shown),
        counts=[(state, counted[state]) for state in reversed(STACK) if counted[state]],
    )


def _urgency(spans: Sequence[Span], scale: Scale) -> tuple[int, float, str]:
    failed = sum(span.state == RunState.FAILED for span in spans)
    busy = sum(scale.at(span.end or scale.end) - scale.at(span.start) for span in spans)
    return -failed, -busy, spans[0].dag_id


def _lane(dag_id: str, spans: Sequence[Span], scale: Scale) -> Lane:
    bars: list[Bar] = []
    for span in sorted(spans, key=lambda span: span.start):
        x = scale.at(span.start)
        width = max(scale.at(span.end or scale.end) - x, NARROWEST)
        x = min(x, WIDTH - width)
        last = bars[-1] if bars else None
        if last and last.state == span.state and x <= last.x + last.width and width < 2 * NARROWEST:
            # Too close to be told apart.
            width = max(last.width, x + width - last.x)
            bars[-1] = Bar(
                last.x,
                round(width, 2),
                last.state,
                span.run_id,
                last.count + 1,
                last.start,
                span.end,
            )
        else:
            bars.append(Bar(x, round(width, 2), span.state, span.run_id, 1, span.start, span.end))
    failed = sum(span.state == RunState.FAILED for span in spans)
    return Lane(dag_id, bars, len(spans), failed)


def _blocks(spans: Sequence[Span], scale: Scale) -> tuple[list[Block], int]:
    """How many runs were under way in each slice, by the state that they have come to."""
    slices: list[Counter[str]] = [Counter() for _ in range(SLICES)]
    for span in spans:
        first = min(int(scale.at(span.start) / WIDTH * SLICES), SLICES - 1)
        last = min(int(scale.at(span.end or scale.end) / WIDTH * SLICES), SLICES - 1)
        for place in range(first, last + 1):
            slices[place][span.state] += 1
    peak = max((counts.total() for counts in slices), default=0)
    width = WIDTH / SLICES
    blocks = []
    for place, counts in enumerate(slices):
        top = float(peak)
        for state in STACK:
            if count := counts[state]:
                top -= count
                blocks.append(
                    Block(round(place * width, 2), round(width - 1, 2), top, count, state, count)
                )
    return blocks, peak
