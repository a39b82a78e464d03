"""Finding the installation that a command is about, and getting Django ready for it."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from skytrail.embedded import DEFAULT_FOLDER
from skytrail.errors import Unavailable
from skytrail.security.subject import Operator


class NotRunning(Unavailable):
    """Skytrail does not run in {folder}. Start it there with `skytrail up`, name another folder in
    SKYTRAIL_DATA_DIR, or set DATABASE_URL and REDIS_URL to where it is.
    """


class DatabaseAway(Unavailable):
    """The database cannot be reached: {reason}"""


def connect() -> Operator:
    """Makes Django ready for the installation at hand, and says who acts.

    It is the one that DATABASE_URL names, else the one that `skytrail up` runs in the data folder.
    Raises `NotRunning` or `DatabaseAway`.
    """
    if not os.environ.get("DATABASE_URL"):
        _use_running()
    import django  # takes the settings from the environment prepared above
    from django.db import OperationalError, connection

    django.setup()
    import skytrail.celery  # noqa: F401  # what is triggered has to reach the broker

    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise DatabaseAway(reason=str(error).strip().splitlines()[0]) from None
    return Operator()


def actor() -> str:
    """Who acts, as history writes it."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:uid {os.getuid()}"


def _use_running() -> None:
    from skytrail.embedded.home import Home, running

    folder = Path(os.environ.get("SKYTRAIL_DATA_DIR") or DEFAULT_FOLDER)
    state = running(folder)
    if state is None:
        raise NotRunning(folder=folder.resolve())
    os.environ["DATABASE_URL"] = state.database_url
    os.environ["REDIS_URL"] = state.redis_url
    home = Home(folder)
    os.environ.setdefault("SKYTRAIL_SECRET_KEY", home.secret(state.secret_key_name))
    os.environ.setdefault("SKYTRAIL_FERNET_KEYS", home.secret(state.fernet_key_name))
