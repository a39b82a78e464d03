"""`skytrail dlq`: the dead letters, tasks that have used up their tries."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from skytrail.cli.arguments import LimitOption
from skytrail.cli.output import Format, OutputOption, console, show_record, show_rows
from skytrail.cli.project import actor, connect
from skytrail.errors import Invalid

if TYPE_CHECKING:
    from runs_app.actions.dead_letters import Handled
    from runs_app.selectors.dead_letters import Filter, Letter
    from skytrail.security.subject import Subject

app = typer.Typer(
    help="Dead letters, tasks that used up their tries: list, show, replay, drop.",
    no_args_is_help=True,
)

_COLUMNS = ("id", "dag_id", "run_id", "task_id", "reason", "tries", "failed_at", "message")
_ATTEMPTS = ("attempt", "state", "reason", "exit_code", "worker", "started_at", "finished_at")
_HANDLED = ("id", "dag_id", "run_id", "task_id", "result")

#: So much of a message is in a list, in characters.
_MESSAGE = 100

#: More letters than these are counted in a table, not listed.
_MOST_ROWS = 50

#: What was passed over is a conflict, as it is with one.
_PASSED_OVER = 5

IdArgument = Annotated[UUID, typer.Argument(metavar="ID", help="The dead letter's id.")]
IdsArgument = Annotated[
    list[UUID] | None, typer.Argument(metavar="ID", help="Only these dead letters.")
]
DagOption = Annotated[str | None, typer.Option("--dag", help="Only of this DAG.")]
RunOption = Annotated[str | None, typer.Option("--run", help="Only of this run.")]
TaskOption = Annotated[str | None, typer.Option("--task", "-t", help="Only of this task.")]
ReasonOption = Annotated[
    str | None, typer.Option(help="Only with this reason, like exit_code or worker_lost.")
]
QueueOption = Annotated[str | None, typer.Option(help="Only of this queue.")]
_MOMENTS = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]
AfterOption = Annotated[
    datetime | None,
    typer.Option("--failed-after", formats=_MOMENTS, help="Failed at this time or later."),
]
BeforeOption = Annotated[
    datetime | None,
    typer.Option("--failed-before", formats=_MOMENTS, help="Failed before this time."),
]
AllOption = Annotated[bool, typer.Option("--all", help="All that there are.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would happen, and to which.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether all are meant.")]


class WhichLetters(Invalid):
    """Which dead letters? Give ids, or filters, or --all; only one of these three."""


@app.command("list")
def list_(
    output: OutputOption = Format.TABLE,
    dag: DagOption = None,
    run: RunOption = None,
    task: TaskOption = None,
    reason: ReasonOption = None,
    queue: QueueOption = None,
    failed_after: AfterOption = None,
    failed_before: BeforeOption = None,
    limit: LimitOption = 25,
) -> None:
    """List dead letters, those that failed last first."""
    user = connect()
    from runs_app.api.serializers import DeadLetterSerializer
    from runs_app.selectors.dead_letters import matching

    wanted = _filter(dag, run, task, reason, queue, failed_after, failed_before)
    letters = matching(user, wanted).shown().order_by("-finished_at", "-id")[:limit]
    rows = [dict(row) for row in DeadLetterSerializer(letters, many=True).data]
    if output is not Format.JSON:
        rows = [_in_short(row) for row in rows]
    show_rows(rows, _COLUMNS, output, empty="No dead letters.")


@app.command()
def show(letter: IdArgument, output: OutputOption = Format.TABLE) -> None:
    """Show a dead letter with its attempts and its last log lines."""
    user = connect()
    from runs_app.access import access_dead_letter
    from runs_app.api.serializers import DeadLetterDetailSerializer

    record = dict(DeadLetterDetailSerializer(access_dead_letter(user, letter)).data)
    if output is not Format.TABLE:
        show_record(record, output)
        return
    attempts, lines = record.pop("attempts"), record.pop("last_log_lines")
    show_record(record, output)
    console.print()
    show_rows(attempts, _ATTEMPTS, output, empty="It was never begun.")
    console.print()
    if not lines:
        console.print("[bright_black]Its last execution has written nothing.[/bright_black]")
    for line in lines:
        typer.echo(line)


@app.command()
def replay(
    ids: IdsArgument = None,
    output: OutputOption = Format.TABLE,
    dag: DagOption = None,
    run: RunOption = None,
    task: TaskOption = None,
    reason: ReasonOption = None,
    queue: QueueOption = None,
    failed_after: AfterOption = None,
    failed_before: BeforeOption = None,
    *,
    everything: AllOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Have dead letters' tasks run again, with all that comes after them: run by run, the oldest
    first. What cannot be replayed is passed over and named; the exit code is then 5.
    """
    user = connect()
    from runs_app.actions.dead_letters import replay_many
    from runs_app.api.dead_letters import replayed

    wanted = _filter(dag, run, task, reason, queue, failed_after, failed_before)
    letters = _which(user, ids, wanted, everything=everything)
    if everything and not (yes or dry_run):
        _confirm("Replay", len(letters))
    handled = replay_many(letters, actor=actor(), dry_run=dry_run)
    answer = replayed(_shown(handled, len(letters), "Replaying"), dry_run=dry_run, remaining=0)
    _tell(answer, "replayed", output)


