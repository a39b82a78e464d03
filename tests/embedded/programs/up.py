"""`skytrail up` over stand-ins: `up.py FOLDER [option=value …]`."""

from __future__ import annotations

import sys
from pathlib import Path

from skytrail.embedded.stack import Options, up
from skytrail.errors import SkytrailError

HERE = Path(__file__).parent


def main(folder: str, *settings: str) -> int:
    given = dict(setting.split("=", 1) for setting in settings)
    options = Options(
        data_dir=Path(folder),
        port=int(given.get("port", 0)),
        flower="no-flower" not in given,
        flower_port=0,
        postgres_port=int(given.get("postgres_port", 0)),
        concurrency=2,
        queues=("default", "heavy"),
        cli=(sys.executable, "-IS", str(HERE / "standin_cli.py")),
        django=(sys.executable, "-IS", str(HERE / "standin_django.py")),
    )
    try:
        return up(options)
    except SkytrailError as error:
        print(f"error: {error}", flush=True)  # noqa: T201
        return 1


sys.exit(main(*sys.argv[1:]))
