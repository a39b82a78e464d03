"""C12: tasks that eat memory, fork, write without end, start daemons, and will not be stopped."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import psutil

from chaos.case import Case, Goal, at_most, exactly
from chaos.stage import Stage
from chaos.verdict import Findings
from chaos.waiting import Late
from chaos.work import Shapes, dag, script

#: What the processes that tasks leave behind sleep for: by this they are found.
_MARK = "86417"

_LOG_LIMIT = 1_048_576
#: Beyond the limit a log has the words about what is missing, and its end.
_LOG_LIMIT_WITH_END = _LOG_LIMIT + 65_536

#: By how much a process of a worker may grow while all this happens, in MiB.
_GROWTH = 64.0

_EAT = """exec python3 -c 'x = []
while len(x) < 128: x.append(bytearray(8 * 1048576))'"""

_BOMB_SIZE = 2**6 - 1
_BOMB = f"""\
bomb() {{
  if [ "$1" -gt 0 ]; then bomb $(($1 - 1)) & bomb $(($1 - 1)) & fi
  exec sleep {_MARK}
}}
bomb 5 3>&- & """

# The shell between ends, so that nobody knows whose child it is; nor does it know itself.
_DAEMON = f"(setsid env -i /bin/sh -c '(setsid sleep {_MARK} &) ; exit 0' 3>&- >/dev/null 2>&1 &)"

#: What each task is to come to, and why.
_ENDS = {
    "eats": ("failed", "out_of_memory"),
    "eats-in-python": ("failed", "out_of_memory"),
    "writes": ("success", "finished"),
    "writes-lines": ("success", "finished"),
    "writes-lines-in-python": ("success", "finished"),
    "forks": ("success", "finished"),
    "starts-a-daemon": ("success", "finished"),
}


def dags(shapes: Shapes) -> list[dict[str, Any]]:
    """The usual load; it is this module that triggers the others."""
    return shapes.mixed()


