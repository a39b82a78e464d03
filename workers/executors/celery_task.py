from __future__ import annotations

import contextlib
import json
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from types import FrameType
from typing import Any

from billiard.einfo import ExceptionInfo
from celery import _state, current_app
from celery.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded

from dags_app.domain.commands import CeleryCommand
from dags_app.domain.problems import suggestion
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Fail, Outcome, Skip, Unkeepable, keepable
from workers.executors.contract import Call
from workers.executors.python import invoke
from workers.guards.interruption import is_delicate

#: Whose top is `celery.current_task`.
_CURRENT: Any = _state._task_stack  # type: ignore[attr-defined]  # noqa: SLF001

#: Celery's own tasks and Skytrail's are no work for a DAG.
_RESERVED = ("celery.", "skytrail.")

#: Where the task could not be told that its soft time limit is over, in so many seconds it can.
_AGAIN = 0.05


class CeleryExecutor:
    """Runs a registered Celery task right here: an existing `@shared_task` is a node as it is.

    It is called directly, so that `self.retry()` raises its error instead of sending a message that
    nobody would wait for; trying again is up to the task's `retries` in the DAG. What it returns is
    its output; many tasks return what nobody reads, so what cannot be kept is left out.

    Its own `soft_time_limit` holds as in Celery: `SoftTimeLimitExceeded` is raised in it, once. For
    its `time_limit` see `timed`.
    """

    def execute(self, call: Call[CeleryCommand]) -> Outcome:
        command = call.command
        names = [name for name in current_app.tasks if not name.startswith(_RESERVED)]
        if command.task not in names:
            return Outcome.failed(
                f"task: the worker knows no Celery task {command.task!r}"
                f"{suggestion(command.task, names)}; name its module in SKYTRAIL_TASK_MODULES",
                reason="unknown_celery_task",
                may_retry=False,
            )
        task = current_app.tasks[command.task]
        return invoke(call, lambda: _kept(call, _run(task, call)), name=command.task)


def timed(execution: Execution) -> Execution:
    """`execution` with the `time_limit` of its Celery task, if that has one and the DAG gives none.

    To be asked before it begins: it is the worker, and not the executor, that watches the time.
    """
    if execution.timeout_seconds is not None or '"celery"' not in execution.command:
        return execution
    command = json.loads(execution.command)
    task = current_app.tasks.get(command.get("task")) if command["type"] == "celery" else None
    limit = getattr(task, "time_limit", None)
    return replace(execution, timeout_seconds=float(limit)) if limit else execution


@contextlib.contextmanager
def _soft_time_limit(seconds: float | None) -> Iterator[None]:
    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return

    def too_long(_number: int, frame: FrameType | None) -> None:
        if not is_delicate(frame):  # else the timer comes again
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise SoftTimeLimitExceeded(seconds)

    handler = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def _run(task: Any, call: Call[CeleryCommand]) -> Any:
    """Calls the task as a worker of its own would: bound, with a request, with its own hooks."""
    command, execution = call.command, call.execution
    request_id = f"{execution.task_run_id}.{execution.epoch}"
    args, kwargs = tuple(command.args), dict(command.kwargs)
    _CURRENT.push(task)
    task.push_request(
        id=request_id,
        root_id=request_id,
        task=task.name,
        args=args,
        kwargs=kwargs,
        retries=execution.attempt - 1,
        called_directly=True,
    )
    try:
        task.before_start(request_id, args, kwargs)
        try:
            with _soft_time_limit(task.soft_time_limit):
                value = task.run(*args, **kwargs)
        except (Ignore, Reject, Retry) as error:
            raise _meant_by(error) from error
        except Exception as error:
            info = ExceptionInfo()
            task.on_failure(error, request_id, args, kwargs, info)
            task.after_return("FAILURE", error, request_id, args, kwargs, info)
            raise
        task.on_success(value, request_id, args, kwargs)
        task.after_return("SUCCESS", value, request_id, args, kwargs, None)
        return value
    finally:
        task.pop_request()
        _CURRENT.pop()


def _meant_by(error: Any) -> Exception:
    """What Celery's own words for "not now" mean for a step of a DAG."""
    if isinstance(error, Ignore):
        return Skip(str(error) or "the task raised Ignore")
    if isinstance(error, Reject) and not getattr(error, "requeue", False):
        return Fail(f"the task raised Reject: {getattr(error, 'reason', '')}")
    return AskedForRetry(str(error))


class AskedForRetry(Exception):
    """The task asked to be run again; its `retries` in the DAG say whether it is."""


def _kept(call: Call[Any], value: Any) -> Any:
    try:
        return keepable(value)
    except Unkeepable as error:
        call.log.write(f"no output: {error}\n")
        return None
