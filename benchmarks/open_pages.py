"""Pages that are open while something else is measured: `python -m benchmarks.open_pages URL N`.

Each is a stream of moves of all runs, and asks for the first page's part again as a browser would.
The password of `admin` comes from SKYTRAIL_PASSWORD. Says `open` when all are, and goes on until it
is ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from benchmarks.installation import Installation

#: As in the pages' script: seconds between two times a part is asked for, and for each page open.
_REST, _REST_PER_PAGE = 2.0, 0.2


@contextmanager
def open_pages(here: Installation, count: int) -> Iterator[None]:
    """So many, in a process of their own, until the block ends."""
    if not count:
        yield
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.open_pages", here.url, str(count)],
        env=os.environ | {"SKYTRAIL_PASSWORD": here.password},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "open"
        yield
    finally:
        process.terminate()
        process.wait()


def session(url: str, password: str) -> httpx.Cookies:
    """Signs in through the form."""
    with httpx.Client(base_url=url, follow_redirects=True, timeout=30) as client:
        page = client.get("/admin/login/")
        token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        login = {"username": "admin", "password": password, "csrfmiddlewaretoken": token}
        answer = client.post(
            "/admin/login/", data=login, headers={"Referer": f"{url}/admin/login/"}
        )
        answer.raise_for_status()
        return client.cookies


async def _all(url: str, count: int, cookies: httpx.Cookies) -> None:
    ready = asyncio.Semaphore(0)
    async with httpx.AsyncClient(
        base_url=url, cookies=cookies, timeout=None, limits=httpx.Limits(max_connections=None)
    ) as client:
        pages = [asyncio.create_task(_page(client, ready)) for _ in range(count)]
        for _ in pages:
            await ready.acquire()
        sys.stdout.write("open\n")
        sys.stdout.flush()
        await asyncio.gather(*pages)


async def _page(client: httpx.AsyncClient, ready: asyncio.Semaphore) -> None:
    asked, waiting = 0.0, None
    async with client.stream("GET", "/events/", params={"topic": "runs"}) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line.startswith("retry"):
                ready.release()
            if line.startswith("data:") and (waiting is None or waiting.done()):
                rest = max(_REST, json.loads(line[5:])["open"] * _REST_PER_PAGE)
                wait = max(0.15, rest - (time.monotonic() - asked))
                waiting = asyncio.create_task(_ask(client, wait))
                asked = time.monotonic() + wait


async def _ask(client: httpx.AsyncClient, wait: float) -> None:
    await asyncio.sleep(wait)
    await client.get("/", headers={"HX-Request": "true", "HX-Target": "now"})


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        address, number = sys.argv[1], int(sys.argv[2])
        known = session(address, os.environ["SKYTRAIL_PASSWORD"])
        asyncio.run(_all(address, number, known))
