"""Makes the pictures of all pages in docs/ui/, in light and in dark: `make pictures`.

They show `skytrail demo --keep`: what anybody sees who starts it. Look at them one by one.
"""

from __future__ import annotations

import base64
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, ViewportSize

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "ui"

_PATIENCE = 180.0
_SIZE: ViewportSize = {"width": 1280, "height": 800}


def main() -> None:
    """The command."""
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with _demo() as (url, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        pages = _pages(url, password)
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport=_SIZE, color_scheme=scheme, base_url=url, reduced_motion="reduce"
            )
            _sign_in(context, password)
            for name, address in pages.items():
                _shoot(context, address, FOLDER / f"{name}-{scheme}.webp")
            context.close()
        context = browser.new_context(
            viewport={"width": 360, "height": 740}, base_url=url, reduced_motion="reduce"
        )
        _sign_in(context, password)
        for name in ("home", "dags", "run"):
            _shoot(context, pages[name], FOLDER / f"{name}-narrow.webp")
        browser.close()


@contextmanager
def _demo() -> Iterator[tuple[str, str]]:
    """The demo, left running; its address and the password of `admin`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "skytrail.cli", "demo", "--keep"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        found: dict[str, str] = {}
        began = time.monotonic()
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
            if match := re.match(r"\s*web\s+(http://\S+)", line):
                found["url"] = match[1]
            if match := re.search(r"password (\S+)", line):
                found["password"] = match[1]
            if "Ctrl-C" in line or time.monotonic() - began > _PATIENCE:
                break
        yield found["url"], found["password"]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _pages(url: str, password: str) -> dict[str, str]:
    """Every page, of what is most telling in the demo."""
    with httpx.Client(base_url=f"{url}/api/v1", timeout=30) as client:
        login = {"username": "admin", "password": password}
        token = client.post("/auth/token", json=login).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"

        def first(address: str, **query: Any) -> dict[str, Any]:
            found: dict[str, Any] = client.get(address, params=query).json()["results"][0]
            return found

        report = "weather_report"
        run = first(f"/dags/{report}/runs", state="success")
        letter = first("/dead-letters")
        dag_id = letter["dag_id"]
        dag, main = f"/dags/{dag_id}/", f"/dags/{report}/runs/{run['run_id']}/"
        failed = f"{dag}runs/{letter['run_id']}/"
        tasks = client.get(f"/dags/{report}/runs/{run['run_id']}/tasks").json()["results"]
        wordy = max(tasks, key=lambda task: task["task_id"] in {"report", "download"})
        pages = {
            "home": "/",
            "timeline": "/timeline/",
            "dags": "/dags/",
            "dag": f"/dags/{report}/",
            "grid": f"{dag}grid/",
            "dag-runs": f"{dag}runs/",
            "calendar": f"{dag}calendar/",
            "durations": f"{dag}durations/",
            "schedule": f"{dag}schedule/",
            "dag-backfills": f"{dag}backfills/",
            "dag-why": f"{dag}why/?at=2026-11-01 12:00",
            "versions": f"{dag}versions/",
            "definition": f"{dag}definition/",
            "audit": f"{dag}audit/",
            "editor": f"{dag}edit/",
            "trigger": f"{dag}trigger/",
            "runs": "/runs/",
            "run": main,
            "gantt": f"{main}gantt/",
            "tasks": f"{main}tasks/",
            "details": f"{main}details/",
            "history": f"{main}history/",
            "run-failed": failed,
            "task": f"{main}tasks/{wordy['task_id']}/",
            "task-failed": f"{failed}tasks/{letter['task_id']}/",
            "dead-letters": "/dead-letters/",
            "approvals": "/approvals/",
            "backfills": "/backfills/",
            "import-errors": "/import-errors/",
            "pools": "/pools/",
            "queues": "/queues/",
            "workers": "/workers/",
            "connections": "/connections/",
            "variables": "/variables/",
        }
        pages["approval"] = f"/approvals/{_awaited(client, '/approvals?pending=true')['id']}/"
        pages["backfill"] = f"/backfills/{_awaited(client, '/backfills')['id']}/"
        return pages


def _awaited(client: httpx.Client, address: str) -> dict[str, Any]:
    """The first of a list, as soon as there is one."""

    def first() -> dict[str, Any] | None:
        rows = client.get(address).json()["results"]
        return rows[0] if rows else None

    found = wait_until(first, timeout=60, what=f"the demo has something at {address}")
    assert found is not None
    return found


def _sign_in(context: BrowserContext, password: str) -> None:
    page = context.new_page()
    page.goto("/admin/login/?next=/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_selector("nav.menu", state="attached")
    page.close()


def _shoot(context: BrowserContext, address: str, file: Path) -> None:
    """What is on the screen when everything is there."""
    page: Page = context.new_page()
    page.goto(address)
    page.wait_for_function("() => !document.querySelector('.htmx-request')")
    page.wait_for_timeout(400)
    session = context.new_cdp_session(page)
    picture = session.send("Page.captureScreenshot", {"format": "webp", "quality": 82})
    file.write_bytes(base64.b64decode(picture["data"]))
    sys.stdout.write(f"{file.relative_to(ROOT)}\n")
    page.close()


if __name__ == "__main__":
    main()
