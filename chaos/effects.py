"""What the load's Python tasks call. Workers import it (SKYTRAIL_TASK_MODULES)."""

from __future__ import annotations

import os
import socket
import time

from chaos.witness import PORT


class Planned(Exception):
    """This try was to fail."""


def work(seconds: float, failures: int = 0) -> None:
    """Takes `seconds`, and fails in its first `failures` tries. The witness is told all of it.

    Who it is it knows from its environment, as a shell does.
    """
    with socket.create_connection(("127.0.0.1", int(os.environ[PORT])), timeout=30) as witness:
        _tell(witness, "start")
        time.sleep(seconds)
        if int(os.environ["SKYTRAIL_ATTEMPT"]) <= failures:
            _tell(witness, "fail")
            raise Planned
        _tell(witness, "end")


def eat() -> None:
    """Uses more and more memory, until it has a gigabyte: more than it may."""
    with socket.create_connection(("127.0.0.1", int(os.environ[PORT])), timeout=30) as witness:
        _tell(witness, "start")
        eaten = [bytearray(8 * 1_048_576) for _ in range(128)]
        _tell(witness, "end" if eaten else "fail")


def talk(lines: int) -> None:
    """Prints as many lines as fast as it can."""
    with socket.create_connection(("127.0.0.1", int(os.environ[PORT])), timeout=30) as witness:
        _tell(witness, "start")
        for number in range(lines):
            print(f"line {number} of very many that nobody will read")  # noqa: T201
        _tell(witness, "end")


def _tell(witness: socket.socket, phase: str) -> None:
    about = [
        os.environ["SKYTRAIL_IDEMPOTENCY_KEY"],
        os.environ["SKYTRAIL_FENCE"],
        os.environ["SKYTRAIL_ATTEMPT"],
        phase,
        str(os.getpid()),
    ]
    witness.sendall(" ".join(about).encode() + b"\n")
    answer = witness.recv(16)
    if answer != b"ok\n":
        raise ConnectionError(f"the witness said {answer!r}")
