"""The data directory: what `skytrail up` keeps between two starts, and what it tells meanwhile.

The folder itself is 0700 (under root 0710, for the group of the user PostgreSQL runs as). In it:

- `.gitignore`, so that no secret is ever committed
- `lock`, held for as long as a supervisor lives; in it is its pid
- `state.json`, 0600: how other commands in this folder connect; gone after a clean stop
- `secrets/`, 0700: one secret a file, each 0600, made once
- `pgdata/`, `valkey/`: the servers' own
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import secrets
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from skytrail.embedded import DEFAULT_FOLDER
from skytrail.errors import Conflict, Forbidden, Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator


_LOCK = "lock"
_STATE = "state.json"


class AlreadyRunning(Conflict):
    """Skytrail already runs in {folder} (pid {pid}). Stop it with Ctrl-C in its terminal or with
    `kill {pid}`, or start this one in another folder with --data-dir.
    """


class DataDirectoryNotYours(Forbidden):
    """{folder} belongs to {owner}, and this is {user}. Run Skytrail as {owner}, or choose another
    folder with --data-dir.
    """


class DataDirectoryUnusable(Invalid):
    """{folder} cannot hold Skytrail's data: {reason}. Choose another folder with --data-dir."""


class State(BaseModel):
    """What a running supervisor tells other commands in the same folder.

    `secret_key_name` names the secret in the data directory that Django's secret key is, and
    `fernet_key_name` the one that connections and variables are encrypted with; `ready` turns true
    when the web server has answered for the first time.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    url: str
    ports: dict[str, int]
    database_url: str
    redis_url: str
    secret_key_name: str
    fernet_key_name: str
    ready: bool = False


class Home:
    """The data directory at `path`; `create` makes it."""

    def __init__(self, path: Path | str = DEFAULT_FOLDER) -> None:
        self.path = Path(path).expanduser().resolve()

    def __repr__(self) -> str:
        return f"Home({str(self.path)!r})"

    def create(self) -> Self:
        """Make the folder if it is missing. Raises DataDirectoryUnusable, DataDirectoryNotYours."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _must_be_ours(self.path)
            self.folder("secrets")
            (self.path / ".gitignore").write_text("*\n")
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataDirectoryUnusable(folder=self.path, reason=reason) from error
        return self

    def folder(self, name: str) -> Path:
        """The folder of this name in the data directory, made if it is missing, for us alone."""
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def open_to_group(self, gid: int) -> None:
        """Let a group pass through the folder, but not list it: on the way to data of its own."""
        os.chown(self.path, -1, gid)
        self.path.chmod(0o710)

    def secret(self, name: str) -> str:
        """The random secret of this name; made when it is asked for the first time."""
        file = self.folder("secrets") / name
        if file.exists() and not file.read_text().strip():
            file.unlink(missing_ok=True)  # a crash has left it; we ourselves write whole files
        if not file.exists():
            _write_new(file, secrets.token_urlsafe(32))
        return file.read_text().strip()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder: while one supervisor does, a second is refused with AlreadyRunning.

        The kernel lets go of the lock when the process ends, however it ends. The file stays:
        removing a file that others may be locking would give two of them a lock each.
        """
        descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                taken = _take(descriptor)
            except OSError as error:  # some network file systems know no locks
                reason = f"it cannot be locked ({error.strerror})"
                raise DataDirectoryUnusable(folder=self.path, reason=reason) from error
            if not taken:
                raise AlreadyRunning(folder=self.path, pid=_pid_in(descriptor) or "unknown")
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def publish(self, state: State) -> None:
        """Write the state file, whole or not at all."""
        descriptor, temporary = tempfile.mkstemp(dir=self.path, prefix=f"{_STATE}.")
        with os.fdopen(descriptor, "w") as file:
            file.write(state.model_dump_json(indent=2))
        Path(temporary).replace(self.path / _STATE)

    def withdraw(self) -> None:
        """Remove the state file."""
        (self.path / _STATE).unlink(missing_ok=True)


def running(data_dir: Path | str = DEFAULT_FOLDER) -> State | None:
    """How to connect to the supervisor that runs in this folder; None when none does.

    A state file that a killed supervisor left behind does not count: the lock has to be held, by
    the process that wrote it. Raises DataDirectoryNotYours.
    """
    folder = Home(data_dir).path
    try:
        state = State.model_validate_json((folder / _STATE).read_bytes())
        descriptor = os.open(folder / _LOCK, os.O_RDONLY)
    except PermissionError as error:
        raise _not_ours(folder) from error
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return state if _pid_in(descriptor) == state.pid else None
    finally:
        os.close(descriptor)
    return None


def _take(descriptor: int) -> bool:
    """Whether the lock could be had. `running` holds it for an instant: that is waited for."""
    for _ in range(10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


def _pid_in(descriptor: int) -> int | None:
    digits = os.pread(descriptor, 32, 0)
    return int(digits) if digits.isdigit() else None


def _write_new(file: Path, text: str) -> None:
    """Write a file that nobody sees half-written; where another was first, that one's stays."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent)  # 0600
    try:
        with os.fdopen(descriptor, "w") as new:
            new.write(text)
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(temporary)
    finally:
        Path(temporary).unlink()


def _must_be_ours(folder: Path) -> None:
    """Refuse another user's folder: what two users write by turns, neither can read in the end."""
    if folder.stat().st_uid != os.geteuid():
        raise _not_ours(folder)


def _not_ours(folder: Path) -> DataDirectoryNotYours:
    try:
        owner = _user_name(folder.stat().st_uid)
    except OSError:
        owner = "another user"
    return DataDirectoryNotYours(folder=folder, owner=owner, user=_user_name(os.geteuid()))


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
