"""What a Django project brings along: Celery tasks and functions, as they were before Skytrail."""

from __future__ import annotations

import os
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


def work_long(folder: str) -> None:
    """Says where it is at work, and does not end by itself."""
    (Path(folder) / "pid").write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)
