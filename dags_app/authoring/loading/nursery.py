"""A process that has imported what files of DAGs need, and forks a child for each file.

    python -m dags_app.authoring.loading.nursery SECONDS MEGABYTES

takes `[FILE, ROOT or null]` on each line of its input, and answers each with a line of JSON. One
file at a time: so whatever is descended from this process belongs to the file that is being loaded.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path

import psutil

from dags_app.authoring.loading.reading import read_file
from dags_app.authoring.loading.results import Fault, Loaded

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

#: What files import: done here, so that no child has to. By its name, for it stands higher up.
_OF_FILES = "skytrail.sdk"

#: More than this is no definition.
_MOST_BYTES = 64 * 1024 * 1024


def main() -> None:
    """Loads files until there is no more input."""
    seconds, megabytes = float(sys.argv[1]), int(sys.argv[2])
    importlib.import_module(_OF_FILES)
    # Python takes what it has compiled for current if only size and second are the same.
    sys.dont_write_bytecode = True
    # What a file leaves behind becomes ours, also if it has left the session: so it can be found.
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for line in sys.stdin:
        file, root = (Path(name) if name else None for name in json.loads(line))
        assert file is not None
        answer = _load(file, root, seconds=seconds, megabytes=megabytes).as_data()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _load(file: Path, root: Path | None, *, seconds: float, megabytes: int) -> Loaded:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_a_child(file, root, writing, megabytes=megabytes)
    os.close(writing)
    try:
        raw = _answer(reading, until=time.monotonic() + seconds)
    finally:
        os.close(reading)
        status = _end(child)
    if raw is None:
        return _failed(file, f"it takes longer than {seconds:g} s to load; do the work in tasks")
    try:
        return Loaded.of_data(file, json.loads(raw))
    except ValueError:
        return _failed(file, _untimely_end(status))


def _be_a_child(file: Path, root: Path | None, writing: int, *, megabytes: int) -> None:
    """Reads the file, and ends: nothing of the nursery's goes on in here."""
    try:
        parent = os.getppid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):  # what the file prints must not be taken for an answer
            os.dup2(nowhere, stream)
        limit = megabytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pid = os.getpid()
        loaded = read_file(file, root)
        if os.getpid() == pid:  # else the file has forked, and this is the other one
            # Dates that YAML has read are text again, as every reader of definitions takes them.
            answer = json.dumps(loaded.as_data(), default=str).encode()
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(answer)
    finally:
        os._exit(0)


def _answer(reading: int, *, until: float) -> bytes | None:
    """All that comes until the pipe is closed or holds a whole answer; None when time is up."""
    found = bytearray()
    while (left := until - time.monotonic()) > 0:
        if not select.select([reading], [], [], left)[0]:
            break
        piece = os.read(reading, 1 << 16)
        found += piece
        if not piece or len(found) > _MOST_BYTES:
            return bytes(found)
    # Somebody who was forked may hold the pipe open after everything has been said.
    return bytes(found) or None


def _end(child: int) -> int:
    """Ends the child and all that it has started; how it ended, as `os.wait` tells it."""
    ended = 0
    done, status = os.waitpid(child, os.WNOHANG)
    us = psutil.Process()
    while offspring := us.children(recursive=True):
        for process in offspring:
            if process.pid == child and not done and process.status() != psutil.STATUS_ZOMBIE:
                done, status = _a_moment_to_end(child)
            if process.pid != child or not done:
                _kill(process)
        ended = _reap(child) or ended
    return status if done else ended


def _a_moment_to_end(child: int) -> tuple[int, int]:
    """It may be on its way out: its pipe is closed a little before it has ended."""
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return done, status
        select.select([], [], [], 0.002)
    return 0, 0


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def _reap(child: int) -> int:
    """Takes note of all who have ended; the status of `child`, if it was among them."""
    found = 0
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return found
            if pid == child:
                found = status
    except ChildProcessError:
        return found


def _untimely_end(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        name = signal.Signals(-code).name
        return f"its process was ended by {name} while it was loaded"
    return "it ends its process while it is loaded (os._exit?); a file of DAGs only defines them"


def _failed(file: Path, message: str) -> Loaded:
    return Loaded(file=file, faults=(Fault(message=message),))


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


if __name__ == "__main__":
    main()
