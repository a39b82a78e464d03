"""Measures how soon a move is told to the pages that are open.

    python -m benchmarks.live                      # 50 pages, 30 moves
    python -m benchmarks.live --pages 200

The real web process on a scratch installation; each page is a stream of server-sent events of its
own. A move is committed by this process, at a time that it notes, and so does each stream.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console

from benchmarks import installation
from benchmarks.open_pages import session

#: Seconds between two moves, and of rest in which nothing happens.
_PAUSE, _REST = 0.7, 10.0


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=50, help="pages that are open")
    parser.add_argument("--moves", type=int, default=30, help="moves that are told")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skytrail.settings")
    with (
        tempfile.TemporaryDirectory(prefix="skytrail-live-") as folder,
        installation.skytrail(Path(folder), concurrency=1) as here,
    ):
        found = asyncio.run(_measure(here, options.pages, options.moves))
    _show(found, pages=options.pages)


async def _measure(here: installation.Installation, pages: int, moves: int) -> dict[str, Any]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    run = _run(moves)
    cookies = session(here.url, here.password)
    heard: list[float] = []
    ready = asyncio.Semaphore(0)
    async with httpx.AsyncClient(
        base_url=here.url, cookies=cookies, timeout=None, limits=httpx.Limits(max_connections=None)
    ) as client:
        readers = [
            asyncio.create_task(_read(client, str(run.pk), heard, ready)) for _ in range(pages)
        ]
        for _ in readers:
            await asyncio.wait_for(ready.acquire(), 30)
        idle = await _cost_of_rest(here.url)
        delays: list[float] = []
        missed = 0
        for number in range(moves):
            heard.clear()
            await asyncio.to_thread(_move, run, number)
            committed = time.monotonic()
            await asyncio.sleep(_PAUSE)
            while len(heard) < pages and time.monotonic() < committed + 5:
                await asyncio.sleep(0.05)
            delays += [each - committed for each in heard]
            missed += pages - len(heard)
        for reader in readers:
            reader.cancel()
    return {"delays": delays, "missed": missed, "idle": idle}


async def _read(client: httpx.AsyncClient, run: str, heard: list[float], ready: Any) -> None:
    async with client.stream("GET", "/events/", params={"topic": f"run:{run}"}) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line.startswith("retry"):
                ready.release()
            if line.startswith("data:"):
                heard.append(time.monotonic())


async def _cost_of_rest(url: str) -> float:
    """Which share of a core the web process takes while nothing happens and all pages are open."""
    port = url.rsplit(":", 1)[1]
    web = next(
        process
        for process in psutil.process_iter(["cmdline"])
        if f"--port={port}" in (process.info["cmdline"] or [])
    )
    before = sum(web.cpu_times()[:2])
    await asyncio.sleep(_REST)
    return float(sum(web.cpu_times()[:2]) - before) / _REST


def _run(tasks: int) -> Any:
    """A run whose tasks nobody executes: no worker serves their queue."""
    from skytrail.cli.project import connect

    connect()
    from dags_app.actions import registration
    from dags_app.domain.parse import parse
    from dags_app.models import DagSource
    from runs_app.actions.launching import RunRequest, launch

    document = {
        "name": "live",
        "tasks": [
            {"id": f"t{place}", "type": "empty", "queue": "nobody"} for place in range(tasks)
        ],
    }
    dag = registration.create(spec=parse(document), author="user:admin", source=DagSource.API).dag
    return launch(dag, RunRequest(), actor="user:admin").run()


def _move(run: Any, number: int) -> None:
    """Cancels one of its tasks: a move, committed when this returns."""
    from runs_app.actions.cancellation import cancel_task
    from runs_app.models import TaskRun

    cancel_task(TaskRun.objects.get(run=run, task_id=f"t{number}"), actor="user:admin")


def _show(found: dict[str, Any], *, pages: int) -> None:
    delays = sorted(found["delays"])
    console = Console()
    if not delays:
        console.print("nothing was heard")
        return
    p95 = delays[min(int(len(delays) * 0.95), len(delays) - 1)]
    console.print(
        f"{pages} pages: a move is told {statistics.median(delays) * 1000:.0f} ms (median),"
        f" {p95 * 1000:.0f} ms (p95), {delays[-1] * 1000:.0f} ms (longest) after its commit;"
        f" {found['missed']} times not at all"
    )
    console.print(f"at rest the web process takes {found['idle'] * 100:.1f} % of a core")


if __name__ == "__main__":
    main()
