"""What all sensors have in common: they look, and where it is not yet time they sleep.

A sensor that sleeps holds no worker and no slot: its row has a time to wake up at, and then the
same try goes on. Its time is up `wait_timeout_seconds` after the first look, and it looks once more
just then.
"""

from __future__ import annotations

from dags_app.domain.commands import SensorCommand
from runs_app.domain.executions import Execution
from runs_app.domain.outcomes import Outcome


def not_yet(
    execution: Execution,
    message: str,
    *,
    poke_interval: float,
    timeout: float,
    soft_fail: bool = False,
) -> Outcome:
    """What a sensor answers when it has looked in vain: sleep, or give up for good."""
    left = timeout - execution.waited_seconds
    if left > 0:
        return Outcome.poke_again(min(poke_interval, left), message)
    waited = f"it has waited for {execution.waited_seconds:,.0f} s, and {message}"
    if soft_fail:
        return Outcome.skipped(waited)
    # Airflow's AirflowSensorTimeout is not tried again either.
    return Outcome.failed(waited, reason="sensor_timeout", may_retry=False)


def look_again(execution: Execution, command: SensorCommand, message: str) -> Outcome:
    """The same, by what a sensor's command says."""
    return not_yet(
        execution,
        message,
        poke_interval=command.poke_interval_seconds,
        timeout=command.wait_timeout_seconds,
        soft_fail=command.soft_fail,
    )
