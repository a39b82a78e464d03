"""A supervisor over stand-ins: `supervise.py '{"infra": [...], "prepare": "…", "apps": [...]}'`.

Each stand-in is {"name", "code", …}, where `code` is Python that knows `say`, `on_stop` and `wait`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from skytrail.embedded.command import Command
from skytrail.embedded.console import Console
from skytrail.embedded.process import Backoff, Process
from skytrail.embedded.supervisor import Supervisor
from skytrail.errors import SkytrailError, Unavailable

PRELUDE = """
import os, signal, subprocess, sys, time
def say(*words): print(*words, flush=True)
def on_stop(do): signal.signal(signal.SIGTERM, lambda *_: (do(), os._exit(0)))
def wait():
    while True: signal.pause()
say("my pid is", os.getpid())
"""


class NotPrepared(Unavailable):
    """The preparation ended with {code}."""


def command(code: str) -> Command:
    return Command(argv=(sys.executable, "-IS", "-c", PRELUDE + code))


def process(spec: dict[str, Any]) -> Process:
    async def ready() -> bool:
        return Path(spec["ready_when"]).exists()

    return Process(
        name=spec["name"],
        command=Command(argv=tuple(spec["argv"])) if "argv" in spec else command(spec["code"]),
        grace=spec.get("grace", 5.0),
        ready=ready if "ready_when" in spec else None,
        ready_within=spec.get("ready_within", 10.0),
        backoff=Backoff(**spec.get("backoff", {})),
    )


def main() -> int:
    what = json.loads(sys.argv[1])

    async def prepare(supervisor: Supervisor) -> None:
        if code := await supervisor.run_errand("prepare", command(what["prepare"])):
            raise NotPrepared(code=code)

    console = Console(environ=os.environ)
    try:
        return Supervisor(
            infra=[process(spec) for spec in what.get("infra", [])],
            prepare=prepare if "prepare" in what else None,
            apps=[process(spec) for spec in what.get("apps", [])],
            on_ready=lambda: console.say("everything is ready"),
            console=console,
        ).run()
    except SkytrailError as error:
        console.say(f"error: {error}")
        return 1


sys.exit(main())
