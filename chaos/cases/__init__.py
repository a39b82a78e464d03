"""The cases, each in a file of its own that defines `CASE`. All files here are found by themselves.

    from chaos.case import Case, Goal, at_most
    from chaos.stage import Stage
    from chaos.verdict import Findings, p95

    def inject(stage: Stage) -> None:
        for _ in range(stage.options.times(20, 3)):  # in the full form, in the short one
            worker = stage.random.choice(stage.workers())  # chance comes from here: from the seed
            stage.note("worker killed", worker.label)  # right before the fault: the watch starts
            worker.kill()
            stage.rest(stage.random.uniform(0, 2))  # a time, because faults and pauses have one
            worker.start()  # as it was started before
            stage.wait_for_workers()  # for facts there is stage.wait_until(fact, seconds, what=…)

    def goals(found: Findings, stage: Stage) -> list[Goal]:
        times = found.recovered["worker killed"]
        return [at_most("recovery: p95", p95(times), stage.options.lease + 10)]

    CASE = Case(id="C99", title="Workers are killed", inject=inject, goals=goals)

`inject` runs in the main thread while the load triggers runs; when it returns, the load stops, and
the suite waits until every run has ended (`patience`, `patience_leases`). Then come the usual goals
(nothing lost, nothing beyond the contract, no false alarm, all zombies refused, no process ended by
itself, invariants hold), and after them the case's own.

- `stage.note(kind, target, takes=…)` says which losses a fault explains: `"all"` executions of the
  worker `target` ("*": of all workers), `"one"` of them, or `"none"`. Every loss that no fault
  explains is a false alarm. A fault that lasts is injected within `with stage.during(…):`.
- `stage.parts` are the processes ("web", "d1", "b1", "w1"): `kill`, `kill_group`, `terminate`,
  `stop`, `halted()`, `pool()`, `family()`, `start`. One that ends unasked for is a finding, and is
  started again.
- `stage.grounds.postgres` and `.valkey` are servers: `stop`, `kill`, `restart`, `halted()`. They
  are the suite's, and have to be as they were when the case is over.
- `stage.environment()` is what processes get, `Case.environment` adds to it: a `CHAOS_CRASH_AT`
  (`points.py`), for instance. `stage.start_worker("w4", REDIS_URL=…)` adds to it for one process.
- `stage.client()` calls REST, `stage.rows(sql)` asks the case's database, `stage.load.calls` has
  the times and answers of the load's own calls, `stage.notes` carries what `inject` tells `goals`.
- A `Server` or a program of the case's own is a `Part` in `stage.parts` too, started with
  `part.start()`: so it ends with the case.
"""

from __future__ import annotations

import importlib
import pkgutil

from chaos.case import Case


def all_cases() -> list[Case]:
    """Every case, in the order of the files' names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}").CASE for name in names]
