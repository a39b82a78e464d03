# ruff: noqa: T201 - users print
"""Functions and Celery tasks as users write them, good and bad, for executors to run."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from celery import current_task, shared_task
from celery.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded

from skytrail.sdk import Fail, Skip

NASTY = "NUL \x00, half \ud800, שלום, 🙂, \x1b[31m"
NASTY_KEPT = "NUL \ufffd, half ?, שלום, 🙂, \x1b[31m"

not_callable = 3


class Shelf:
    """A class with methods that can be named."""

    @staticmethod
    def put(what: str) -> str:
        return f"put {what}"


def give(value: Any = None) -> Any:
    return value


def say(text: str) -> None:
    print(text)


def say_and_give(text: str) -> str:
    print(text)
    return text


def say_nasty() -> None:
    print(NASTY)


def say_in_every_way() -> None:
    print("printed")
    sys.stderr.write("to stderr\n")
    sys.stdout.buffer.write("bytes é\n".encode())
    logging.getLogger("shop").info("logged %s", "so")
    logging.getLogger("shop").debug("not worth it")


def say_then_wait() -> None:
    print("begun", flush=True)
    while True:
        time.sleep(10)


def say_then_insist() -> None:
    """Thinks that it knows better."""
    print("begun", flush=True)
    while True:
        try:
            time.sleep(10)
        except BaseException:  # noqa: BLE001
            print("still here")
            return


def start_others_then_wait(folder: str) -> None:
    """Starts two processes, one of which has a session and no parent."""
    mark = f"echo $$ > {folder}/"
    near = subprocess.Popen(["bash", "-c", f"{mark}near.pid; sleep 1000"])
    near.returncode = -9  # nobody is to wonder that it was not waited for
    subprocess.run(["bash", "-c", f"setsid bash -c '{mark}far.pid; sleep 1000' &"], check=True)
    time.sleep(1000)


async def say_later(text: str) -> str:
    await asyncio.sleep(0)
    print(text)
    return text


def count_up() -> Iterator[int]:
    yield 1


async def count_up_later() -> AsyncIterator[int]:
    yield 1


def many(count: int) -> str:
    return "x" * count


def print_many(lines: int) -> None:
    for number in range(lines):
        print(f"line {number}")


def hoard(megabytes: int) -> int:
    """Asks for much at once."""
    return len(bytearray(megabytes * 1_048_576))


def hoard_bit_by_bit() -> None:
    """Keeps small things until there is no room for another."""
    kept: list[list[str]] = []
    while True:
        kept.append([str(len(kept))])


def hoard_and_make_do() -> str:
    """Knows what to do when there is no more."""
    try:
        hoard(1000)
    except MemoryError:
        return "with less"
    return "with all of it"


def hoard_in_children(megabytes: int) -> int:
    program = f"len(bytearray({megabytes} * 1_048_576))"
    return subprocess.run([sys.executable, "-c", program], check=False).returncode


def kinds() -> dict[str, Any]:
    return {"day": date(2026, 1, 31), "price": Decimal("1.10"), "pair": (1, 2)}


def a_set() -> set[int]:
    return {1}


def not_a_number() -> float:
    return float("nan")


def nul() -> str:
    return "a\x00b"


def skip(text: str = "") -> None:
    raise Skip(text)


def fail(text: str = "") -> None:
    raise Fail(text)


def break_down(text: str = "it broke") -> None:
    raise RuntimeError(text)


def break_down_nastily() -> None:
    raise RuntimeError(NASTY)


class _Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def break_down_wordlessly() -> None:
    raise _Unspeakable


def leave(code: Any = None) -> None:
    sys.exit(code)


def raise_base(name: str) -> None:
    raise {"keyboard": KeyboardInterrupt, "cancelled": asyncio.CancelledError}[name]("by itself")


def make_a_mess(folder: str) -> None:
    """Leaves its surroundings other than they were."""
    os.chdir(folder)
    os.environ["LEFT_BEHIND"] = "yes"
    os.environ.pop("PATH", None)
    signal.setitimer(signal.ITIMER_REAL, 1000)
    sys.stdout = sys.__stdout__


def what_it_is_executed_for() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("SKYTRAIL_")}


def where() -> str:
    return str(Path.cwd())


def pick(names: Any) -> Any:
    return names


# ------------------------------------------------------------------- Celery's


@shared_task
def celery_give(value: Any = None) -> Any:
    return value


@shared_task(bind=True)
def celery_bound(self: Any, value: int) -> dict[str, Any]:
    return {
        "value": value,
        "id": self.request.id,
        "retries": self.request.retries,
        "is_current": current_task.name == self.name,
    }


@shared_task(ignore_result=True)
def celery_of_no_interest() -> object:
    return object()


@shared_task(bind=True, max_retries=3)
def celery_retry(self: Any, text: str) -> None:
    try:
        break_down(text)
    except RuntimeError as error:
        raise self.retry(exc=error, countdown=60) from error


@shared_task(autoretry_for=(RuntimeError,), retry_backoff=True)
def celery_autoretry() -> None:
    break_down("again and again")


@shared_task
def celery_raise(kind: str) -> None:
    raise {
        "ignore": Ignore("nothing to do"),
        "reject": Reject("not mine"),
        "requeue": Reject("later", requeue=True),
        "retry": Retry("later"),
        "skip": Skip("not today"),
        "fail": Fail("never"),
    }[kind]


@shared_task
def celery_say(text: str) -> None:
    print(text)


@shared_task
def celery_hoard(megabytes: int) -> int:
    return hoard(megabytes)


@shared_task
def celery_wait() -> None:
    say_then_wait()


@shared_task(time_limit=0.3)  # type: ignore[call-overload, untyped-decorator]
def celery_limited() -> None:
    say_then_wait()


@shared_task(soft_time_limit=0.1)  # type: ignore[call-overload, untyped-decorator]
def celery_softly_limited(*, cleans_up: bool) -> str:
    try:
        say_then_wait()
    except SoftTimeLimitExceeded:
        if cleans_up:
            return "cleaned up"
        raise
    return "at leisure"


@shared_task
def celery_break_down() -> None:
    break_down_nastily()


def look_around() -> dict[str, Any]:
    """What a task's code is told, and may ask."""
    from skytrail.sdk import Connection, Variable, get_current_context, state

    context = get_current_context()
    runs = state.task.get("runs", default=0) + 1
    state.task.set("runs", runs)
    version = state.dag.set("cursor", {"at": runs})
    assert state.dag.compare_and_set("cursor", 7, version=version + 1) is None
    assert state.dag.compare_and_set("cursor", 7, version=version)
    state.asset("s3://lake").set("token", "t0ken", ttl=60, secret=True)
    print("the pin is", Variable.get("pin_token"))
    return {
        "try": context["try_number"],
        "runs": runs,
        "cursor": state.dag.get("cursor"),
        "token": state.asset("s3://lake").get("token"),
        "host": Connection.get("shop").host,
        "region": Variable.get("region", default="none"),
    }
