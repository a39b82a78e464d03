"""Measures pages and lists as people and programs get them, with a long history in the database.

    python -m benchmarks.pages                                            # seeds one of its own
    python -m benchmarks.pages --url http://127.0.0.1:48080 --password …  # one that is up already

Whoever asks has signed in through the form. Each address is asked for one after the other, and in a
browser, whose cache has been filled before: time to the first content, and until everything is
there, with what the page asks for by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks import installation

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

#: What is asked for. `{dag}` has many runs, `{run}` is one of them, `{task}` one of its tasks.
ADDRESSES = (
    "/",
    "/last-day/",
    "/timeline/",
    "/search/?q=orders",
    "/dags/",
    "/dags/?q=orders",
    "/dags/?tag=finance",
    "/dags/{dag}/",
    "/dags/{dag}/recent/",
    "/dags/{dag}/runs/",
    "/dags/{dag}/grid/",
    "/dags/{dag}/calendar/",
    "/dags/{dag}/durations/",
    "/dags/{dag}/versions/",
    "/dags/{dag}/definition/",
    "/dags/{dag}/schedule/",
    "/dags/{dag}/backfills/",
    "/dags/{dag}/audit/",
    "/runs/",
    "/runs/?state=failed",
    "/dags/{dag}/runs/{run}/",
    "/dags/{dag}/runs/{run}/gantt/",
    "/dags/{dag}/runs/{run}/tasks/",
    "/dags/{dag}/runs/{run}/history/",
    "/dags/{dag}/runs/{run}/tasks/{task}/",
    "/dead-letters/",
    "/backfills/",
    "/approvals/",
    "/pools/",
    "/queues/",
    "/workers/",
    "/import-errors/",
    "/variables/",
    "/admin/",
    "/admin/dags_app/dag/",
    "/admin/runs_app/dagrun/",
    "/admin/runs_app/deadletter/",
    "/api/v1/dags",
    "/api/v1/dags?tag=finance",
    "/api/v1/dags?limit=200",
    "/api/v1/dags/{dag}",
    "/api/v1/dags/{dag}/status",
    "/api/v1/dags/{dag}/runs",
    "/api/v1/dags/{dag}/versions",
    "/api/v1/runs",
    "/api/v1/runs?state=failed",
    "/api/v1/runs?state=cancelled",
    "/api/v1/dags/{dag}/runs/{run}",
    "/api/v1/dags/{dag}/runs/{run}/tasks",
    "/api/v1/dags/{dag}/runs/{run}/tasks/{task}/logs",
    "/api/v1/dead-letters",
    "/api/v1/backfills",
    "/api/v1/pools",
    "/api/v1/assets",
)

#: Seconds that a page may take until its first content and as a whole, and a list at p95.
FIRST_GOAL, COMPLETE_GOAL, LIST_GOAL = 0.3, 1.0, 0.1

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@dataclass(frozen=True)
class Measured:
    """An address and its times in seconds; those of the browser are None for what is no page."""

    #: As it is in `ADDRESSES`, and with names filled in.
    address: str
    path: str
    status: int
    kilobytes: float
    #: Whether it is a page, and no list for programs and no piece of a page.
    is_page: bool
    times: list[float]
    first_content: float | None = None
    complete: float | None = None

    @property
    def p50(self) -> float:
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.times, n=20, method="inclusive")[-1]

    @property
    def is_met(self) -> bool:
        if self.first_content is not None and self.complete is not None:
            return self.first_content <= FIRST_GOAL and self.complete <= COMPLETE_GOAL
        return self.p95 <= LIST_GOAL

    def cells(self) -> list[str]:
        browser = (self.first_content, self.complete)
        return [
            self.address,
            f"{self.kilobytes:.0f} kB",
            f"{self.p50 * 1000:.0f} ms",
            f"{self.p95 * 1000:.0f} ms",
            *("–" if each is None else f"{each * 1000:.0f} ms" for each in browser),
            "met" if self.is_met else "missed",
        ]


def main() -> None:
    """See the module."""
    options = _options()
    with _place(options) as (url, password):
        client = signed_in(url, options.user, password)
        filled_in = names(lambda path: client.get(path).raise_for_status().json(), options.dag)
        measured = [
            _ask(client, address, address.format(**filled_in), rounds=options.rounds)
            for address in options.address or ADDRESSES
        ]
        if not options.no_browser:
            measured = _look(url, client, measured)
    there = [each for each in measured if each.status == httpx.codes.OK]
    _show(there)
    for each in measured:
        if each not in there:
            print(f"{each.address}: {each.status}, not measured")
    if options.json:
        rows = [asdict(each) | {"p50": each.p50, "p95": each.p95} for each in there]
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pages",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", help="an installation that is up; none: one of its own")
    parser.add_argument("--user", default="admin")
    parser.add_argument("--password", default=os.environ.get("SKYTRAIL_ADMIN_PASSWORD", ""))
    parser.add_argument("--dags", type=int, default=10_000, help="of one of its own")
    parser.add_argument("--task-runs", type=int, default=1_000_000, help="likewise")
    parser.add_argument("--dag", help="which; none: one of those that ran most lately")
    parser.add_argument("--rounds", type=int, default=20, help="how often each is asked for")
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("address", nargs="*", help="only these, like /api/v1/dags/{dag}")
    return parser.parse_args()


@contextmanager
def _place(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """The address of the web server, and the password of the user."""
    if options.url:
        yield options.url.rstrip("/"), options.password
        return
    with (
        tempfile.TemporaryDirectory(prefix="skytrail-pages-") as folder,
        installation.skytrail(Path(folder), concurrency=2) as running,
    ):
        figures = (f"--dags={options.dags}", f"--task-runs={options.task_runs}")
        subprocess.run([sys.executable, "-m", "skytrail.cli", "seed", *figures], check=True)
        yield running.url, running.password


def signed_in(url: str, user: str, password: str) -> httpx.Client:
    """A client with a session, from wherever the first page sends those who have none."""
    client = httpx.Client(base_url=url, follow_redirects=True, timeout=120, trust_env=False)
    form = client.get("/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
    if token is None:
        sys.exit(f"{form.url} shows no form to sign in with")
    answer = client.post(
        form.url,
        data={"username": user, "password": password, "csrfmiddlewaretoken": token[1]},
        headers={"Referer": str(form.url)},
    )
    if not client.cookies.get("sessionid"):
        sys.exit(f"{user} could not sign in at {form.url}: {answer.status_code}")
    return client


def names(get: Callable[[str], Any], dag: str | None) -> dict[str, str]:
    """A DAG, the latest of its runs and a task of it, as they stand in addresses.

    `get` answers with the JSON of an address. Without `dag` it is one that has run much lately.
    """
    where = "/api/v1/runs" if dag is None else f"/api/v1/dags/{quote(dag)}/runs"
    latest = get(f"{where}?limit=200")["results"]
    ((busiest, _),) = Counter(run["dag_id"] for run in latest).most_common(1)
    run = next(run for run in latest if run["dag_id"] == busiest)
    place = f"/api/v1/dags/{quote(run['dag_id'])}/runs/{quote(run['run_id'])}/tasks"
    task = get(place)["results"][0]["task_id"]
    found = {"dag": run["dag_id"], "run": run["run_id"], "task": task}
    return {name: quote(value) for name, value in found.items()}


def _ask(client: httpx.Client, address: str, path: str, *, rounds: int) -> Measured:
    """The first answer is not counted: it may have to warm things up."""
    answer = client.get(path)
    times = []
    for _ in range(rounds if answer.status_code == httpx.codes.OK else 2):
        began = time.monotonic()
        client.get(path)
        times.append(time.monotonic() - began)
    return Measured(
        address,
        path,
        answer.status_code,
        len(answer.content) / 1024,
        b"<html" in answer.content,
        times,
    )


def _look(url: str, client: httpx.Client, measured: Sequence[Measured]) -> list[Measured]:
    """The same with what a browser has to say of pages."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # not everybody has it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = _with_session(browser, url, client)
        found = [
            _in_a_browser(context, url, each)
            if each.status == httpx.codes.OK and each.is_page
            else each
            for each in measured
        ]
        browser.close()
    return found


