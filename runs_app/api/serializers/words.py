"""Names and states, as they are taken and shown."""

from __future__ import annotations

from django.core.validators import RegexValidator

from runs_app.domain.states import RunState, TaskState
from skytrail.rest.converters import NameConverter, RunIdConverter

# Both ends are named: `$` would let a line break pass, and a search begins anywhere.
NAME = RegexValidator(
    rf"\A{NameConverter.regex}\Z", "Use letters a–z and A–Z, digits and the characters _ . -"
)
RUN_ID = RegexValidator(
    rf"\A{RunIdConverter.regex}\Z",
    "Use 1 to 250 letters a–z and A–Z, digits and the characters _ . ~ : + -",
)

#: Named in the settings, so that the OpenAPI document has one schema for each.
RUN_STATES = [(state.value, state.value) for state in RunState]
TASK_STATES = [(state.value, state.value) for state in TaskState]
