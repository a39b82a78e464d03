from __future__ import annotations

from celery import current_app
from celery.exceptions import Ignore, Reject, Retry

from dags_app.domain.commands import CeleryCommand
from dags_app.domain.problems import suggestion
from runs_app.domain.outcomes import Outcome, Skip
from workers.executors.contract import Call
from workers.executors.python import invoke


class CeleryExecutor:
    """Runs a registered Celery task right here: an existing `@shared_task` is a node as it is.

    It is called directly, so that `self.retry()` raises its error instead of sending a message that
    nobody would wait for; trying again is up to the task's `retries` in the DAG.
    """

    def execute(self, call: Call[CeleryCommand]) -> Outcome:
        command = call.command
        task = current_app.tasks.get(command.task)
        if task is None:
            names = [name for name in current_app.tasks if not name.startswith("celery.")]
            return Outcome.failed(
                f"the worker knows no Celery task {command.task!r}"
                f"{suggestion(command.task, names)}; name its module in SKYTRAIL_TASK_MODULES",
                reason="unknown_celery_task",
                may_retry=False,
            )

        def step() -> object:
            task.push_request(
                id=f"{call.execution.task_run_id}.{call.execution.epoch}",
                args=command.args,
                kwargs=command.kwargs,
                retries=call.execution.attempt - 1,
                called_directly=True,
            )
            try:
                return task.run(*command.args, **command.kwargs)
            except Ignore as error:
                raise Skip(str(error) or "the task raised Ignore") from error
            except (Retry, Reject) as error:
                raise RuntimeError(f"the task asked for {type(error).__name__}: {error}") from error
            finally:
                task.pop_request()

        return invoke(call, step)
