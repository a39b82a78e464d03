"""`skytrail dags versions`, `diff` and `rollback`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from skytrail.cli.arguments import DagArgument, LimitOption
from skytrail.cli.output import Format, OutputOption, console, show_record, show_rows
from skytrail.cli.project import actor, connect

if TYPE_CHECKING:
    from dags_app.domain.differences import Differences
    from dags_app.models import Dag, DagVersion

_COLUMNS = ("number", "holds", "author", "source", "commit", "note", "effective_from", "created_at")
_COLOURS = {"+": "green", "-": "red", " ": "bold"}

Number = Annotated[int, typer.Argument(metavar="VERSION", min=1, help="The version's number.")]


def add_to(app: typer.Typer) -> None:
    """Makes them commands of `app`."""
    for command in (versions, diff, rollback, withdraw):
        app.command()(command)


def versions(
    dag: DagArgument, output: OutputOption = Format.TABLE, limit: LimitOption = 25
) -> None:
    """List a DAG's versions, newest first, and which of them holds."""
    user = connect()
    from dags_app.access import access_dag
    from dags_app.api.serializers import VersionSerializer

    found = access_dag(user, dag)
    listed = found.versions.order_by("-number").defer("spec")[:limit]
    rows = [
        {**VersionSerializer(version).data, "holds": _holds(found, version)} for version in listed
    ]
    show_rows(rows, _COLUMNS, output, empty="It has no version.")


def diff(
    dag: DagArgument,
    version: Number,
    other: Annotated[
        int | None,
        typer.Argument(metavar="OTHER", min=1, help="Another one; left out: the one that holds."),
    ] = None,
    output: OutputOption = Format.TABLE,
) -> None:
    """Show what changes from one version to another: tasks, edges and fields."""
    user = connect()
    from dags_app.access import access_dag, access_version
    from dags_app.api.versions import DifferencesSerializer, as_shown
    from dags_app.domain.differences import differences

    found = access_dag(user, dag)
    assert found.version is not None
    old = access_version(found, version)
    new = found.version if other is None else access_version(found, other)
    between = differences(old.spec, new.spec)
    if output is Format.TABLE:
        _show(between, same=f"Versions {old.number} and {new.number} say the same.")
    else:
        show_record(dict(DifferencesSerializer(as_shown(between)).data), output)


def rollback(
    dag: DagArgument,
    version: Number,
    output: OutputOption = Format.TABLE,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make a DAG what it was in a version; what changes is shown first."""
    user = connect()
    from dags_app.access import access_dag, access_version
    from dags_app.actions.rolling_back import roll_back
    from dags_app.domain.differences import differences
    from dags_app.models import DagSource

    found = access_dag(user, dag)
    assert found.version is not None
    old = access_version(found, version)
    if not yes and sys.stdin.isatty():
        between = differences(found.version.spec, old.spec)
        _show(between, same=f"It is what version {old.number} says already.")
        if between:
            typer.confirm(f"Roll {found.dag_id} back to version {version}?", abort=True, err=True)
    saved = roll_back(found, old, author=actor(), source=DagSource.API)
    record: dict[str, Any] = {
        "dag_id": saved.dag.dag_id,
        "version": saved.version.number,
        "new_version": saved.version_is_new,
    }
    show_record(record, output)


def withdraw(dag: DagArgument, version: Number) -> None:
    """Delete a version whose time has not come."""
    user = connect()
    from dags_app.access import access_dag, access_version
    from dags_app.actions import taking_over

    found = access_dag(user, dag)
    taking_over.withdraw(found, access_version(found, version))
    typer.echo(f"Version {version} of {found.dag_id} will not take over.")


def _holds(dag: Dag, version: DagVersion) -> str:
    from skytrail.database.clock import database_now

    if version.pk == dag.version_id:
        return "now"
    return "later" if version.effective_from > database_now() else ""


def _show(found: Differences, *, same: str) -> None:
    if not found:
        console.print(same)
    for sign, text in found.lines():
        console.print(f"[{_COLOURS[sign]}]{escape(f'{sign} {text}')}[/]", soft_wrap=True)
