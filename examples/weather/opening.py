"""Opening the archive for a run, and closing it again."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from skytrail.sdk import Fail, Skip

DATA = Path(__file__).resolve().parent.parent / "data"

_PATIENCE = 10.0

#: By address, the archives that this process has started: somebody has to collect what has ended.
_started: dict[str, subprocess.Popen[str]] = {}


def open_archive() -> dict[str, str | int]:
    """Starts the archive as a process of its own, which outlives this task.

    Returns its address, `{"url": …, "pid": …}`: later tasks get it through this output.
    """
    program = Path(__file__).with_name("archive.py")
    process = subprocess.Popen(
        [sys.executable, "-I", str(program), str(DATA)],
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        port = process.stdout.readline().strip()  # it writes when it listens, and not before
    if not port:
        raise RuntimeError(f"the archive did not open: exit code {process.wait()}")
    url = f"http://127.0.0.1:{port}"
    _collect()
    _started[url] = process
    print(f"the archive is open at {url}, with {len(list(DATA.iterdir()))} files")
    return {"url": url, "pid": process.pid}


def close_archive(url: str | None) -> str:
    """Asks the archive to stop, and sees that it has.

    Called however the run went; `url` is None where the archive was never opened.
    """
    if url is None:
        raise Skip("the archive was never opened")
    request = urllib.request.Request(f"{url}/stop", method="POST", data=b"")  # noqa: S310  # our own
    deadline = time.monotonic() + _PATIENCE
    while _answers(request):
        if time.monotonic() > deadline:
            raise Fail(f"the archive at {url} does not close")
        time.sleep(0.05)
    if url in _started:  # another process of the worker may have opened it
        _started.pop(url).wait(timeout=_PATIENCE)
    print("the archive is closed: nobody listens there any more")
    return "closed"


def _collect() -> None:
    for url, process in list(_started.items()):
        if process.poll() is not None:
            del _started[url]


def _answers(request: urllib.request.Request) -> bool:
    try:
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310  # our own
            return True
    except urllib.error.URLError as error:
        return not isinstance(error.reason, ConnectionRefusedError)
    except OSError:  # it went away while it was answering
        return True
