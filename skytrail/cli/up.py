"""`skytrail up`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skytrail.embedded import DEFAULT_FOLDER


def up(
    data_dir: Annotated[
        Path, typer.Option(envvar="SKYTRAIL_DATA_DIR", help="Where everything is kept.")
    ] = DEFAULT_FOLDER,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The web's port (48080); 0 for any.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Tasks executed side by side.")
    ] = None,
    queues: Annotated[
        str, typer.Option(help="The queues that the worker serves, separated by commas.")
    ] = "default",
    *,
    with_flower: Annotated[
        bool, typer.Option("--flower/--no-flower", help="Whether Flower runs too.")
    ] = True,
    flower_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Flower's port (45555); 0 for any.")
    ] = None,
    postgres_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="PostgreSQL's port; any by default.")
    ] = None,
    redis_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Redis' port; any by default.")
    ] = None,
) -> None:
    """Start everything in this terminal: database, broker, web, dispatcher, worker, beat, Flower.

    PostgreSQL and Redis are brought along, unless DATABASE_URL and REDIS_URL name others. The first
    start makes a user `admin` and shows its password once (or takes SKYTRAIL_ADMIN_PASSWORD).
    """
    from skytrail.embedded.stack import Options
    from skytrail.embedded.stack import up as start

    code = start(
        Options(
            data_dir=data_dir,
            port=port,
            flower=with_flower,
            flower_port=flower_port,
            postgres_port=postgres_port,
            redis_port=redis_port,
            concurrency=concurrency,
            queues=tuple(name.strip() for name in queues.split(",") if name.strip()),
        )
    )
    raise typer.Exit(code)
