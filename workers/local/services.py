"""What tasks of a local run are told where a worker would ask Postgres."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runs_app.domain.executions import Execution
from skytrail.errors import NotFound
from skytrail.security.secrets.outside import (
    CONNECTION,
    VARIABLE,
    connection_outside,
    environment_name,
    variable_outside,
)
from skytrail.security.secrets.values import ConnectionValue, VariableValue
from workers.local.memory_state import MemoryStates
from workers.local.passing_artifacts import PassingArtifacts
from workers.services import Services


class NoOtherRuns:
    """There is this run and no other. What time it is, `now` says."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now

    def is_latest(self, execution: Execution) -> bool:
        return True

    def triggering_events(self, execution: Execution) -> dict[str, list[dict[str, Any]]]:
        return {}


class NotGiven(NotFound):
    """This run has no {what} {name}: it looks in no database. Give it as {variable} in the
    environment, or in a test as {argument}=.
    """


@dataclass(frozen=True)
class GivenSecrets:
    """What the run was given, then the environment's and mounted files'."""

    connections: Mapping[str, ConnectionValue] = field(default_factory=dict)
    variables: Mapping[str, VariableValue] = field(default_factory=dict)

    def connection(self, conn_id: str) -> ConnectionValue:
        found = self.connections.get(conn_id) or connection_outside(conn_id)
        if found is None:
            raise _not_given(CONNECTION, conn_id, "connections")
        return found

    def variable(self, key: str) -> VariableValue:
        found = self.variables.get(key) or variable_outside(key)
        if found is None:
            raise _not_given(VARIABLE, key, "variables")
        return found


def _not_given(what: str, name: str, argument: str) -> NotGiven:
    return NotGiven(what=what, name=name, variable=environment_name(what, name), argument=argument)


def services(now: Callable[[], datetime], secrets: GivenSecrets = GivenSecrets()) -> Services:
    """Those of a local run."""
    return Services(
        runs=NoOtherRuns(now),
        secrets=secrets,
        states=MemoryStates(now),
        artifacts=PassingArtifacts(),
    )
