"""Doing what one execution asks for: its command read, filled in, and given to its executor.

Whoever executes tasks does it here: a worker that has claimed one, and the local runner.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from dags_app.domain.commands import Command, TaskType, digest_of
from dags_app.domain.tasks import TASK_CLASSES
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from workers import large_outputs
from workers.executors.contract import Call, Executor
from workers.executors.registry import EXECUTORS
from workers.expansion import expand, of_instance
from workers.guards.interruption import Interruption, Reason
from workers.lending import Lent
from workers.log import Log
from workers.rendering import CannotRender, Filled, render
from workers.services import Services

_logger = logging.getLogger(__name__)


def carry_out(
    execution: Execution,
    *,
    log: Log,
    interruption: Interruption,
    services: Services,
    outputs: Callable[[set[str]], Mapping[str, Any]],
    executors: Mapping[TaskType, Executor[Any]] = EXECUTORS,
    rendered: Callable[[Mapping[str, Any]], object] = lambda _: None,
) -> Outcome:
    """Does the work; whatever goes wrong on our side is an outcome too.

    `outputs` fetches what the tasks of these ids have left; `rendered` is told, before the work
    begins, what the templates were filled in to, secrets masked. Raises `Interrupted`.
    """
    lent = Lent(services.secrets, log)
    outcome = _carried_out(
        execution,
        log=log,
        interruption=interruption,
        services=replace(services, secrets=lent),
        outputs=outputs,
        executors=executors,
        tell=lambda filled: rendered(lent.shown(filled)),
        masked=lent.text,
    )
    return lent.masked(outcome)


def _carried_out(
    execution: Execution,
    *,
    log: Log,
    interruption: Interruption,
    services: Services,
    outputs: Callable[[set[str]], Mapping[str, Any]],
    executors: Mapping[TaskType, Executor[Any]],
    tell: Callable[[Filled], object],
    masked: Callable[[str], str],
) -> Outcome:
    try:
        command = _read(execution.command, execution.command_digest)
        if execution.is_expansion:
            return expand(execution, outputs)
        command = render(command, execution, outputs, services, tell=tell)
        command = of_instance(command, execution)
        call = Call(execution, command, log, interruption, services, masked)
        return executors[command.type].execute(call)
    except CannotRender as error:
        return Outcome.failed(str(error), reason="bad_template", may_retry=False)
    except large_outputs.TROUBLE as error:
        return large_outputs.failed(error)
    except _Forged as error:
        return Outcome.failed(str(error), reason="digest_mismatch", may_retry=False)
    except Exception as error:
        _logger.exception("executing %s failed within Skytrail", execution.task_id)
        return Outcome.failed(
            f"Skytrail itself failed: {type(error).__name__}: {error}", reason="internal_error"
        )


class _Forged(Exception):
    """The stored command is not the one whose digest the version names; it is not executed."""


@lru_cache(maxsize=256)
def _read(canonical: str, digest: str) -> Command:
    """The command that a worker was given. Commands never change, so each is read once."""
    if digest_of(canonical) != digest:
        raise _Forged(_Forged.__doc__)
    document: dict[str, Any] = json.loads(canonical)
    command: Command = TASK_CLASSES[document["type"]].command_class.model_validate(document)
    return command


def outcome_of(reason: Reason, execution: Execution) -> Outcome:
    """The outcome of work that was stopped."""
    if reason is Reason.TIMEOUT:
        return Outcome.too_long(execution.timeout_seconds or 0.0)
    return Outcome(state=TaskState.CANCELLED, message="it was told to stop", reason="cancelled")
