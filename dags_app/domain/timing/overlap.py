"""What becomes of a tick that comes while earlier runs have not ended."""

import enum
from dataclasses import dataclass

from dags_app.domain.timing.catchup import Tick


class OverlapPolicy(enum.StrEnum):
    """The names are Temporal's."""

    ALLOW = "allow"
    SKIP = "skip"
    BUFFER_ONE = "buffer_one"
    BUFFER_ALL = "buffer_all"
    CANCEL_OTHER = "cancel_other"


#: With these a DAG's runs never overlap, whoever starts them: one runs, the others wait.
ONE_AT_A_TIME = frozenset(
    {OverlapPolicy.BUFFER_ONE, OverlapPolicy.BUFFER_ALL, OverlapPolicy.CANCEL_OTHER}
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What ticks come to: those that get a run, and those that do not, for a reason."""

    start: tuple[Tick, ...]
    passed_over: tuple[Tick, ...] = ()
    reason: str = ""
    #: Whether the unfinished runs that the schedule has made are to be cancelled first.
    cancels: bool = False


def judge(policy: OverlapPolicy, ticks: tuple[Tick, ...], *, running: int, waiting: int) -> Judged:
    """Each tick in its turn, as if it had come in time and none of their runs had ended since.

    `running` and `waiting` count the DAG's unfinished runs, whoever has started them.
    """
    match policy:
        case OverlapPolicy.ALLOW | OverlapPolicy.BUFFER_ALL:
            return Judged(ticks)
        case OverlapPolicy.SKIP:
            room = 0 if running or waiting else 1
            return Judged(ticks[:room], ticks[room:], "a run had not ended")
        case OverlapPolicy.BUFFER_ONE:
            room = (0 if waiting else 1) if running or waiting else 2
            return Judged(ticks[:room], ticks[room:], "one was waiting already")
        case OverlapPolicy.CANCEL_OTHER:
            return Judged(ticks[-1:], ticks[:-1], "overtaken by a later one", cancels=bool(ticks))
