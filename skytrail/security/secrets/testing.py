"""The port to whatever tests connections.

Security does not know how a database or a website is reached. It asks a `Tester` that the setting
`SKYTRAIL_CONNECTION_TESTER` names by dotted path.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from skytrail.errors import Unavailable

#: `untestable`: nobody knows how such a connection could be tested.
Status = Literal["ok", "failed", "untestable"]

#: Where a test is made if nothing is said.
DEFAULT_QUEUE = "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """What came of a test. `message` is for people and holds no secret; `where` is the process."""

    status: Status
    message: str
    where: str


class NobodyTested(Unavailable):
    """No worker of the queue {queue} has answered within {seconds} seconds: none runs, or all are
    busy. On the command line, --here tests from that machine.
    """


class Tester(Protocol):
    """Tests connections by name, as tasks find them."""

    def try_here(self, conn_id: str) -> Tested:
        """In this process, from this machine."""

    def try_in_worker(self, conn_id: str, *, queue: str) -> Tested:
        """In a worker of the queue, where the tasks are that use it. Raises `NobodyTested`."""


@cache
def get_tester() -> Tester:
    """The tester that the settings name."""
    tester: Tester = import_string(settings.SKYTRAIL_CONNECTION_TESTER)()
    return tester
