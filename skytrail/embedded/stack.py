"""All of Skytrail in one terminal: what `skytrail up` starts, in which order, with what to know.

PostgreSQL and Valkey (or the servers that DATABASE_URL and REDIS_URL name); then the migrations and
the first user; then web, dispatcher, worker, beat and Flower.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import secrets
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from skytrail.embedded import DEFAULT_FOLDER
from skytrail.embedded.command import Command
from skytrail.embedded.console import Console
from skytrail.embedded.dags_dir import dags_dir
from skytrail.embedded.home import Home, State
from skytrail.embedded.keeper import how_it_ended
from skytrail.embedded.ports import LOOPBACK, Ports
from skytrail.embedded.postgres import EmbeddedPostgres
from skytrail.embedded.process import Process
from skytrail.embedded.supervisor import Supervisor
from skytrail.embedded.valkey import EVERYDAY_WORDS, EmbeddedValkey
from skytrail.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WEB_PORT = 48080
FLOWER_PORT = 45555

#: Names of secrets in the data directory.
SECRET_KEY = "secret-key"  # noqa: S105 - the name of the secret
FERNET_KEY = "fernet-key"
FLOWER_PASSWORD = "flower-password"  # noqa: S105 - the name of the secret

ADMIN = "admin"
FLOWER_USER = "skytrail"
ADMIN_PASSWORD_VARIABLE = "SKYTRAIL_ADMIN_PASSWORD"  # noqa: S105 - the name of the variable

#: Exit codes of `skytrail_ensure_admin`.
_CREATED, _WAS_THERE = 0, 10


class PreparationFailed(Unavailable):
    """The preparation of the database failed: `{command}` ended with {ending}. Its lines above say
    why; when that is put right, start again.
    """


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may be chosen about a start. Ports: None is the usual one, 0 any that is free.

    `cli` and `django` are the programs that the parts and the preparation are subcommands of.
    """

    data_dir: Path = DEFAULT_FOLDER
    port: int | None = None
    flower: bool = True
    flower_port: int | None = None
    postgres_port: int | None = None
    redis_port: int | None = None
    concurrency: int | None = None
    queues: tuple[str, ...] = ()
    #: Seconds for a worker to end the tasks it has begun, when everything is stopped.
    worker_grace: float = 15.0
    cli: tuple[str, ...] = (sys.executable, "-m", "skytrail.cli")
    django: tuple[str, ...] = (sys.executable, "-m", "django")


def up(options: Options, *, environ: Mapping[str, str] = os.environ) -> int:
    """Start everything, keep it running until a signal, stop everything. The exit code.

    Raises the SkytrailError that made a start impossible, after whatever ran has been stopped.
    """
    home = Home(options.data_dir).create()
    with home.locked():
        stack = Stack(options, home=home, environ=environ)
        try:
            return stack.run()
        finally:
            home.withdraw()


