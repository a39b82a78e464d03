"""C15: a DAG of 10,000 tasks, a fan of 5,000 with a join, a long chain, 1,000 DAGs at once."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import redis

from chaos import messages, timing
from chaos.case import Case, Goal, at_most, exactly
from chaos.load import Triggered
from chaos.probe import PING
from chaos.stage import Stage
from chaos.verdict import Findings, Spread, longest
from chaos.waiting import Late
from chaos.work import Shapes, dag

#: Seconds for a transaction that plans a run, and what Redis may need in all, in MiB.
_PLANNED_WITHIN = 0.5
_MEMORY = 64.0
#: In KiB: a stretch's message carries what is left of it, some 450 bytes for each of 50 steps.
_LARGEST = 24.0

#: How long each of the three may take, in seconds.
_PATIENCE = 300.0


def dags(shapes: Shapes) -> list[dict[str, Any]]:
    """The load beside it: one small task, now and then."""
    return [dag(PING, [shapes.task("answer", seconds=0.05)])]


def _layers(count: int, width: int) -> dict[str, Any]:
    """Each task but those of the first layer waits for two of the layer before."""
    return dag(
        "layers",
        [
            _empty(
                f"l{layer}t{place}",
                [f"l{layer - 1}t{place}", f"l{layer - 1}t{(place + 1) % width}"] if layer else [],
            )
            for layer in range(count)
            for place in range(width)
        ],
    )


def _fan(width: int) -> dict[str, Any]:
    sides = [_empty(f"t{place}", ["first"]) for place in range(width)]
    return dag(
        "wide", [_empty("first", []), *sides, _empty("join", [side["id"] for side in sides])]
    )


def _chain(length: int) -> dict[str, Any]:
    """Cut into stretches, whose first messages are the largest there are."""
    tasks = [_empty(f"t{place}", [f"t{place - 1}"] if place else []) for place in range(length)]
    return dag("long", tasks)


def _small(number: int) -> dict[str, Any]:
    return dag(f"small-{number}", [_empty("a", []), _empty("b", ["a"]), _empty("c", ["b"])])


def _empty(name: str, after: list[str]) -> dict[str, Any]:
    return {"id": name, "type": "empty", "depends_on": after}


def inject(stage: Stage) -> None:
    """One after the other; each has the workers to itself, but for the load."""
    times = stage.notes["times"] = {}
    layers, width, fan, small = (
        stage.options.times(full, short)
        for full, short in ((100, 10), (100, 50), (5000, 500), (1000, 50))
    )
    with _measuring(stage) as stage.notes["memory"]:
        for what, documents in (
            (f"{layers * width} tasks", [_layers(layers, width)]),
            (f"a fan of {fan}", [_fan(fan)]),
            ("a chain of 200", [_chain(200)]),
            (f"{small} DAGs", [_small(number) for number in range(small)]),
        ):
            began = time.monotonic()
            names = _save(stage, documents)
            times[f"saving {what}"] = time.monotonic() - began
            began = time.monotonic()
            _trigger(stage, names)
            with contextlib.suppress(Late):  # what has not ended by then is found lost
                stage.wait_until(lambda names=names: _ended(stage, names), _PATIENCE, what=what)  # type: ignore[misc]
            times[what] = time.monotonic() - began
    stage.notes["largest"] = messages.largest(stage.grounds.valkey.url)


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """Nothing holds a lock for long, and nothing is large."""
    planned = timing.seconds(stage.folder)
    spread = Spread.of(planned)
    told = (
        f"{spread.count} transactions, p50 {spread.p50 * 1000:.0f} ms, "
        f"p95 {spread.p95 * 1000:.0f} ms"
        if spread
        else "none"
    )
    taken = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in stage.notes["times"].items())
    return [
        Goal("times, from the first trigger to the last end", taken, "–", met=True),
        at_most(f"planning ({told}): longest", longest(planned), _PLANNED_WITHIN),
        at_most("the largest message", stage.notes["largest"] / 1024, _LARGEST, unit=" KiB"),
        at_most("Redis grew by: most", max(stage.notes["memory"]), _MEMORY, unit=" MiB"),
        exactly("executed again", found.repeated + found.handed_over, 0),
    ]


def _save(stage: Stage, documents: list[dict[str, Any]]) -> list[str]:
    with stage.client() as client:
        client.timeout = _PATIENCE
        for document in documents:
            client.post("dags", json=document).raise_for_status()
    return [document["name"] for document in documents]


def _trigger(stage: Stage, names: list[str]) -> None:
    with stage.client() as client:
        client.timeout = _PATIENCE
        for name in names:
            answer = client.post(f"dags/{name}/runs", json={}).raise_for_status()
            stage.load.triggered.append(Triggered(name, answer.json()["run_id"]))


def _ended(stage: Stage, names: list[str]) -> bool:
    rows = stage.rows(
        "SELECT count(*) FROM skytrail_dag_run r JOIN skytrail_dag d ON d.id = r.dag_id"
        " WHERE d.dag_id = ANY (%s) AND r.finished_at IS NOT NULL",
        names,
    )
    return bool(rows) and rows[0][0] == len(names)


@contextlib.contextmanager
def _measuring(stage: Stage) -> Iterator[list[float]]:
    """By how much Redis has grown, again and again, in MiB."""
    stopping = threading.Event()
    client: Any = redis.Redis.from_url(stage.grounds.valkey.url)
    first = client.info("memory")["used_memory"]
    grown = [0.0]

    def measure() -> None:
        while not stopping.wait(0.05):
            grown.append((client.info("memory")["used_memory"] - first) / 1_048_576)

    thread = threading.Thread(target=measure, name="measuring", daemon=True)
    thread.start()
    try:
        yield grown
    finally:
        stopping.set()
        thread.join(timeout=10)
        client.close()


CASE = Case(
    id="C15",
    title="Big",
    inject=inject,
    goals=goals,
    dags=dags,
    environment={messages.VARIABLE: messages.MEASURED, timing.VARIABLE: "on"},
    patience=300.0,
    # What is big is measured by the full form; the benchmarks have the speeds.
    in_short=False,
)
