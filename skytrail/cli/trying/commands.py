"""The two commands."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skytrail.cli.arguments import (
    DATE_FORMATS,
    ConfOption,
    FileOrDagArgument,
    TaskArgument,
)
from skytrail.cli.output import Format, OutputOption
from skytrail.cli.trying import LONGEST_WAIT
from skytrail.errors import Invalid, NotFound

if TYPE_CHECKING:
    from dags_app.domain.spec import DagSpec

DateArgument = Annotated[
    datetime | None,
    typer.Argument(metavar="[DATE]", formats=DATE_FORMATS, help="The time that the run is for."),
]


class BadPattern(Invalid):
    """--mark-success takes a regular expression, and {pattern!r} is none: {reason}"""


class NoSuchTask(NotFound):
    """The DAG has no task {task_id!r}{hint}"""


def try_a_dag(
    file_or_dag: FileOrDagArgument,
    date: DateArgument = None,
    output: OutputOption = Format.TABLE,
    conf: ConfOption = None,
    task: Annotated[
        list[str] | None,
        typer.Option("--task", "-t", help="Only this task and what it waits for; repeatable."),
    ] = None,
    mark_success: Annotated[
        str | None,
        typer.Option(
            "--mark-success", metavar="REGEX", help="Tasks that are not run and count as successes."
        ),
    ] = None,
    longest_wait: Annotated[
        float,
        typer.Option(
            "--max-wait", min=0, help="Seconds after which a wait for a retry or a poke is cut off."
        ),
    ] = LONGEST_WAIT,
    *,
    no_delay: Annotated[bool, typer.Option("--no-delay", help="Wait for nothing.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Approve what asks for it.")] = False,
) -> None:
    """Run a whole DAG in this process, without broker or database, and show how it goes.

    Exit code 1 if the run fails.
    """
    from skytrail.cli.trying.definitions import find
    from skytrail.cli.trying.trials import Wishes, try_dag

    spec = find(file_or_dag)
    wishes = Wishes(
        conf=_conf(conf),
        date=date and date.astimezone(),
        only=_known(spec, task or []),
        mark_success=None if mark_success is None else _pattern(mark_success),
        longest_wait=0.0 if no_delay else longest_wait,
        approve=approve,
    )
    raise typer.Exit(try_dag(spec, wishes, output, now=datetime.now(UTC)))


def try_a_task(
    file_or_dag: FileOrDagArgument,
    task: TaskArgument,
    date: DateArgument = None,
    output: OutputOption = Format.TABLE,
    conf: ConfOption = None,
    map_index: Annotated[
        int | None, typer.Option(min=0, help="Of a mapped task: only this instance.")
    ] = None,
    outputs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.json", help="What earlier tasks have left: an object by task id."
        ),
    ] = None,
    *,
    approve: Annotated[bool, typer.Option("--approve", help="Approve what asks for it.")] = False,
) -> None:
    """Run one task in this process, once, whatever its trigger rule says, and show its log.

    Exit code 1 if it fails.
    """
    from skytrail.cli.trying.definitions import find
    from skytrail.cli.trying.trials import Wishes, try_task

    spec = find(file_or_dag)
    (name,) = _known(spec, [task])
    wishes = Wishes(conf=_conf(conf), date=date and date.astimezone(), approve=approve)
    code = try_task(
        spec,
        name,
        wishes,
        output,
        map_index=map_index,
        outputs=_outputs(outputs),
        now=datetime.now(UTC),
    )
    raise typer.Exit(code)


def _conf(text: str | None) -> Any:
    from skytrail.documents import read_json

    return None if text is None else read_json(text)


class BadOutputs(Invalid):
    """--outputs takes a file with an object: what each of some tasks has left, by task id."""


def _outputs(name: str | None) -> dict[str, Any]:
    from skytrail.cli.arguments import read_document

    if name is None:
        return {}
    found = read_document(name)
    if not isinstance(found, dict):
        raise BadOutputs
    return found


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise BadPattern(pattern=text, reason=str(error)) from None


def _known(spec: DagSpec, names: list[str]) -> list[str]:
    from dags_app.domain.problems import suggestion

    known = [task.id for task in spec.tasks]
    for name in names:
        if name not in known:
            raise NoSuchTask(task_id=name, hint=suggestion(name, known))
    return names
