"""C7: workers are cut off from Redis, from PostgreSQL, from both, one way, half-open.

Each for longer than a lease. Two workers are always spared, so that there is somebody to take over
what the others had; what they had has to be stopped before that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import LiteralString
from urllib.parse import urlsplit

from chaos.case import Case, Goal, at_most, exactly
from chaos.probe import back_at_work
from chaos.proxy import Proxy
from chaos.stage import Stage
from chaos.verdict import Findings, longest, p95
from chaos.work import Shapes, dag

_VICTIMS = ("w1", "w2")

#: So many leases a partition lasts: long enough for somebody else to have begun meanwhile.
_LASTS = 3

#: The DAG whose tasks take as long, and who executes them.
_HELD = "held"
_HOLDERS: LiteralString = """
SELECT DISTINCT t.worker FROM skytrail_task_run t JOIN skytrail_dag d ON d.id = t.dag_id
WHERE d.dag_id = %s AND t.state = 'running' AND t.started_at > now() - interval '3 seconds'
"""
_UNFINISHED: LiteralString = """
SELECT 1 FROM skytrail_task_run t JOIN skytrail_dag d ON d.id = t.dag_id
WHERE d.dag_id = %s AND t.finished_at IS NULL
"""

#: The way of each worker to each server.
_WAYS = {"DATABASE_URL": "PostgreSQL", "REDIS_URL": "Redis"}


@dataclass(frozen=True)
class _Partition:
    """What is cut, how, and whether executions may be lost by it."""

    kind: str
    ways: tuple[str, ...]
    cut: Callable[[Proxy], None]
    takes: str


_DATABASE, _REDIS = _WAYS
_PARTITIONS = (
    _Partition("cut off from both", (_DATABASE, _REDIS), Proxy.hold, "all"),
    _Partition("half-open to both", (_DATABASE, _REDIS), Proxy.forget, "all"),
    _Partition("cut off from PostgreSQL", (_DATABASE,), Proxy.hold, "all"),
    _Partition("cut off from Redis", (_REDIS,), Proxy.hold, "none"),
    _Partition(
        "PostgreSQL hears nothing", (_DATABASE,), lambda way: way.hold(down=False), "all"
    ),
    _Partition("PostgreSQL is not heard", (_DATABASE,), lambda way: way.hold(up=False), "all"),
    _Partition("half-open to PostgreSQL", (_DATABASE,), Proxy.forget, "all"),
    _Partition("refused by PostgreSQL", (_DATABASE,), Proxy.refuse, "all"),
    _Partition("Redis is not heard", (_REDIS,), lambda way: way.hold(up=False), "none"),
    _Partition("half-open to Redis", (_REDIS,), Proxy.forget, "none"),
)  # fmt: skip
#: In the short form: both at once, one for each victim.
_SHORT = 2


def environment_of(stage: Stage, label: str) -> Mapping[str, str]:
    """Each victim's own ways to the servers."""
    if label not in _VICTIMS:
        return {}
    straight = stage.environment()
    return {name: _through(_way(stage, label, name), straight[name]) for name in _WAYS}


def inject(stage: Stage) -> None:
    """Two at a time."""
    partitions = list(_PARTITIONS)
    if stage.options.short:
        partitions = partitions[:_SHORT]
    else:
        stage.random.shuffle(partitions)
    slow = stage.notes["back"] = {}
    _save_held(stage)
    for pair in zip(partitions[::2], partitions[1::2], strict=True):
        stage.rest(stage.options.lease / 5)
        _occupy(stage)
        _cut(stage, dict(zip(_VICTIMS, pair, strict=True)))
        back = back_at_work(stage, _VICTIMS, within=_BACK_WITHIN)
        slow.update(
            {
                f"{label} after {one.kind}": back.get(label)
                for label, one in zip(_VICTIMS, pair, strict=True)
            }
        )


#: Seconds within which a worker has to work again when the way is open.
_BACK_WITHIN = 30.0


def _save_held(stage: Stage) -> None:
    """Tasks that would go on beside their successors if nobody stopped them."""
    port, seconds = stage.grounds.witness.port, _LASTS * stage.options.lease
    shapes = Shapes(stage.random, port, long=seconds)
    tasks = [
        shapes.task(f"t{place}", seconds=seconds, kind=kind)
        for place, kind in enumerate(["bash", "python"] * 4)
    ]
    stage.save(dag(_HELD, tasks))


def _occupy(stage: Stage) -> None:
    """Has each victim execute a task that takes long.

    Who gets a task is chance: where the others were quicker and all of it has ended, once more.
    """
    with stage.client() as client:

        def are_at_work() -> bool:
            at_work = {row[0].partition("@")[0] for row in stage.rows(_HOLDERS, _HELD)}
            if set(_VICTIMS) <= at_work:
                return True
            if not stage.rows(_UNFINISHED, _HELD):
                client.post(f"dags/{_HELD}/runs", json={}).raise_for_status()
            return False

        stage.wait_until(are_at_work, 180, what="all who are to be cut off are at work")


def _cut(stage: Stage, pairs: Mapping[str, _Partition]) -> None:
    ways = [
        (_way(stage, label, name), partition.cut)
        for label, partition in pairs.items()
        for name in partition.ways
    ]
    with contextlib.ExitStack() as faults:
        for label, partition in pairs.items():
            faults.enter_context(stage.during(partition.kind, label, takes=partition.takes))
        try:
            for way, cut in ways:
                cut(way)
            stage.rest(_LASTS * stage.options.lease)
        finally:
            for way, _ in ways:
                way.open()


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """Nobody works beside his successor, and everybody works again afterwards."""
    kinds = [partition.kind for partition in _PARTITIONS if partition.takes == "all"]
    taken_over = [seconds for kind in kinds for seconds in found.noticed[kind]]
    begun_again = longest([seconds for kind in kinds for seconds in found.recovered[kind]])
    idle = [what for what, seconds in stage.notes["back"].items() if seconds is None]
    return [
        exactly("executions that went on beside their successor", len(found.overlaps), 0),
        Goal("taken over", str(len(taken_over)), "> 0", bool(taken_over)),
        # When it begins again is a matter of free slots too: half of the workers are away.
        at_most(
            f"taken over (and begun again after {begun_again or 0:.1f} s at most): p95",
            p95(taken_over),
            stage.options.lease + 10,
        ),
        exactly("workers that did not come back", "; ".join(idle) or "none", "none"),
        at_most(
            "a worker was back at work: longest",
            longest([seconds for seconds in stage.notes["back"].values() if seconds is not None]),
            _BACK_WITHIN,
        ),
    ]


def _way(stage: Stage, label: str, name: str) -> Proxy:
    ways: dict[tuple[str, str], Proxy] = stage.notes.setdefault("ways", {})
    if (label, name) not in ways:
        port = urlsplit(stage.environment()[name]).port
        assert port is not None
        ways[label, name] = stage.stack.enter_context(
            Proxy(port, port=stage.grounds.port(f"{label}'s way to {_WAYS[name]}"))
        )
    return ways[label, name]


def _through(way: Proxy, url: str) -> str:
    parts = urlsplit(url)
    who, _, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{who}@127.0.0.1:{way.port}").geturl()


CASE = Case(
    id="C7",
    title="Partitions",
    inject=inject,
    goals=goals,
    workers=4,
    environment_of=environment_of,
)
