"""The parts of an installation, each in a process of its own."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

#: Celery's own chatter between workers; who is there stands in Postgres.
_QUIET = ("--without-gossip", "--without-mingle")

Port = Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65_535)]
Host = Annotated[str, typer.Option(help="The address to listen on.")]


def add_to(app: typer.Typer) -> None:
    """Makes the processes commands of `app`."""
    for command in (web, dispatcher, worker, beat, flower):
        app.command(rich_help_panel="Processes")(command)


def web(host: Host = "127.0.0.1", port: Port = 48080) -> None:
    """Serve the admin, REST and Flower's door."""
    os.environ.setdefault("SKYTRAIL_DATABASE_POOL", "10")
    os.environ.setdefault("SKYTRAIL_DATABASE_TIMEOUT_SECONDS", "4.5")
    _become(
        "uvicorn",
        "skytrail.asgi:application",
        f"--host={host}",
        f"--port={port}",
        "--no-access-log",
        "--log-level=warning",
        # Readers who follow a log never hang up by themselves.
        "--timeout-graceful-shutdown=3",
        "--no-server-header",
    )


def dispatcher(
    concurrency: Annotated[int, typer.Option(help="Runs planned side by side.", min=1)] = 1,
    name: Annotated[str, typer.Option(help="Tells dispatchers on one host apart.")] = "dispatcher",
) -> None:
    """Plan runs, and run the periodic jobs."""
    os.environ["SKYTRAIL_ROLE"] = "dispatcher"
    _celery(
        "worker",
        "--queues=dispatch",
        f"--concurrency={concurrency}",
        f"--hostname={name}@%h",
        "--loglevel=WARNING",
        *_QUIET,
    )


def worker(
    concurrency: Annotated[
        int | None,
        typer.Option(help="Tasks executed side by side; by default one per core.", min=1),
    ] = None,
    queues: Annotated[
        str, typer.Option(help="The queues to serve, separated by commas.")
    ] = "default",
    name: Annotated[str, typer.Option(help="Tells workers on one host apart.")] = "worker",
) -> None:
    """Execute tasks."""
    # Only workers import the modules of users.
    os.environ["SKYTRAIL_ROLE"] = "worker"
    _celery(
        "worker",
        f"--queues={queues}",
        f"--concurrency={concurrency or os.cpu_count() or 2}",
        f"--hostname={name}@%h",
        "--loglevel=WARNING",
        *_QUIET,
    )


def beat() -> None:
    """Have the periodic jobs run on time."""
    _celery("beat", "--loglevel=WARNING", "--pidfile=")


def flower(
    port: Port = 45555,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Show workers and messages; people come through the web's /flower."""
    from skytrail.settings.environment import Environment

    if login := Environment().flower_basic_auth:
        os.environ["FLOWER_BASIC_AUTH"] = login  # where Flower looks: arguments can be read by all
    _celery(
        "flower",
        f"--address={host}",
        f"--port={port}",
        "--url_prefix=flower",
        "--read_only",
        "--max_tasks=10000",
        # Its first questions come before the workers can answer.
        "--logging=error",
    )


def _celery(*arguments: str) -> None:
    _become("celery", "--app=skytrail.celery", "--quiet", *arguments)


def _become(module: str, *arguments: str) -> None:
    """Turns this process into another program: signals and exit codes are then its own."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606  # our own
