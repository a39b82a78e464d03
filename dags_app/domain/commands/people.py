"""Tasks in which people have a say."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from dags_app.domain.commands.base import Command, TaskType
from dags_app.domain.fields import Number, WordSet

Option = Annotated[str, Field(min_length=1, max_length=100)]


class ApprovalCommand(Command):
    """Waits until somebody has approved or rejected."""

    type: Literal[TaskType.APPROVAL]
    subject: str = Field(min_length=1, max_length=500)
    """What is to be decided, in a line; templates are rendered."""
    body: str = Field(default="", max_length=20_000)
    """What one has to know to decide it; templates are rendered."""
    options: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]],
        Field(min_length=1, max_length=20),
    ] = ["Approve", "Reject"]
    """What can be chosen, as buttons."""
    approving: WordSet = ["Approve"]
    """The options after which the run goes on."""
    default: str | None = Field(default=None, max_length=100)
    """What counts as chosen when the time is up; without it the task fails then."""
    on_reject: Literal["fail", "skip"] = "fail"
    """What becomes of the task when an option is chosen that does not approve."""
    assigned_users: WordSet = []
    """Names of the users who may decide; without any, everybody who may run the DAG."""
    wait_timeout_seconds: Number | None = Field(default=None, gt=0, le=31_536_000)
    """How long to wait for an answer; null: for as long as it takes."""

    templated: ClassVar = frozenset({"subject", "body"})

    @model_validator(mode="after")
    def _options_agree(self) -> Self:
        named = [*self.approving, *([self.default] if self.default is not None else [])]
        if not self.approving or any(name not in self.options for name in named):
            raise PydanticCustomError(
                "unknown_option",
                "approving and default name options that are listed under options; add them there",
            )
        return self
