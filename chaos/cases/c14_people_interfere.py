"""C14: twenty times a second somebody cancels or clears something, while workers are killed."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random
from typing import Any

from chaos.case import Case, Goal, exactly
from chaos.cases import c01_killed_workers
from chaos.load import Triggered
from chaos.stage import Stage
from chaos.verdict import Findings

#: Operations a second.
_RATE = 20.0

#: Of the runs that were triggered, the last so many are interfered with.
_RECENT = 15


class Fuzz:
    """A person with many hands, in a thread."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._random = Random(stage.random.getrandbits(64))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fuzz", daemon=True)
        #: How often each status was answered; 0 is no answer.
        self.answers: Counter[int] = Counter()

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends."""
        self._stopping.set()
        self._thread.join(timeout=60)

    def _run(self) -> None:
        load = self._stage.load
        with self._stage.client() as client:
            while not self._stopping.wait(1 / _RATE):
                if not load.triggered:
                    continue
                run = self._random.choice(load.triggered[-_RECENT:])
                path, body = self._operation(run)
                answer = load.call(client, "POST", path, json=body)
                self.answers[0 if answer is None else answer.status_code] += 1

    def _operation(self, run: Triggered) -> tuple[str, dict[str, Any]]:
        address = f"dags/{run.dag}/runs/{run.run_id}"
        task = self._random.choice(_TASKS[run.dag])
        operations: list[tuple[str, dict[str, Any]]] = [
            (f"{address}/cancel", {}),
            (f"{address}/tasks/{task}/cancel", {}),
            (f"{address}/clear", {"task_ids": [task], "downstream": True}),
            (f"{address}/clear", {"only_failed": True}),
            (f"{address}/clear", {}),
        ]
        return self._random.choices(operations, weights=[1, 5, 5, 3, 1])[0]


#: A few tasks of each shape of the load.
_TASKS = {
    "chain": ["t0", "t5", "t19"],
    "fan": ["t0", "t49", "join"],
    "diamonds": ["d0a", "d1b1", "d2c"],
    "retries": ["once", "twice", "end"],
    "slow": ["shell", "python", "end"],
}


def inject(stage: Stage) -> None:
    """C1's faults, and the people."""
    fuzz = Fuzz(stage)
    fuzz.start()
    try:
        c01_killed_workers.kill_workers(stage, stage.options.times(4, 2))
    finally:
        fuzz.stop()
    stage.notes["answers"] = fuzz.answers
    stage.note("operations", f"{fuzz.answers.total()}", takes="none")


def goals(_found: Findings, stage: Stage) -> list[Goal]:
    """The API has an answer to everything: done, or why not."""
    answers: Counter[int] = stage.notes["answers"]
    bad = {status: count for status, count in answers.items() if status == 0 or status >= 500}
    done = sum(count for status, count in answers.items() if 200 <= status < 300)
    return [
        exactly("answers that are none", bad, {}),
        Goal("operations that changed something", str(done), "> 0", done > 0),
    ]


CASE = Case(
    id="C14",
    title="People cancel and clear meanwhile",
    inject=inject,
    goals=goals,
    interferes=True,
    in_short=False,
)
