"""Where templates are executed: Jinja, sandboxed and strict."""

from __future__ import annotations

from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from workers.template_names import DATED, FILTERS, Events, Table

#: The largest number that may be raised to a power, and the highest power.
_MAX_NUMBER = 10**6
_MAX_POWER = 64
_MAX_FACTOR = 10**400


class Missing(StrictUndefined):
    """Says what there would be in place of what is missing."""

    @property
    def _undefined_message(self) -> str:
        table, name = self._undefined_obj, self._undefined_name
        if name in DATED and not self._undefined_hint and not isinstance(table, dict):
            return (
                f"{name!r} is undefined: this run has no logical date or no interval; trigger it "
                "with a logical date, or say what to do without: "
                f"{{{{ {name} | default('…') }}}}"
            )
        if self._undefined_hint or not isinstance(table, dict):
            return str(super()._undefined_message)
        if isinstance(table, Outputs):
            return f"the task {name!r} has left no output"
        known = [str(key) for key in table]
        there = ", ".join(known[:10]) + (", …" if len(known) > 10 else "")
        return (
            f"there is no {name!r} in it, only: {there}" if known else f"no {name!r}: it is empty"
        )


class Outputs(dict[str, Any]):
    """The outputs of the tasks that a template names."""


class _Sandbox(ImmutableSandboxedEnvironment):
    # One operation on endless numbers is not interrupted, and may hold everything up for hours.
    intercepted_binops = frozenset({"**", "*"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and not (abs(left) <= _MAX_NUMBER and abs(right) <= _MAX_POWER):
            raise SecurityError("this power is too large")
        if isinstance(left, int) and isinstance(right, int) and max(left, right) > _MAX_FACTOR:
            raise SecurityError("this product is too large")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An entry of a table comes before its methods: `outputs.fetch.items` is what was kept."""
        if isinstance(obj, dict | Events) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Table) and attribute != "get":
            return obj.entry(attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`conn["my-db"]` is what `conn.my_db` would be, were it a name."""
        if isinstance(obj, Table) and isinstance(argument, str):
            return obj.entry(argument)
        return super().getitem(obj, argument)


ENVIRONMENT = _Sandbox(undefined=Missing, autoescape=False)  # no HTML is made
ENVIRONMENT.filters |= FILTERS
