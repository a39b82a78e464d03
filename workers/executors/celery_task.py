from __future__ import annotations

from typing import Any

from billiard.einfo import ExceptionInfo
from celery import _state, current_app
from celery.exceptions import Ignore, Reject, Retry

from dags_app.domain.commands import CeleryCommand
from dags_app.domain.problems import suggestion
from runs_app.domain.outcomes import Fail, Outcome, Skip, Unkeepable, keepable
from workers.executors.contract import Call
from workers.executors.python import invoke

#: Whose top is `celery.current_task`.
_CURRENT: Any = _state._task_stack  # type: ignore[attr-defined]  # noqa: SLF001

#: Celery's own tasks and Skytrail's are no work for a DAG.
_RESERVED = ("celery.", "skytrail.")


class CeleryExecutor:
    """Runs a registered Celery task right here: an existing `@shared_task` is a node as it is.

    It is called directly, so that `self.retry()` raises its error instead of sending a message that
    nobody would wait for; trying again is up to the task's `retries` in the DAG. What it returns is
    its output; many tasks return what nobody reads, so what cannot be kept is left out.
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
