"""`skytrail demo`, as the first thing that anybody sees."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from skytrail.embedded.postgres_place import SHARED_FOLDER
from tests.waiting import wait_until

# Each starts everything anew; that takes its time where other tests run beside it.
pytestmark = pytest.mark.timeout(240)

DEMO = [sys.executable, "-m", "skytrail.cli", "demo"]

TASKS = {
    "workspace", "open_archive", "fetch_source", "fetch_days", "hours_seattle",
    "hours_san_francisco", "close_archive", "land", "inspect", "verdict", "quarantine",
    "year_2012", "year_2013", "year_2014", "year_2015", "load_tables", "report",
}  # fmt: skip


class Demo:
    """A running demo, started where there is nothing, whose temporary files are its own."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        # Passable, as a temporary folder is: under root PostgreSQL runs as somebody else.
        self.folder = Path(tempfile.mkdtemp(prefix="skytrail-test-demo-"))
        self.folder.chmod(0o755)
        self.log = self.folder / "demo.log"
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir(mode=0o755)
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*DEMO, *arguments],
                cwd=self.folder,
                env={**os.environ, "TMPDIR": str(self.temporary), **environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def says(self, text: str) -> None:
        """Waits until it has said `text`."""

        def said() -> bool:
            assert self.process.poll() is None or pytest.fail(self.said)
            return text in self.said

        wait_until(said, timeout=100, what=f"the demo says {text!r}")

    def leaves_nothing_behind(self, family: list[psutil.Process]) -> None:
        wait_until(
            lambda: not psutil.wait_procs(family, timeout=0)[1], timeout=30, what="all are gone"
        )
        assert list(self.temporary.iterdir()) == []
        assert not [
            owner
            for owner in SHARED_FOLDER.glob("*/belongs-to")
            if str(self.folder) in owner.read_text()
        ], "no database is kept elsewhere for it"

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
        for file in self.folder.rglob("*"):
            assert not file.is_file() or file == self.log
        self.log.unlink()
        self.temporary.rmdir()
        self.folder.rmdir()


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def demos() -> Iterator[list[Demo]]:
    made: list[Demo] = []
    yield made
    for demo in made:
        demo.end()


def test_the_demo_runs_the_main_example_and_leaves_nothing_behind(demos: list[Demo]) -> None:
    # Settings of an installation of the user's own must not lead the demo there.
    elsewhere = {"DATABASE_URL": "postgresql://127.0.0.1:1/theirs", "SKYTRAIL_ALLOWED_HOSTS": "x"}
    demo = Demo(**elsewhere)
    demos.append(demo)
    demo.says("is triggered over REST")
    family = demo.family()
    assert len(family) >= 8
    assert demo.process.wait(timeout=100) == 0, demo.said
    tree = demo.said.partition("success  weather_report")[2]
    assert "17 tasks: 16 success, 1 skipped" in tree
    lines = re.findall(r"── (\S) (\w+) +(\w+) +(?:\+(\d+\.\d\d) s +(\d+\.\d\d) s)?(.*)", tree)
    assert {name for _, _, name, *_ in lines} == TASKS
    states = {name: state for _, state, name, *_ in lines}
    assert {name for name, state in states.items() if state != "success"} == {"quarantine"}
    assert [name for *_, name, _, _, rest in lines if "2 tries" in rest] == ["fetch_source"]
    assert "try 1   GET" in tree
    assert "answered 503 Service Unavailable" in tree
    assert "why     verdict went on with year_2012" in tree
    assert "1,461 days looked at, 0 problems" in tree
    archive = re.search(r'"pid": (\d+)', tree)
    assert archive
    assert not _is_alive(int(archive[1])), "nobody serves the measurements any more"
    assert '"wettest_month": "December 2015: 284.5 mm"' in tree
    demo.leaves_nothing_behind(family)


def test_kept_running_it_has_much_to_look_at(demos: list[Demo]) -> None:
    demo = Demo("--keep")
    demos.append(demo)
    demo.says("Ctrl-C stops everything")
    family = demo.family()
    url, password = (
        re.search(rf"{before}(\S+)", demo.said)[1]  # type: ignore[index]
        for before in (r"web +", "as admin, password ")
    )
    with httpx.Client(base_url=f"{url}/api/v1/", timeout=20, trust_env=False) as client:

        def ask(path: str) -> Any:
            return client.get(path).raise_for_status().json()["results"]

        def states(name: str) -> list[str]:
            return [run["state"] for run in ask(f"dags/{name}/runs?limit=2")]

        credentials = {"username": "admin", "password": password}
        token = client.post("auth/token", json=credentials).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        assert states("invoices_report") == ["failed", "failed"]
        wait_until(lambda: ask("approvals"), timeout=30, what="somebody is asked")
        wait_until(
            lambda: states("ledger_close") == ["queued", "running"], timeout=30, what="one is late"
        )
        assert states("churn_training") == ["running", "running"]
        assert ask("dead-letters")
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(timeout=60) == 0, demo.said
    demo.leaves_nothing_behind(family)


def test_ctrl_c_during_the_start_stops_everything(demos: list[Demo]) -> None:
    demo = Demo()
    demos.append(demo)
    wait_until(lambda: list(demo.temporary.glob("*/pgdata")), timeout=60, what="it has begun")
    family = demo.family()
    assert family
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(timeout=60) == 128 + signal.SIGINT, demo.said
    assert "nothing is left behind" in demo.said
    assert "Traceback" not in demo.said
    demo.leaves_nothing_behind(family)


def test_a_port_that_is_taken_is_a_reason_not_to_start(demos: list[Demo]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = Demo("--port", str(port))
        demos.append(demo)
        assert demo.process.wait(timeout=60) == 6
    assert f"Port {port} for web cannot be used" in demo.said
    demo.leaves_nothing_behind([])
