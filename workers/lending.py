"""Secrets as one try sees them: looked up once, and masked from then on wherever people read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runs_app.at_work.here import Secrets
from runs_app.domain.outcomes import Outcome
from skytrail.security.redaction import MASK, Redactor
from skytrail.security.secrets.values import ConnectionValue, VariableValue
from workers.log import Log
from workers.rendering import Filled


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

    def shown(self, filled: Filled) -> dict[str, Any]:
        """Fields of a task as people may read them: what is called like a secret is hidden too, and
        what a template has made of one.
        """
        fields, blind = (self._redactor.value(each) for each in (filled.fields, filled.blind))
        return {name: _alike(value, blind[name]) for name, value in fields.items()}

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


def _alike(value: Any, blind: Any) -> Any:
    """`value`, with a mask wherever `blind` has another."""
    if isinstance(value, dict) and isinstance(blind, dict) and value.keys() == blind.keys():
        return {key: _alike(inner, blind[key]) for key, inner in value.items()}
    if isinstance(value, list) and isinstance(blind, list) and len(value) == len(blind):
        return [_alike(*both) for both in zip(value, blind, strict=True)]
    return value if type(value) is type(blind) and value == blind else MASK
