"""The chaos suite as a command; see the package."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from chaos import report, verdict
from chaos.case import Case, Goal, Options, exactly
from chaos.cases import all_cases
from chaos.report import Result
from chaos.stage import Grounds, Stage

#: Seconds of a lease, where none are asked for.
LEASE, SHORT_LEASE = 10, 5

_PREFIX = "sky-chaos-"
#: Seconds after which no suite is still at work in a folder.
_OLD = 6 * 3600.0

#: Where nobody looks at a terminal a line says so often, in seconds, how it goes.
_SAY_EVERY = 15.0


def main() -> None:
    """See the package."""
    arguments = _arguments()
    options = Options(
        seed=arguments.seed if arguments.seed is not None else secrets.randbelow(10**6),
        lease=arguments.lease or (SHORT_LEASE if arguments.short else LEASE),
        short=arguments.short,
    )
    cases = _chosen(arguments.only, short=options.short)
    console = Console(width=None if sys.stdout.isatty() else 150)
    about = f"seed {options.seed}, lease {options.lease} s"
    console.print(f"{', '.join(case.id for case in cases)}: {about}")
    # So that everything is taken down in order, and PostgreSQL's data goes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results: list[Result] = []
    _sweep()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder:
        try:
            with Grounds(Path(folder)).open() as grounds:
                for case in cases:
                    results.append(_result(case, grounds, options, console))
                    report.explain(results[-1], console)
        finally:
            report.show(results, console, about=about)
            if arguments.json:
                report.save(results, arguments.json, options)
            if arguments.markdown:
                report.save_markdown(results, arguments.markdown, options)
    sys.exit(0 if all(result.is_met for result in results) else 1)


def _sweep() -> None:
    """Removes what suites that were killed have left: their processes have ended with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _OLD:
                shutil.rmtree(folder, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--only", help="the cases to run, such as C1,C4")
    parser.add_argument("--short", action="store_true", help="fewer faults, for CI")
    parser.add_argument("--seed", type=int, help="to have the same chances again")
    parser.add_argument(
        "--lease", type=int, help=f"seconds; {LEASE}, or {SHORT_LEASE} in the short form"
    )
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--markdown", type=Path, help="a file for the figures as a page")
    return parser.parse_args()


def _chosen(only: str | None, *, short: bool) -> list[Case]:
    there = {case.id.lower(): case for case in all_cases()}
    if only is None:
        return [case for case in there.values() if case.in_short or not short]
    unknown = [name for name in only.split(",") if name.strip().lower() not in there]
    if unknown:
        known = ", ".join(case.id for case in there.values())
        raise SystemExit(f"there is no case {', '.join(unknown)}; there are: {known}")
    return [there[name.strip().lower()] for name in only.split(",")]


def _result(case: Case, grounds: Grounds, options: Options, console: Console) -> Result:
    began = time.monotonic()
    goals: list[Goal] = []
    found = None
    error = ""
    with _progress(case, console) as say:
        stage = Stage(grounds, case, options, say)
        try:
            with stage.set_up():
                stage.load.start()
                case.inject(stage)
                stage.load.stop()
                in_time = stage.settle()
                found = verdict.read(stage)
                goals = [*_usual(found, stage), *case.goals(found, stage)]
                if not (in_time and all(goal.met for goal in goals)) and not case.must_lose:
                    _dump(stage, console)
                for words in stage.last_words:
                    console.print(words, markup=False, highlight=False)
        except Exception as failure:  # noqa: BLE001  # the other cases are worth knowing
            error = f"{type(failure).__name__}: {failure}"
            _dump(stage, console)
    result = Result(case, goals, found, time.monotonic() - began, error)
    verb = "met" if result.is_met else "MISSED"
    console.print(f"{case.id} {case.title}: {verb} ({result.seconds:.0f} s)", markup=False)
    return result


def _usual(found: verdict.Findings, stage: Stage) -> Sequence[Goal]:
    """What every case is measured by."""
    if stage.case.must_lose:
        return [Goal("lost", str(len(found.lost)), "> 0", bool(found.lost))]
    return [
        Goal("tasks", str(len(found.tasks)), "> 0", bool(found.tasks)),
        exactly("lost", len(found.lost), 0),
        exactly("beyond the contract", len(found.beyond), 0),
        exactly("false alarms", len(found.false_alarms), 0),
        exactly("zombies refused", found.zombies_refused, found.zombies),
        exactly("invariants broken", len(found.broken), 0),
        exactly("processes that ended by themselves", ", ".join(stage.deaths) or "none", "none"),
    ]


def _dump(stage: Stage, console: Console) -> None:
    console.print(stage.dump(), markup=False, highlight=False)


@contextmanager
def _progress(case: Case, console: Console) -> Iterator[Callable[[str], None]]:
    """A line that lives on a terminal, and one now and then elsewhere."""
    began = time.monotonic()
    if console.is_terminal:
        with console.status(case.id) as status:
            yield lambda text: status.update(
                f"{case.id} {case.title}, {time.monotonic() - began:.0f} s: {text}"
            )
        return
    next_line = began + _SAY_EVERY

    def say(text: str) -> None:
        nonlocal next_line
        if (now := time.monotonic()) >= next_line:
            next_line = now + _SAY_EVERY
            console.print(f"{case.id}, {now - began:.0f} s: {text}", markup=False)

    yield say


if __name__ == "__main__":
    main()