class Stack:
    """The parts of one start. Make and use it while holding the home's lock."""

    def __init__(self, options: Options, *, home: Home, environ: Mapping[str, str]) -> None:
        self.options = options
        self.home = home
        self._environ = environ
        self._ports = Ports()
        # What people asked for comes before what is taken from the free ones.
        self._web_port = self._ports.choose(
            purpose="web", option="--port", asked=options.port, default=WEB_PORT
        )
        self._flower_port = self._choose_flower_port()
        self._postgres = self._choose_postgres()
        self._valkey = self._choose_valkey()
        self._dags_dir = dags_dir(environ)
        self._admin_password = environ.get(ADMIN_PASSWORD_VARIABLE) or secrets.token_urlsafe(12)
        self._password_to_show: str | None = None
        self.console = Console(environ=environ, hide=self._secrets())

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._web_port}"

    @property
    def database_url(self) -> str:
        return self._postgres.url if self._postgres else self._environ["DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        return self._valkey.url if self._valkey else self._environ["REDIS_URL"]

    @property
    def environment(self) -> dict[str, str]:
        """What the parts are told. Never through their arguments: those are for all to read."""
        environment = {
            "DJANGO_SETTINGS_MODULE": "skytrail.settings",
            **self._environ,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SKYTRAIL_SECRET_KEY": self._secret_key,
            "SKYTRAIL_FERNET_KEYS": self._fernet_keys,
            "SKYTRAIL_DATA_DIR": str(self.home.path),
            "PYTHONUNBUFFERED": "1",
        }
        if self._flower_port:
            environment["SKYTRAIL_FLOWER_URL"] = f"http://{LOOPBACK}:{self._flower_port}"
            environment.setdefault(
                "FLOWER_BASIC_AUTH", f"{FLOWER_USER}:{self.home.secret(FLOWER_PASSWORD)}"
            )
        if self._dags_dir:
            environment["SKYTRAIL_DAGS_DIR"] = str(self._dags_dir)
        environment.pop(ADMIN_PASSWORD_VARIABLE, None)  # only who makes the user gets to know it
        return environment

    @property
    def infra(self) -> list[Process]:
        """The servers, as far as they are ours to start."""
        processes = []
        if valkey := self._valkey:
            processes.append(
                Process(
                    name="redis",
                    command=valkey.command,
                    before=valkey.prepare,
                    ready=lambda: asyncio.to_thread(valkey.is_ready),
                    unsaid=EVERYDAY_WORDS,
                )
            )
        if postgres := self._postgres:
            processes.append(
                Process(
                    name="postgres",
                    command=postgres.command,
                    before=postgres.prepare,
                    ready=lambda: asyncio.to_thread(postgres.is_ready),
                    # A checkpoint may have much to write. Killed, it recovers at the next start.
                    grace=30.0,
                )
            )
        return processes

    @property
    def apps(self) -> list[Process]:
        """Skytrail's own parts. Flower comes last: it asks the workers who they are."""
        options = self.options
        worker = ["worker"]
        if options.concurrency is not None:
            worker += ["--concurrency", str(options.concurrency)]
        if options.queues:
            worker += ["--queues", ",".join(options.queues)]
        web = ["web", "--host", LOOPBACK, "--port", str(self._web_port)]
        apps = [
            Process(
                name="web",
                command=self._app(*web),
                grace=8.0,
                ready=lambda: asyncio.to_thread(self._web_answers),
            ),
            Process(name="dispatcher", command=self._app("dispatcher"), grace=options.worker_grace),
            Process(name="worker", command=self._app(*worker), grace=options.worker_grace),
            Process(name="beat", command=self._app("beat")),
        ]
        if self._dags_dir:
            apps.append(
                Process(name="sync", command=self._app("sync", str(self._dags_dir), "--watch"))
            )
        if self._flower_port:
            flower = ["flower", "--port", str(self._flower_port)]
            apps.append(Process(name="flower", command=self._app(*flower), grace=5.0))
        return apps

    def run(self) -> int:
        """Run all of it under a supervisor. The exit code; raises what made the start fail."""
        supervisor = Supervisor(
            infra=self.infra,
            prepare=self._prepare,
            apps=self.apps,
            on_ready=self._welcome,
            console=self.console,
        )
        self.console.say(f"starting, with data in {self.home.path}")
        try:
            return supervisor.run()
        finally:
            self._show_password_after_all()

    async def _prepare(self, supervisor: Supervisor) -> None:
        """Bring the database up to date, and see to it that somebody can sign in."""
        self._publish(ready=False)
        self.console.say("preparing the database")
        migrate = (*self.options.django, "migrate", "--noinput", "-v0")
        await self._run_errand(supervisor, "migrate", migrate, self.environment)
        code = await self._run_errand(
            supervisor,
            "admin",
            (*self.options.django, "skytrail_ensure_admin"),
            {**self.environment, ADMIN_PASSWORD_VARIABLE: self._admin_password},
            fine=(_CREATED, _WAS_THERE),
        )
        if code == _CREATED and not self._environ.get(ADMIN_PASSWORD_VARIABLE):
            self._password_to_show = self._admin_password

    async def _run_errand(
        self,
        supervisor: Supervisor,
        name: str,
        argv: tuple[str, ...],
        environment: dict[str, str],
        *,
        fine: tuple[int, ...] = (0,),
    ) -> int:
        code = await supervisor.run_errand(name, Command(argv=argv, env=environment))
        if code not in fine:
            raise PreparationFailed(command=" ".join(argv), ending=how_it_ended(code))
        return code

    def _web_answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self._web_port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _app(self, *arguments: str) -> Command:
        return Command(
            argv=(*self.options.cli, *arguments),
            env=self.environment,
            stop_signal=signal.SIGTERM,
            death_signal=signal.SIGKILL,
        )

    def _welcome(self) -> None:
        self._publish(ready=True)
        sign_in = f"as {ADMIN}"
        if self._password_to_show:
            sign_in += f", password {self._password_to_show}  (shown only this once)"
        rows = {
            "Skytrail is up": self.url,
            "sign in": sign_in,
            **({"workers": f"{self.url}/flower/"} if self._flower_port else {}),
            **({"DAGs from": str(self._dags_dir)} if self._dags_dir else {}),
            "data": self._where_the_data_is(),
        }
        width = max(map(len, rows))
        lines = [f"  {name:<{width}}   {text}" for name, text in rows.items()]
        self.console.block("\n".join([*lines, "  Ctrl-C stops everything."]))
        self._password_to_show = None

    def _show_password_after_all(self) -> None:
        """It exists nowhere else: also a start that was cut short has to say it."""
        if self._password_to_show:
            self.console.block(
                f"  The user {ADMIN} was made, with the password {self._password_to_show}"
                "  (shown only this once)"
            )

    def _where_the_data_is(self) -> str:
        pgdata = self._postgres.pgdata if self._postgres else None
        if pgdata and self.home.path not in pgdata.parents:
            return f"{self.home.path}, and the database in {pgdata}"
        return str(self.home.path)

    def _publish(self, *, ready: bool) -> None:
        self.home.publish(
            State(
                pid=os.getpid(),
                url=self.url,
                ports=dict(self._ports.chosen),
                database_url=self.database_url,
                redis_url=self.redis_url,
                secret_key_name=SECRET_KEY,
                fernet_key_name=FERNET_KEY,
                ready=ready,
            )
        )

    def _choose_flower_port(self) -> int | None:
        if not self.options.flower:
            return None
        return self._ports.choose(
            purpose="Flower",
            option="--flower-port",
            asked=self.options.flower_port,
            default=FLOWER_PORT,
        )

    def _choose_postgres(self) -> EmbeddedPostgres | None:
        if self._environ.get("DATABASE_URL"):
            return None
        port = self._ports.choose(
            purpose="PostgreSQL", option="--postgres-port", asked=self.options.postgres_port
        )
        return EmbeddedPostgres(self.home, port=port, environ=self._environ)

    def _choose_valkey(self) -> EmbeddedValkey | None:
        if self._environ.get("REDIS_URL"):
            return None
        port = self._ports.choose(
            purpose="Redis", option="--redis-port", asked=self.options.redis_port
        )
        return EmbeddedValkey(self.home, port=port, environ=self._environ)

    @property
    def _secret_key(self) -> str:
        return self._environ.get("SKYTRAIL_SECRET_KEY") or self.home.secret(SECRET_KEY)

    @property
    def _fernet_keys(self) -> str:
        return self._environ.get("SKYTRAIL_FERNET_KEYS") or self.home.secret(FERNET_KEY)

    def _secrets(self) -> list[str]:
        """What no line may show.

        A password of the user's own may be an everyday word, so it is masked only where it stands
        in a URL.
        """
        names = (SECRET_KEY, FERNET_KEY, FLOWER_PASSWORD)
        hidden = [self.home.secret(name) for name in names]
        if not self._environ.get(ADMIN_PASSWORD_VARIABLE):
            hidden.append(self._admin_password)
        for server, url in (
            (self._postgres, self.database_url),
            (self._valkey, self.redis_url),
        ):
            if password := urlsplit(url).password:
                hidden.append(password if server else f":{password}@")
        return hidden
