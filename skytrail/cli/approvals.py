"""`skytrail approvals`: what tasks have asked people, and answering."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from skytrail.cli.arguments import LimitOption
from skytrail.cli.output import Format, OutputOption, show_record, show_rows
from skytrail.cli.project import actor, connect

app = typer.Typer(help="Approvals: what waits for an answer, and answering.", no_args_is_help=True)

_COLUMNS = ("id", "dag_id", "run_id", "task_id", "subject", "options", "requested_at", "choice")


@app.command("list")
def list_(
    output: OutputOption = Format.TABLE,
    dag: Annotated[str | None, typer.Option("--dag", help="Only of this DAG.")] = None,
    run: Annotated[str | None, typer.Option("--run", help="Only of this run.")] = None,
    limit: LimitOption = 25,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is decided, or void by now.")
    ] = False,
) -> None:
    """List what waits for an answer, the newest first."""
    user = connect()
    from runs_app.api.serializers import ApprovalSerializer
    from runs_app.selectors.approvals import approvals_matching

    wanted = approvals_matching(user, pending=None if everything else True, dag_id=dag, run_id=run)
    rows = ApprovalSerializer(wanted.order_by("-requested_at", "-id")[:limit], many=True).data
    show_rows([dict(row) for row in rows], _COLUMNS, output, empty="Nothing waits for an answer.")


@app.command()
def decide(
    approval: Annotated[UUID, typer.Argument(metavar="ID", help="The approval's id.")],
    choice: Annotated[str, typer.Argument(metavar="CHOICE", help="One of its options.")],
    output: OutputOption = Format.TABLE,
    note: Annotated[str, typer.Option("--note", "-m", help="Why.")] = "",
) -> None:
    """Choose one of the options; the task goes on at once."""
    user = connect()
    from runs_app.access import access_approval
    from runs_app.actions import approvals
    from runs_app.api.serializers import ApprovalSerializer

    # Whoever is at the installation's own shell is asked by no name.
    approvals.decide(access_approval(user, approval), choice=choice, note=note, actor=actor())
    record = dict(ApprovalSerializer(access_approval(user, approval)).data)
    names = ("dag_id", "run_id", "task_id", "subject", "choice", "decided_by", "note", "decided_at")
    show_record({name: record[name] for name in names}, output)