def _wild(stage: Stage) -> list[dict[str, Any]]:
    port = stage.grounds.witness.port
    megabytes = stage.options.times(1024, 128)
    lines = stage.options.times(10_000_000, 1_000_000)
    wild = [
        script("eats", _EAT, port=port, memory_limit_mb=64),
        {
            "id": "eats-in-python",
            "type": "python",
            "callable": "chaos.effects.eat",
            "memory_limit_mb": 64,
        },
        script("writes", f"head -c {megabytes}M /dev/zero | tr '\\0' x", port=port),
        script("writes-lines", f"yes 'one of very many lines' | head -n {lines}", port=port),
        {
            "id": "writes-lines-in-python",
            "type": "python",
            "callable": "chaos.effects.talk",
            "kwargs": {"lines": lines // 5},
        },
        script("forks", f"{_BOMB}\nsleep 0.5", port=port),
        script("starts-a-daemon", f"{_DAEMON}\nsleep 0.5", port=port),
    ]
    stubborn = [
        script(
            "will-not-stop",
            f"trap '' TERM INT\n{_DAEMON}\n{_BOMB}\nwhile true; do sleep 1; done",
            port=port,
        )
    ]
    return [dag("wild", wild), dag("stubborn", stubborn)]


def inject(stage: Stage) -> None:
    """All of it, a few times over, beside the usual load."""
    for document in _wild(stage):
        stage.save(document)
    stage.notes["left"] = []
    with _measuring(stage) as stage.notes["grown"]:
        for _ in range(stage.options.times(3, 1)):
            run = _trigger(stage, "wild")
            stubborn = _trigger(stage, "stubborn")
            _wait_for(stage, stubborn, "running", 60)
            stage.wait_until(
                lambda: len(_leftovers()) > _BOMB_SIZE,
                60,
                what="the stubborn task has started its swarm and its daemon",
            )
            with stage.client() as client:
                client.post(f"dags/stubborn/runs/{stubborn}/cancel").raise_for_status()
            _wait_for(stage, stubborn, "cancelled", 60)
            _wait_for(stage, run, "failed", 180)
            with contextlib.suppress(Late):
                stage.wait_until(lambda: not _leftovers(), 5, what="nothing is left")
            stage.notes["left"] += _leftovers()


def goals(found: Findings, stage: Stage) -> list[Goal]:
    """Each came to its end, workers are well, and nothing is left of it."""
    others = [run for run in found.runs if run.dag not in {"wild", "stubborn"}]
    not_well = [f"{run.dag}/{run.run_id}: {run.state}" for run in others if run.state != "success"]
    ends = {
        (task, state, reason)
        for task, state, reason in stage.rows(
            "SELECT DISTINCT t.task_id::text, a.state, a.reason FROM skytrail_attempt a"
            " JOIN skytrail_task_run t ON t.id = a.task_run_id"
            " JOIN skytrail_dag d ON d.id = t.dag_id WHERE d.dag_id = 'wild'"
        )
    }
    wanted = {(task, *end) for task, end in _ENDS.items()}
    grown: dict[str, float] = stage.notes["grown"]
    longest = stage.rows(
        "SELECT coalesce(max(bytes), 0)::float8 / 1024 FROM (SELECT sum(octet_length(text)) AS"
        " bytes FROM skytrail_log_chunk GROUP BY task_run_id, epoch) AS log"
    )[0][0]
    return [
        exactly("ends that were not to be", _spoken(ends - wanted), "none"),
        exactly("ends that did not come", _spoken(wanted - ends), "none"),
        exactly("other runs that did not succeed", ", ".join(not_well) or "none", "none"),
        exactly("processes left", ", ".join(stage.notes["left"]) or "none", "none"),
        at_most(
            "a worker's process grew by: most", max(grown.values(), default=None), _GROWTH,
            unit=" MiB",
        ),
        at_most("the longest log", longest, _LOG_LIMIT_WITH_END / 1024, unit=" KiB"),
    ]  # fmt: skip


def _spoken(ends: Collection[tuple[str, ...]]) -> str:
    return "; ".join(" ".join(end) for end in sorted(ends)) or "none"


def _trigger(stage: Stage, name: str) -> str:
    with stage.client() as client:
        answer = client.post(f"dags/{name}/runs", json={}).raise_for_status()
    return str(answer.json()["run_id"])


def _wait_for(stage: Stage, run: str, state: str, timeout: float) -> None:
    """Until a run, or for `running` its task, is in `state`."""

    def is_there() -> bool:
        if state == "running":
            query = stage.rows(
                "SELECT 1 FROM skytrail_task_run t JOIN skytrail_dag_run r ON r.id = t.run_id"
                " WHERE r.run_id = %s AND t.state = 'running'",
                run,
            )
        else:
            query = stage.rows(
                "SELECT 1 FROM skytrail_dag_run WHERE run_id = %s AND state = %s", run, state
            )
        return bool(query)

    stage.wait_until(is_there, timeout, what=f"run {run} is {state}")


def _leftovers() -> list[str]:
    return [
        str(process.info["pid"])
        for process in psutil.process_iter(["pid", "cmdline"])
        if _MARK in (process.info["cmdline"] or ())
    ]


@contextlib.contextmanager
def _measuring(stage: Stage) -> Iterator[dict[str, float]]:
    """By how much each process of the workers has grown at most, in MiB, by `label/pid`."""
    grown: dict[str, float] = {}
    first: dict[str, float] = {}
    stopping = threading.Event()
    workers = stage.workers()

    def measure() -> None:
        while not stopping.wait(0.1):
            for worker in workers:
                for pid, size in _sizes([worker.pid, *(one.pid for one in worker.pool())]):
                    name = f"{worker.label}/{pid}"
                    grown[name] = max(grown.get(name, 0.0), size - first.setdefault(name, size))

    thread = threading.Thread(target=measure, name="measuring", daemon=True)
    thread.start()
    try:
        yield grown
    finally:
        stopping.set()
        thread.join(timeout=10)


def _sizes(pids: Sequence[int]) -> Iterator[tuple[int, float]]:
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            yield pid, psutil.Process(pid).memory_info().rss / 1_048_576


CASE = Case(
    id="C12",
    title="Wild tasks",
    inject=inject,
    goals=goals,
    dags=dags,
    environment={"SKYTRAIL_LOG_LIMIT_BYTES": str(_LOG_LIMIT)},
    # Two runs end badly, as they are meant to.
    interferes=True,
    in_short=False,  # tests/workers/test_limits.py has it piece by piece
)
