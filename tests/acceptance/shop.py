"""What a Django project brings along: Celery tasks and functions, as they were before Skytrail."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from celery import shared_task

from skytrail.sdk import Skip


@shared_task
def send_invoice(customer: str, *, amount: int) -> dict[str, object]:
    """An existing Celery task."""
    return {"customer": customer, "amount": amount}


def count_rows(text: str) -> dict[str, int]:
    """A function that knows nothing of Skytrail."""
    return {"rows": len(text.split())}


def pick(rows: int) -> str:
    """A decision."""
    return "many" if rows > 2 else "few"


def fail_until(folder: str, times: int) -> str:
    """Fails so many times, and says so."""
    mark = Path(folder) / "tries"
    tries = int(mark.read_text()) if mark.exists() else 0
    mark.write_text(str(tries + 1))
    if tries < times:
        raise RuntimeError(f"try {tries + 1} fails")
    return f"try {tries + 1} works"


def nothing_today() -> None:
    """Nothing to do."""
    raise Skip("no orders today")


def gather_a_crowd(folder: str) -> None:
    """Has others work for it, in every way there is, and does not end by itself."""
    marks = Path(folder)

    def mark(name: str) -> list[str]:
        return ["/bin/bash", "-c", f"echo $$ > {marks / name}; sleep 1000"]

    subprocess.Popen(mark("child"))
    subprocess.Popen(mark("far"), start_new_session=True)
    subprocess.Popen(mark("wiped"), start_new_session=True, env={})
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            (marks / "fork").write_text(f"{os.getpid()}\n")
            time.sleep(1000)
        os._exit(0)
    os.wait()
    (marks / "pool").write_text(f"{os.getpid()}\n")
    time.sleep(1000)


def end_at_once(folder: str) -> str:
    """Ends its process as C code does that gets no memory, once; then works."""
    mark = Path(folder) / "ended"
    if mark.exists():
        return "works"
    mark.touch()
    os.abort()


def work_long(folder: str) -> None:
    """Says where it is at work, and does not end by itself."""
    (Path(folder) / "pid").write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)
