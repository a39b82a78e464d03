from __future__ import annotations

from datetime import datetime

from dags_app.domain.commands import TriggerDagCommand
from dags_app.domain.fields import read_moment
from runs_app.domain.outcomes import Outcome
from skytrail.errors import SkytrailError
from workers.executors.contract import Call
from workers.executors.waiting import not_yet


class TriggerDagExecutor:
    """Triggers a run of another DAG, once for each try, and may wait for its end."""

    def execute(self, call: Call[TriggerDagCommand]) -> Outcome:
        command = call.command
        assert call.services.others is not None
        date: datetime | None = None
        if command.logical_date is not None:
            date = read_moment(command.logical_date)
            if date is None or date.tzinfo is None:
                return Outcome.failed(
                    f"logical_date: {command.logical_date!r} is no date and time with an offset",
                    reason="bad_time",
                    may_retry=False,
                )
        try:
            run = call.services.others.trigger(
                call.execution,
                dag_id=command.dag_id,
                conf=command.conf,
                run_id=command.run_id,
                logical_date=date,
            )
        except SkytrailError as error:
            problems = "; ".join(f"{p.path}: {p.message}" for p in error.problems)
            return Outcome.failed(
                f"{error.message} {problems}".rstrip(), reason="not_triggered", may_retry=False
            )
        call.log.write(f"run {run.run_id} of {command.dag_id} is {run.state}\n")
        output = {"dag_id": command.dag_id, "run_id": run.run_id}
        if not command.wait_for_completion or run.state in command.allowed_states:
            return Outcome.success(output)
        if run.state in command.failed_states:
            return Outcome.failed(
                f"run {run.run_id} of {command.dag_id} is {run.state}", reason="triggered_failed"
            )
        return not_yet(
            call.execution,
            f"run {run.run_id} of {command.dag_id} is {run.state}",
            poke_interval=command.poke_interval_seconds,
            timeout=command.wait_timeout_seconds,
        )
