from __future__ import annotations

from datetime import datetime, timedelta

from dags_app.domain.commands import TimeSensorCommand
from dags_app.domain.fields import read_moment
from runs_app.domain.outcomes import Outcome
from workers.executors.contract import Call


class TimeSensorExecutor:
    """Sleeps until a time has come, by the database's clock, and wakes up once."""

    def execute(self, call: Call[TimeSensorCommand]) -> Outcome:
        command = call.command
        if command.until is not None:
            moment = read_moment(command.until)
            if moment is None or moment.tzinfo is None:
                return Outcome.failed(
                    f"until: {command.until!r} is no date and time with an offset, like "
                    "2026-01-31T09:00:00+01:00",
                    reason="bad_time",
                    may_retry=False,
                )
        else:
            moment = call.execution.data_interval_end
            if moment is None:
                return Outcome.failed(
                    "this run has no data interval to count delay_seconds from; say until when",
                    reason="bad_time",
                    may_retry=False,
                )
        return _until(moment + timedelta(seconds=command.delay_seconds or 0.0), call)


def _until(moment: datetime, call: Call[TimeSensorCommand]) -> Outcome:
    left = (moment - call.services.runs.now()).total_seconds()
    if left <= 0:
        return Outcome.success()
    call.log.write(f"sleeps until {moment.isoformat()}\n")
    return Outcome.deferred(left, f"until {moment.isoformat()}")
