from __future__ import annotations

from datetime import datetime, timedelta

from dags_app.domain.commands import ExternalSensorCommand
from dags_app.domain.fields import read_moment
from runs_app.domain.outcomes import Outcome
from skytrail.errors import NotFound
from workers.executors.contract import Call
from workers.executors.waiting import look_again


class BadDate(Exception):
    """What a date was filled in with cannot be used; the text says which."""


class ExternalSensorExecutor:
    """Looks whether the run of another DAG, or tasks of it, have ended well."""

    def execute(self, call: Call[ExternalSensorCommand]) -> Outcome:
        command = call.command
        assert call.services.others is not None
        try:
            date = None if command.run_id else _date(call)
            found = call.services.others.find(
                dag_id=command.dag_id,
                run_id=command.run_id,
                logical_date=date,
                task_ids=command.task_ids,
            )
        except NotFound as error:
            return Outcome.failed(error.message, reason="no_such_dag", may_retry=False)
        except BadDate as error:
            return Outcome.failed(str(error), reason="bad_time", may_retry=False)
        which = command.run_id or (date and date.isoformat())
        if found is None:
            return look_again(call.execution, command, f"{command.dag_id} has no run {which} yet")
        states = {command.dag_id: [found.state]} if not command.task_ids else found.tasks
        for name, ends in states.items():
            if bad := set(ends) & set(command.failed_states):
                return Outcome.failed(
                    f"{name} of {found.run_id} is {min(bad)}", reason="external_failed"
                )
        waiting = [name for name, ends in states.items() if not ends or not _are_in(ends, command)]
        if waiting:
            what = ", ".join(
                f"{name} is {', '.join(states[name]) or 'waiting'}" for name in waiting
            )
            return look_again(call.execution, command, f"in {found.run_id} {what}")
        return Outcome.success({"run_id": found.run_id})


def _are_in(ends: list[str], command: ExternalSensorCommand) -> bool:
    return all(state in command.allowed_states for state in ends)


def _date(call: Call[ExternalSensorCommand]) -> datetime:
    command = call.command
    moment = call.execution.logical_date
    if command.logical_date is not None:
        moment = read_moment(command.logical_date)
        if moment is None or moment.tzinfo is None:
            raise BadDate(
                f"logical_date: {command.logical_date!r} is no date and time with an offset"
            )
    if moment is None:
        raise BadDate(
            "this run has no logical date by which to find the other; give logical_date or run_id"
        )
    return moment - timedelta(seconds=command.delta_seconds)
