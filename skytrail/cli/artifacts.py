"""`skytrail artifacts`: what tasks have left in the artifact store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from skytrail.cli.arguments import LimitOption
from skytrail.cli.output import Format, OutputOption, show_record, show_rows
from skytrail.cli.project import connect
from skytrail.errors import Conflict

if TYPE_CHECKING:
    from runs_app.models import Artifact

app = typer.Typer(
    help="Artifacts: files that tasks left, and outputs beyond 64 KiB.", no_args_is_help=True
)

_COLUMNS = ("id", "task_id", "name", "media_type", "size", "expires_at")

Key = Annotated[UUID, typer.Argument(metavar="ID", help="The artifact's id.")]


class FileIsThere(Conflict):
    """{path} is there already: name another file with --to, or say --overwrite."""


@app.command("list")
def list_(
    dag_id: Annotated[str, typer.Argument(metavar="DAG_ID", help="The DAG.")],
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run.")],
    output: OutputOption = Format.TABLE,
    task: Annotated[str | None, typer.Option("--task", "-t", help="Of this task.")] = None,
    limit: LimitOption = 25,
) -> None:
    """List what the tasks of a run have left, newest first."""
    user = connect()
    from runs_app.access import access_run
    from runs_app.selectors.artifacts import artifacts_of

    run = access_run(user, dag_id, run_id)
    found = artifacts_of(run, task_id=task).order_by("-created_at", "-id")[:limit]
    show_rows([_shown(one) for one in found], _COLUMNS, output, empty="There are no artifacts.")


@app.command()
def show(artifact_id: Key, output: OutputOption = Format.TABLE) -> None:
    """Show an artifact: its name, size and digest, and until when it is kept."""
    user = connect()
    from runs_app.access import access_artifact

    show_record(_shown(access_artifact(user, artifact_id)), output)


@app.command()
def download(
    artifact_id: Key,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="FILE", help="Where to; - for standard output."),
    ] = None,
    *,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also where there is a file already.")
    ] = False,
) -> None:
    """Download an artifact, as a rule under its name into this folder; its digest is checked."""
    user = connect()
    from runs_app.access import access_artifact
    from runs_app.selectors.artifacts import artifact_store

    artifact = access_artifact(user, artifact_id, content=True)
    if to == "-":
        artifact_store().read(artifact.key, sys.stdout.buffer, sha256=artifact.sha256)
        return
    path = Path(to or artifact.name)
    if path.exists() and not overwrite:
        raise FileIsThere(path=path)
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("wb") as sink:
            artifact_store().read(artifact.key, sink, sha256=artifact.sha256)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    typer.echo(f"{path}: {artifact.size:,} bytes")


def _shown(artifact: Artifact) -> dict[str, Any]:
    from runs_app.api.serializers import ArtifactSerializer

    return dict(ArtifactSerializer(artifact).data)
