"""`skytrail assets`: data that tasks make new, and that DAGs wait for."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from skytrail.cli.arguments import LimitOption
from skytrail.cli.output import Format, OutputOption, show_record, show_rows
from skytrail.cli.project import actor, connect

app = typer.Typer(help="Assets: list, events, emit.", no_args_is_help=True)

_ASSETS = ("name", "producers", "consumers", "last_event_at")
_EVENTS = ("asset", "at", "dag_id", "run_id", "task_id", "emitted_by")

Name = Annotated[str, typer.Argument(metavar="ASSET", help="The asset's name.")]


@app.command("list")
def list_(output: OutputOption = Format.TABLE, limit: LimitOption = 1000) -> None:
    """List assets, who makes them new and who waits for them."""
    user = connect()
    from runs_app.selectors.asset_events import known_assets

    rows = [dataclasses.asdict(asset) for asset in known_assets(user, limit=limit)]
    show_rows(rows, _ASSETS, output, empty="No DAG names an asset.")


@app.command()
def events(
    asset: Annotated[
        str | None, typer.Argument(metavar="ASSET", help="Only of this asset.")
    ] = None,
    output: OutputOption = Format.TABLE,
    limit: LimitOption = 25,
) -> None:
    """List events of assets, newest first."""
    user = connect()
    from runs_app.api.assets import AssetEventSerializer
    from runs_app.selectors.asset_events import events_matching

    found = events_matching(user, asset=asset).order_by("-at", "-id")[:limit]
    rows = [dict(row) for row in AssetEventSerializer(found, many=True).data]
    show_rows(rows, _EVENTS, output, empty="No asset has been made new.")


@app.command()
def emit(
    asset: Name,
    output: OutputOption = Format.TABLE,
    extra: Annotated[
        str | None, typer.Option(help="What is to be said about it: a JSON object.")
    ] = None,
) -> None:
    """Note that an asset is new; the DAGs that wait for it start within seconds."""
    connect()
    from runs_app.actions import assets
    from runs_app.api.assets import AssetEventSerializer
    from skytrail.documents import read_json

    said = None if extra is None else read_json(extra)
    if said is not None and not isinstance(said, dict):
        raise assets.BadEvent.because("extra", "not_an_object", "write a JSON object: { … }")
    event = assets.emit(asset, extra=said, actor=actor())
    show_record(dict(AssetEventSerializer(event).data), output)