@app.command()
def drop(
    ids: IdsArgument = None,
    output: OutputOption = Format.TABLE,
    dag: DagOption = None,
    run: RunOption = None,
    task: TaskOption = None,
    reason: ReasonOption = None,
    queue: QueueOption = None,
    failed_after: AfterOption = None,
    failed_before: BeforeOption = None,
    *,
    everything: AllOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Take dead letters off the list; their tasks stay failed. Who did it stands in the history."""
    user = connect()
    from runs_app.actions.dead_letters import drop_many
    from runs_app.api.dead_letters import dropped

    wanted = _filter(dag, run, task, reason, queue, failed_after, failed_before)
    letters = _which(user, ids, wanted, everything=everything)
    if everything and not (yes or dry_run):
        _confirm("Drop", len(letters))
    handled = drop_many(letters, actor=actor(), dry_run=dry_run)
    answer = dropped(_shown(handled, len(letters), "Dropping"), dry_run=dry_run, remaining=0)
    _tell(answer, "dropped", output)


def _filter(
    dag: str | None,
    run: str | None,
    task: str | None,
    reason: str | None,
    queue: str | None,
    failed_after: datetime | None,
    failed_before: datetime | None,
) -> Filter:
    """What the options name; a time without a zone is one in the reader's own."""
    from runs_app.selectors.dead_letters import Filter

    return Filter(
        dag_id=dag,
        run_id=run,
        task_id=task,
        reason=reason,
        queue=queue,
        failed_after=failed_after and failed_after.astimezone(),
        failed_before=failed_before and failed_before.astimezone(),
    )


def _which(
    user: Subject, ids: Sequence[UUID] | None, wanted: Filter, *, everything: bool
) -> list[Letter]:
    """The letters that are meant. Raises `WhichLetters`, or what `access_dead_letter` does."""
    from runs_app.access import access_dead_letter
    from runs_app.selectors.dead_letters import letter_of, matching, oldest_first

    if [bool(ids), not wanted.is_empty, everything].count(True) != 1:
        raise WhichLetters
    if ids:
        return [letter_of(access_dead_letter(user, key)) for key in dict.fromkeys(ids)]
    return oldest_first(matching(user, wanted))


def _confirm(verb: str, count: int) -> None:
    """Asks whether all are meant, where somebody is there to be asked."""
    if count and sys.stdin.isatty():
        letters = "one dead letter" if count == 1 else f"all {count} dead letters"
        typer.confirm(f"{verb} {letters}?", abort=True, err=True)


def _shown(handled: Iterable[Handled], total: int, verb: str) -> Iterator[Handled]:
    """The same, with a bar that says how far it has come; only where somebody looks on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        work = bar.add_task(verb, total=total)
        for of_run in handled:
            bar.advance(work, len(of_run.done) + len(of_run.passed_over))
            yield of_run


def _tell(answer: Mapping[str, Any], done: str, output: Format) -> None:
    """What became of the letters; exit code 5 where some were passed over."""
    if output is Format.JSON:
        show_record(answer, output)
    else:
        word = f"would be {done}" if answer["dry_run"] else done
        rows = [{**row, "result": word} for row in answer[done]]
        passed_over = [
            {**row, "result": f"passed over: {row['message']}"} for row in answer["passed_over"]
        ]
        listed = rows if output is Format.PLAIN else rows[:_MOST_ROWS]
        show_rows([*listed, *passed_over], _HANDLED, output, empty="There are none.")
        if output is Format.TABLE and (rows or passed_over):
            console.print()
            console.print(_summary(answer, len(rows), len(passed_over), word))
    if answer["passed_over"]:
        raise typer.Exit(_PASSED_OVER)


def _summary(answer: Mapping[str, Any], done: int, passed_over: int, word: str) -> str:
    parts = [f"{done} {word}"]
    if "tasks" in answer:
        verb = "would run" if answer["dry_run"] else "run"
        parts.append(f"tasks that {verb} again with all that follows: {len(answer['tasks'])}")
    if passed_over:
        parts.append(f"{passed_over} passed over")
    return " · ".join(parts)


def _in_short(row: Mapping[str, Any]) -> dict[str, Any]:
    """A letter as a row: the message on one line, and not all of it."""
    message = " ".join(row["message"].split())
    cut = message if len(message) <= _MESSAGE else f"{message[: _MESSAGE - 1]}…"
    return {**row, "message": cut, "tries": f"{row['attempt']} of {row['max_attempts']}"}