def _with_session(browser: Browser, url: str, client: httpx.Client) -> BrowserContext:
    context = browser.new_context()
    session = str(client.cookies["sessionid"])
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    return context


#: The stream of events stays open, and is nothing to wait for.
_TIMINGS = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const rest = performance.getEntriesByType("resource").filter(e => !e.name.includes("/events/"));
  return [paint.startTime, Math.max(page.loadEventEnd, ...rest.map(e => e.responseEnd))];
}"""

_COMPLETE = """() => performance.getEntriesByName("first-contentful-paint").length > 0
  && !document.querySelector(".htmx-request")"""


def _in_a_browser(context: BrowserContext, url: str, measured: Measured) -> Measured:
    """Medians of five visits, after one that fills the browser's cache."""
    visits: list[list[Any]] = []
    for _ in range(6):
        page = context.new_page()
        page.goto(url + measured.path, wait_until="load")
        page.wait_for_function(_COMPLETE)
        visits.append(page.evaluate(_TIMINGS))
        page.close()
    first, complete = (statistics.median(times) / 1000 for times in zip(*visits[1:], strict=True))
    return Measured(
        **{**asdict(measured), "first_content": first, "complete": complete},
    )


def _show(measured: Sequence[Measured]) -> None:
    goals = f"pages ≤ {FIRST_GOAL * 1000:.0f} and ≤ {COMPLETE_GOAL * 1000:.0f} ms, lists' p95 ≤ "
    table = Table(title=f"Goals: {goals}{LIST_GOAL * 1000:.0f} ms", title_justify="left")
    for heading in ("address", "size", "p50", "p95", "first content", "complete", ""):
        table.add_column(heading, justify="left" if heading == "address" else "right")
    for each in measured:
        table.add_row(*each.cells(), style="" if each.is_met else "red")
    Console(width=None if sys.stdout.isatty() else 180).print(table)


if __name__ == "__main__":
    main()
