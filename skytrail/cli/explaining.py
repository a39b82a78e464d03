"""`skytrail explain`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.tree import Tree

from skytrail.cli.arguments import DATE_FORMATS, DagArgument
from skytrail.cli.output import Format, OutputOption, console, show_record
from skytrail.cli.project import connect

if TYPE_CHECKING:
    from runs_app.domain.explaining.reasons import Explanation, Reason


def explain(
    dag: DagArgument,
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="A run's id; left out: what the schedule did."),
    ] = None,
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help="A task of it.")] = None,
    output: OutputOption = Format.TABLE,
    at: Annotated[
        datetime | None, typer.Option(formats=DATE_FORMATS, help="As of that time; left out: now.")
    ] = None,
    map_index: Annotated[int, typer.Option(min=-1, help="Which instance of a mapped task.")] = -1,
) -> None:
    """Say why something waits, is late, was skipped, failed, or never came.

    Of a DAG alone: why it has a run for a time, or none.
    """
    user = connect()
    from dags_app.access import access_dag
    from runs_app.access import access_run, access_task_run
    from runs_app.api.explaining import ExplanationSerializer
    from runs_app.selectors.explaining.asking import why_dag, why_run, why_task

    moment = at and at.astimezone()
    if run is None:
        explanation = why_dag(access_dag(user, dag), at=moment)
    elif task is None:
        explanation = why_run(access_run(user, dag, run), at=moment)
    else:
        found = access_task_run(user, dag, run, task, map_index=map_index)
        explanation = why_task(found, at=moment)
    if output is Format.JSON:
        show_record(dict(ExplanationSerializer(explanation).data), output)
    elif output is Format.PLAIN:
        typer.echo(_line(explanation.headline, explanation.since, None))
        for depth, reason in explanation.walk():
            typer.echo("\t" * (depth + 1) + _line(reason.text, reason.since, reason.until))
    else:
        console.print(_tree(explanation))


def _tree(explanation: Explanation) -> Tree:
    title = _line(f"[bold]{escape(explanation.headline)}[/bold]", explanation.since, None)
    tree = Tree(title, guide_style="bright_black")
    for reason in explanation.reasons:
        _add(tree, reason)
    return tree


def _add(tree: Tree, reason: Reason) -> None:
    branch = tree.add(_line(escape(reason.text), reason.since, reason.until))
    for cause in reason.because:
        _add(branch, cause)


def _line(text: str, since: datetime | None, until: datetime | None) -> str:
    times = [
        f"{word} {_moment(moment)}"
        for word, moment in (("since", since), ("until", until))
        if moment is not None
    ]
    return " ".join([text, *times])


def _moment(moment: datetime) -> str:
    local: Any = moment.astimezone()
    today = datetime.now(tz=local.tzinfo).date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M:%S}"
