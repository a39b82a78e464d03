"""Where a task run goes from the end of an execution: whether another try follows, and when."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A task's settings for trying again; times in seconds."""

    delay: float
    backoff: float
    max_delay: float


def delay_before(policy: RetryPolicy, *, attempt: int, key: str) -> float:
    """Seconds to wait after the failed try number `attempt` (the first is 1).

    Airflow's rule: with a factor other than 0 and 1 the delay grows exponentially, plus a jitter of
    up to the delay itself that is the same each time it is asked for (`key` names the task run and
    the try), so that tasks which failed together do not come back together.
    """
    if policy.backoff in (0, 1) or policy.delay == 0:
        return min(policy.delay, policy.max_delay)
    try:
        grown = policy.delay * float(policy.backoff) ** (attempt - 1)
    except OverflowError:
        return policy.max_delay
    if grown >= policy.max_delay:
        return policy.max_delay
    base = max(1, math.ceil(grown))
    digest = hashlib.sha1(key.encode(), usedforsecurity=False).digest()
    jitter = int.from_bytes(digest) % base
    return min(float(base + jitter), policy.max_delay)


def next_state(execution: Execution, outcome: Outcome) -> tuple[TaskState, float | None]:
    """Where the task run goes from here, and after how many seconds it is taken up again."""
    if outcome.state is not TaskState.FAILED:
        return outcome.state, outcome.wake_after
    if not outcome.may_retry or execution.attempt >= execution.max_attempts:
        return TaskState.FAILED, 0.0
    delay = delay_before(
        RetryPolicy(
            delay=execution.retry_delay_seconds,
            backoff=execution.retry_exponential_backoff,
            max_delay=execution.max_retry_delay_seconds,
        ),
        attempt=execution.attempt,
        key=f"{execution.dag_id}#{execution.task_id}#{execution.run_id}#{execution.attempt}",
    )
    return TaskState.UP_FOR_RETRY, delay
