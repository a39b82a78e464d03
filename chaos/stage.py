"""Where a case happens: its database, its processes, its load, and what is done to them.

`Grounds` are the suite's servers, started once; a `Stage` is one case's installation on them.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, LiteralString, TypeVar
from urllib.parse import urlsplit

import httpx
import psycopg
import redis
from psycopg import sql

from chaos.case import Case, Options
from chaos.load import Load
from chaos.parts import Part
from chaos.servers import Server
from chaos.waiting import Late, wait_until
from chaos.witness import Witness
from chaos.work import Shapes
from skytrail.embedded.command import Command
from skytrail.embedded.home import Home
from skytrail.embedded.ports import LOOPBACK, Ports
from skytrail.embedded.postgres import DATABASE, EmbeddedPostgres
from skytrail.embedded.valkey import EmbeddedValkey

T = TypeVar("T")

ROOT = Path(__file__).parents[1]

#: Seconds that a process may take to be there.
_TO_START = 90.0


@dataclass(frozen=True)
class Fault:
    """What was done, to whom (a part's label), and when (seconds since 1970).

    `takes` says which losses it explains: those of `one` execution of that worker, of `all` of
    them, or of `none`. `until` is when it was over, for those that last.
    """

    kind: str
    target: str
    at: float
    takes: str = "all"
    until: float | None = None


class Grounds:
    """The suite's servers and ports. `open` starts them; they end with the suite."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = Ports()
        self.password = secrets.token_urlsafe(16)
        home = Home(folder / "home").create()
        outside = Home(folder / "outside").create()
        self._postgres = EmbeddedPostgres(home, port=self.port("PostgreSQL"), fsync=False)
        self._outside = EmbeddedPostgres(
            outside, port=self.port("the witness's PostgreSQL"), fsync=False, shared_buffers="32MB"
        )
        self.postgres = Server("postgres", self._postgres, folder / "postgres.log")
        self.valkey = Server(
            "valkey", EmbeddedValkey(home, port=self.port("Valkey")), folder / "valkey.log"
        )
        self._outside_server = Server("witness-postgres", self._outside, folder / "outside.log")
        self.witness = Witness(self._outside.url, self.port("the witness"))
        self._listener = Part(
            "witness",
            Command(
                argv=(sys.executable, "-m", "chaos.witness"),
                env={**_own_environment(), **self.witness.environment()},
                cwd=ROOT,
            ),
            folder / "witness.log",
        )

    def port(self, purpose: str) -> int:
        """A free one."""
        return self.ports.choose(purpose=f"{purpose} {len(self.ports.chosen)}", option="")

    @contextlib.contextmanager
    def open(self) -> Iterator[Grounds]:
        """Within, the servers run, and there is a database to make those of the cases from."""
        servers = (self.valkey, self.postgres, self._outside_server)
        try:
            for server in servers:
                server.start()
            self.witness.prepare()
            self._listener.start()
            self._prepare_template()
            yield self
        finally:
            self._listener.kill_group()
            for server in servers:
                server.stop()
            self._postgres.place.forget()
            self._outside.place.forget()

    def database(self, name: str) -> str:
        """A database as it is after the first start, of this name; its URL."""
        self._on_server(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        self._on_server(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(DATABASE)
            )
        )
        return self._url(name)

    def heal(self) -> None:
        """Sees to it that the servers run and are empty, whatever a case has done to them."""
        for server in (self.valkey, self.postgres):
            if server.part is None or not server.part.is_alive:
                server.start()
        redis.Redis.from_url(self.valkey.url).flushall()
        self.witness.forget()

    def _prepare_template(self) -> None:
        environment = {
            **_own_environment(),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "SKYTRAIL_ADMIN_PASSWORD": self.password,
        }
        for command in (("migrate", "--verbosity=0"), ("skytrail_ensure_admin",)):
            subprocess.run(
                [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True
            )

    def _on_server(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _url(self, database: str) -> str:
        return urlsplit(self.postgres.url)._replace(path=f"/{database}").geturl()


@dataclass
class Stage:
    """One case's installation. All that starts processes is called from the main thread."""

    grounds: Grounds
    case: Case
    options: Options
    progress: Callable[[str], None]
    folder: Path = field(init=False)
    random: Random = field(init=False)
    parts: dict[str, Part] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    #: Processes that ended by themselves, which none should.
    deaths: list[str] = field(default_factory=list)
    last_words: list[str] = field(default_factory=list)
    #: Whatever a case wants to hand over to its own goals.
    notes: dict[str, Any] = field(default_factory=dict)
    #: For what ends with the case, after its processes.
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    load: Load = field(init=False)
    url: str = ""
    database_url: str = ""
    token: str = ""
    _next_look: float = 0.0

    def __post_init__(self) -> None:
        self.folder = self.grounds.folder / self.case.id
        self.folder.mkdir()
        self.random = Random(f"{self.options.seed}/{self.case.id}")

    # ------------------------------------------------------------------------- its life

    @contextlib.contextmanager
    def set_up(self) -> Iterator[Stage]:
        """Within, everything runs and the DAGs are saved; the load does not run yet."""
        self.grounds.heal()
        self.database_url = self.grounds.database(self.case.id.lower())
        port = self.grounds.port("web")
        self.url = f"http://{LOOPBACK}:{port}"
        try:
            self.start("web", "web", f"--port={port}")
            for number in range(self.case.dispatchers):
                self.start_dispatcher(f"d{number + 1}")
            for number in range(self.case.beats):
                self.start(f"b{number + 1}", "beat")
            for number in range(self.case.workers):
                self.start_worker(f"w{number + 1}")
            wait_until(self._answers, _TO_START, what="web answers")
            self._log_in()
            shapes = Shapes(
                self.random, self.grounds.witness.port, long=round(self.options.lease * 1.2, 1)
            )
            names = [self.save(document) for document in self.case.dags(shapes)]
            self.wait_for_workers()
            self.load = Load(
                self,
                names,
                random=Random(f"{self.options.seed}/{self.case.id}/load"),
                most=self.case.workers * self.case.processes,
            )
            yield self
        finally:
            self._end()

    def settle(self) -> bool:
        """Waits until every run has ended; whether that came about in time."""
        patience = self.case.patience + self.case.patience_leases * self.options.lease
        try:
            self.wait_until(self._all_have_ended, patience, what="every run has ended")
        except Late:
            return False
        return True

    # ------------------------------------------------------------------------- processes

    def start(self, label: str, program: str, *arguments: str, **environment: str) -> Part:
        """Starts a part with the real command line: `start("b2", "beat")`."""
        part = self.parts[label] = Part(
            label,
            Command(
                argv=(sys.executable, "-m", "skytrail.cli", program, *arguments),
                env={
                    **self.environment(),
                    **self.case.environment_of(self, label),
                    **environment,
                },
                cwd=ROOT,
            ),
            self.folder / f"{label}.log",
        )
        part.start()
        return part

    def start_worker(self, label: str, **environment: str) -> Part:
        """Starts a worker whose name is its label."""
        return self.start(
            label,
            "worker",
            f"--name={label}",
            f"--concurrency={self.case.processes}",
            **environment,
        )

    def start_dispatcher(self, label: str, **environment: str) -> Part:
        """Starts a dispatcher."""
        return self.start(label, "dispatcher", **environment)

    def workers(self) -> list[Part]:
        """The workers that are alive."""
        return [
            part
            for label, part in self.parts.items()
            if label.startswith("w") and label != "web"
            if part.is_alive
        ]

    def ready_workers(self) -> list[Part]:
        """Those of them that have reported themselves, as they are now."""
        pids = {row[0] for row in self.rows("SELECT pid FROM skytrail_worker")}
        return [worker for worker in self.workers() if worker.pid in pids]

    def wait_for_workers(self, *, but: int = 0) -> list[Part]:
        """Waits until all that are alive are ready, or all but some of them; returns who is."""
        wanted = len(self.workers()) - but

        def enough() -> list[Part]:
            ready = self.ready_workers()
            return ready if len(ready) >= wanted else []

        return self.wait_until(enough, _TO_START, what=f"{wanted} workers are ready")

    def environment(self) -> Mapping[str, str]:
        """For all processes of the installation."""
        return {
            **_own_environment(),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.grounds.valkey.url,
            "DJANGO_SETTINGS_MODULE": "chaos.settings",
            "SKYTRAIL_SECRET_KEY": "only for the chaos suite",
            "SKYTRAIL_DATA_DIR": str(self.folder),
            "SKYTRAIL_LEASE_SECONDS": str(self.options.lease),
            # How often a task may be lost is not the subject: here it is killed again and again.
            "SKYTRAIL_MAX_LOST": "50",
            "SKYTRAIL_TASK_MODULES": "chaos.effects",
            "PYTHONUNBUFFERED": "1",
            **self.grounds.witness.environment(),
            **self.case.environment,
        }

    # ------------------------------------------------------------------------- faults

    def note(self, kind: str, target: str, *, takes: str = "all", at: float | None = None) -> Fault:
        """Writes a fault down. Do it right before the fault."""
        fault = Fault(kind, target, time.time() if at is None else at, takes)
        self.faults.append(fault)
        return fault

    @contextlib.contextmanager
    def during(self, kind: str, target: str = "*", *, takes: str = "all") -> Iterator[None]:
        """Writes a fault down that lasts for as long as what is within."""
        fault = self.note(kind, target, takes=takes)
        try:
            yield
        finally:
            place = self.faults.index(fault)
            self.faults[place] = replace(fault, until=time.time())

    def rest(self, seconds: float) -> None:
        """Lets time pass: between faults, or while one lasts."""
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0:
            self._look()
            time.sleep(min(left, 0.1))

    def wait_until(self, fact: Callable[[], T], timeout: float, *, what: str) -> T:
        """As `waiting.wait_until`, and the case is kept an eye on meanwhile."""

        def seen() -> T:
            self._look()
            return fact()

        return wait_until(seen, timeout, what=what)

    # ------------------------------------------------------------------------- Skytrail's doors

    def client(self) -> httpx.Client:
        """For calls of the API as the admin."""
        return httpx.Client(
            base_url=f"{self.url}/api/v1/",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        )

    def save(self, document: dict[str, Any]) -> str:
        """Saves a DAG; its name."""
        with self.client() as client:
            client.post("dags", json=document).raise_for_status()
        return str(document["name"])

    def rows(self, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        """What the case's database says; nothing while it does not answer."""
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(self.database_url, autocommit=True, connect_timeout=3) as connection,
        ):
            return connection.execute(query, parameters).fetchall()
        return []

    def pressure(self) -> tuple[int, int]:
        """How many tasks are queued, and how many runs have not ended."""
        found = self.rows(
            "SELECT (SELECT count(*) FROM skytrail_task_run WHERE state = 'queued'),"
            " (SELECT count(*) FROM skytrail_dag_run WHERE finished_at IS NULL)"
        )
        return found[0] if found else (10**6, 10**6)

    # ------------------------------------------------------------------------- when it goes wrong

    def fsck(self) -> list[str]:
        """What `skytrail fsck` finds broken."""
        done = subprocess.run(
            [sys.executable, "-m", "skytrail.cli", "fsck", "--all", "--output=json"],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        try:
            breaches = json.loads(done.stdout)["breaches"]
        except (ValueError, KeyError):
            return [f"skytrail fsck ended with {done.returncode}: {done.stderr[-500:]}"]
        return [
            f"{row['invariant']} {row['dag_id']}/{row['run_id']} {row['task_id']}: {row['problem']}"
            for row in breaches
            if not row["is_warning"]
        ]

    def dump(self) -> str:
        """What helps to see why something does not end: rows that stand still, and logs."""
        lines = [f"=== {self.case.id} at {datetime.now(UTC):%H:%M:%S}"]
        lines += [
            " ".join(str(value) for value in row)
            for row in self.rows(
                "SELECT d.dag_id, r.run_id, r.state, r.degraded, t.task_id, t.state, t.epoch,"
                " t.lost_count, t.worker, t.publish_count, t.published_at, t.lease_expires_at,"
                " t.wake_at FROM skytrail_dag_run r JOIN skytrail_dag d ON d.id = r.dag_id"
                " JOIN skytrail_task_run t ON t.run_id = r.id"
                " WHERE r.finished_at IS NULL AND (t.finished_at IS NULL OR t.state = 'failed')"
                " ORDER BY r.id, t.position LIMIT 60"
            )
        ]
        for part in self.parts.values():
            lines.append(f"--- {part.label} ({'alive' if part.is_alive else 'ended'})")
            lines.append(part.last_words())
        return "\n".join(lines)

    # ------------------------------------------------------------------------- inside

    def _look(self) -> None:
        """Keeps an eye on the processes, as a supervisor would, and says how it goes."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + 0.5
        for part in self.parts.values():
            if not part.is_alive and not part.may_end and part.process is not None:
                self.deaths.append(f"{part.label} ended with {part.process.returncode}")
                self.last_words.append(f"--- {part.label}'s last words\n{part.last_words()}")
                part.start()
        counted = self.rows(
            "SELECT count(*), count(*) FILTER (WHERE finished_at IS NOT NULL),"
            " (SELECT count(*) FROM skytrail_task_run WHERE finished_at IS NOT NULL)"
            " FROM skytrail_dag_run"
        )
        if counted:
            runs, ended, tasks = counted[0]
            self.progress(
                f"{len(self.faults)} faults, {ended} of {runs} runs ended, {tasks} tasks done"
            )

    def _all_have_ended(self) -> bool:
        return self.pressure()[1] == 0

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _log_in(self) -> None:
        answer = httpx.post(
            f"{self.url}/api/v1/auth/token",
            json={"username": "admin", "password": self.grounds.password},
            timeout=30,
        )
        self.token = str(answer.raise_for_status().json()["access_token"])

    def _end(self) -> None:
        if hasattr(self, "load"):
            self.load.stop()
        for part in self.parts.values():
            part.terminate()
        for part in self.parts.values():
            part.stop(within=30)
        self.stack.close()


def _own_environment() -> dict[str, str]:
    """This process's, without what would lead to another installation."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SKYTRAIL_", "CHAOS_", "PG"))
    }
    return {**ours, "PYTHONPATH": str(ROOT)}
