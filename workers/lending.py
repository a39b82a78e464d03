"""Secrets as one try sees them: looked up once, and masked from then on wherever people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runs_app.at_work.here import Secrets
from runs_app.domain.outcomes import Outcome
from skytrail.security.redaction import Redactor
from skytrail.security.secrets.values import ConnectionValue, VariableValue
from workers.log import Log


class Lent:
    """See `Secrets`: what is handed out is hidden in `log`, and in what `masked` is given."""

    def __init__(self, secrets: Secrets, log: Log) -> None:
        self._secrets = secrets
        self._log = log
        self._connections: dict[str, ConnectionValue] = {}
        self._variables: dict[str, VariableValue] = {}
        self._hidden: list[str] = []
        self._redactor = Redactor()

    def connection(self, conn_id: str) -> ConnectionValue:
        if conn_id not in self._connections:
            found = self._secrets.connection(conn_id)
            self._hide([*found.secret_values(), *([found.uri] if found.password else [])])
            self._connections[conn_id] = found
        return self._connections[conn_id]

    def variable(self, key: str) -> VariableValue:
        if key not in self._variables:
            found = self._secrets.variable(key)
            self._hide(found.secret_values())
            self._variables[key] = found
        return self._variables[key]

    def text(self, text: str) -> str:
        """`text` with a mask for each secret that was handed out."""
        return self._redactor.text(text)

    def value(self, value: Any) -> Any:
        """A JSON value with masks for the secrets in it."""
        return self._redactor.known(value)

    def shown(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of a task as people may read them; what is called like a secret is hidden too."""
        shown: dict[str, Any] = self._redactor.value(fields)
        return shown

    def masked(self, outcome: Outcome) -> Outcome:
        """What may be kept of an outcome. Who needs the secret later looks it up."""
        if not self._hidden:
            return outcome
        return replace(
            outcome,
            message=self.text(outcome.message),
            output=self.value(outcome.output),
        )

    def _hide(self, secrets: list[str]) -> None:
        if secrets:
            self._hidden += secrets
            self._redactor = Redactor(self._hidden)
            self._log.hide(self._redactor)
