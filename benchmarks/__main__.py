"""Measures Skytrail and bare Celery in turns, on one Redis, with the same concurrency.

    python -m benchmarks --rounds 5 --json figures.json

Skytrail is `skytrail up` with a fresh database. The two take turns in every round, so that a busy
neighbour slows both.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import Progress

from benchmarks import cases, installation, report
from benchmarks.open_pages import open_pages


def main() -> None:
    """See the module."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="skytrail-benchmark-") as folder:
        place = Path(folder)
        with (
            installation.skytrail(
                place, concurrency=options.concurrency, flower=options.flower
            ) as running,
            _connected(),
            open_pages(running, options.pages),
            installation.bare_worker(place, concurrency=options.concurrency),
            Progress(transient=True) as progress,
        ):
            lines = list(_measure(running, options, progress))
    about = f"concurrency {options.concurrency}, {options.rounds} rounds"
    report.show(lines, about=about)
    if options.json:
        report.save(lines, options.json, concurrency=options.concurrency, rounds=options.rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--concurrency", type=int, default=2, help="pool processes of each worker")
    parser.add_argument("--calls", type=int, default=50, help="API calls of the delay")
    parser.add_argument("--scale", type=float, default=1.0, help="below 1: smaller, for a look")
    parser.add_argument(
        "--flower", action="store_true", help="with Flower, which sees all messages"
    )
    parser.add_argument(
        "--pages", type=int, default=0, help="pages of the web UI that are open meanwhile"
    )
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument(
        "--only", choices=("fan", "chain", "diamonds", "delay"), help="one of the shapes"
    )
    parser.add_argument("--task", choices=cases.KINDS, help="one kind of task")
    return parser.parse_args()


@contextmanager
def _connected() -> Iterator[None]:
    from django.db import connection  # noqa: PLC0415  # knows the database only now

    from skytrail.cli.project import connect  # noqa: PLC0415  # as above

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skytrail.settings")
    connect()
    yield
    connection.close()


def _measure(
    running: installation.Installation, options: argparse.Namespace, progress: Progress
) -> Iterator[report.Line]:
    from benchmarks import bare, sky  # noqa: PLC0415  # know database and broker only now

    kinds = [options.task] if options.task else cases.KINDS
    for kind in kinds:
        for case in cases.cases(options.scale):
            if options.only and options.only not in case.name:
                continue
            dag = sky.save(case.name.replace(" ", "_") + "_" + kind, case.graph, kind)
            bare_times, sky_times = [], []
            # One round more, in which everything is started that starts when it is needed.
            rounds = range(-1, options.rounds)
            for place in progress.track(rounds, description=f"{case.name} ({kind})"):
                theirs, ours = bare.measure(case, kind), sky.measure(case, dag)
                if place >= 0:
                    bare_times.append(theirs)
                    sky_times.append(ours)
            yield report.Line(case.name, kind, case.tasks, bare_times, sky_times, case.goal)
    if options.only in {None, "delay"}:
        for kind in kinds:
            yield _delay(running, options, progress, kind)


def _delay(
    running: installation.Installation, options: argparse.Namespace, progress: Progress, kind: str
) -> report.Line:
    import httpx  # noqa: PLC0415  # beside the next

    from benchmarks import bare, sky  # noqa: PLC0415  # as above

    dag = sky.lone_task(kind)
    bare_times, sky_times = [], []
    with httpx.Client(headers={"Authorization": f"Bearer {running.token}"}, timeout=30) as client:
        calls = range(-5, options.calls)
        for place in progress.track(calls, description=f"delay ({kind})"):
            theirs, ours = bare.delay(kind), sky.delay(running, client, dag)
            if place >= 0:
                bare_times.append(theirs)
                sky_times.append(ours)
    return report.Line("delay to start", kind, 1, bare_times, sky_times, None)


if __name__ == "__main__":
    main()
