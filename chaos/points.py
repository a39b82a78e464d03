"""Named places in the product at which a process can be made to die, and recovery switched off.

Nothing in the product knows of it: functions are wrapped from outside, at the start of a process
whose settings are `chaos.settings`.

    CHAOS_CRASH_AT=commit-before-publish:3    kill -9 of the whole process group, the third time
    CHAOS_RECOVERY=off                        what is lost stays lost (for the control)
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

#: The variables.
CRASH_AT = "CHAOS_CRASH_AT"
RECOVERY = "CHAOS_RECOVERY"

#: In a dispatcher, in the order in which a message passes them.
OF_DISPATCHERS = (
    "before-planning",
    "planned-before-commit",
    "commit-before-publish",
    "mid-publish",
    "published-before-ack",
)
#: In a worker.
OF_WORKERS = (
    "before-claim",
    "claimed-before-start",
    "done-before-finish",
    "finished-before-dispatch",
)

Function = Callable[..., Any]


def install() -> None:
    """Does what the environment says."""
    if os.environ.get(RECOVERY) == "off":
        _switch_recovery_off()
    if wanted := os.environ.get(CRASH_AT):
        name, _, times = wanted.partition(":")
        _POINTS[name](_Crash(int(times or 1)))


class _Crash:
    """Called so many times, it ends the whole process group, as a power cut would."""

    def __init__(self, times: int) -> None:
        self._left = times

    def __call__(self) -> None:
        self._left -= 1
        if self._left <= 0:
            os.killpg(os.getpgid(0), signal.SIGKILL)


# ------------------------------------------------------------------------------ the points


def _before_planning(crash: _Crash) -> None:
    from runs_app.actions import dispatching_steps  # noqa: PLC0415  # at the start of the process

    replace(dispatching_steps.dispatch, _first(crash, dispatching_steps.dispatch))


def _planned_before_commit(crash: _Crash) -> None:
    from runs_app import dispatching  # noqa: PLC0415  # as above

    # Everything is written and nothing committed; what follows is handed over for the commit.
    replace(dispatching.publish_after_commit, _then(crash, dispatching.publish_after_commit))


def _commit_before_publish(crash: _Crash) -> None:
    from workers.broker.dispatcher import CeleryDispatcher  # noqa: PLC0415  # as above

    _method(CeleryDispatcher, "publish", _first(crash, CeleryDispatcher.publish))


def _mid_publish(crash: _Crash) -> None:
    from kombu import Producer  # noqa: PLC0415  # as above

    # Every message of Celery's goes this way: a chord's header is many of them.
    _method(Producer, "publish", _then(crash, Producer.publish))


def _published_before_ack(crash: _Crash) -> None:
    from workers.broker.dispatcher import CeleryDispatcher  # noqa: PLC0415  # as above

    _method(CeleryDispatcher, "publish", _then(crash, CeleryDispatcher.publish))


def _before_claim(crash: _Crash) -> None:
    from workers.gateway import DatabaseGateway  # noqa: PLC0415  # as above

    _method(DatabaseGateway, "claim", _first(crash, DatabaseGateway.claim))


def _claimed_before_start(crash: _Crash) -> None:
    from workers.gateway import DatabaseGateway  # noqa: PLC0415  # as above

    _method(DatabaseGateway, "claim", _then(crash, DatabaseGateway.claim))


def _done_before_finish(crash: _Crash) -> None:
    from workers.gateway import DatabaseGateway  # noqa: PLC0415  # as above

    _method(DatabaseGateway, "finish", _first(crash, DatabaseGateway.finish))


def _finished_before_dispatch(crash: _Crash) -> None:
    from workers.gateway import DatabaseGateway  # noqa: PLC0415  # as above

    _method(DatabaseGateway, "finish", _then(crash, DatabaseGateway.finish))


_POINTS: dict[str, Callable[[_Crash], None]] = {
    "before-planning": _before_planning,
    "planned-before-commit": _planned_before_commit,
    "commit-before-publish": _commit_before_publish,
    "mid-publish": _mid_publish,
    "published-before-ack": _published_before_ack,
    "before-claim": _before_claim,
    "claimed-before-start": _claimed_before_start,
    "done-before-finish": _done_before_finish,
    "finished-before-dispatch": _finished_before_dispatch,
}


def _switch_recovery_off() -> None:
    from runs_app.actions import recovery  # noqa: PLC0415  # as above

    def nothing(*_: Any, **__: Any) -> None:
        return None

    def none(*_: Any, **__: Any) -> int:
        return 0

    replace(recovery.recover, nothing)
    replace(recovery.take_over_dead, none)


# ------------------------------------------------------------------------------ the wrapping


def _first(crash: Callable[[], None], function: Function) -> Function:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        crash()
        return function(*args, **kwargs)

    return wrapped


def _then(crash: Callable[[], None], function: Function) -> Function:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value = function(*args, **kwargs)
        crash()
        return value

    return wrapped


def _method(owner: type, name: str, wrapped: Function) -> None:
    setattr(owner, name, wrapped)


def replace(function: Function, wrapped: Function) -> None:
    """Puts `wrapped` in the place of `function` wherever it has been imported to."""
    for module, name in _holders(function):
        setattr(module, name, wrapped)


def _holders(function: Function) -> Iterator[tuple[Any, str]]:
    for module in list(sys.modules.values()):
        if module is None or module.__name__ == __name__:
            continue
        for name, value in list(vars(module).items()):
            if value is function:
                yield module, name
