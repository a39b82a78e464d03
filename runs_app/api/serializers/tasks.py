"""Task runs as REST shows them: their tries, and what they were given."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from runs_app.api.serializers.words import TASK_STATES
from runs_app.domain.states import TaskState
from runs_app.models import (
    Attempt,
    TaskRun,
)
from skytrail.rest.fields import Sparse
from skytrail.rest.showing import show


class FailureSerializer(serializers.Serializer[Attempt]):
    """Why a try did not succeed."""

    reason = serializers.CharField(help_text="A word for programs, like exit_code or timeout.")
    message = serializers.CharField()
    exit_code = serializers.IntegerField(allow_null=True)


class AttemptSerializer(Sparse, serializers.ModelSerializer[Attempt]):
    """One execution: a try has several where workers were lost."""

    attempt = serializers.IntegerField(source="number", read_only=True)

    class Meta:
        model = Attempt
        fields = [
            "attempt", "epoch", "state", "reason", "message", "exit_code", "worker",
            "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class TaskRunSerializer(Sparse, serializers.ModelSerializer[TaskRun]):
    """A task of a run. `finished_at` is left out while it is not over, and what is known of mapped
    and of waiting tasks where it is neither.
    """

    sparse = ("finished_at", "map_length", "map_values", "waiting_since")

    state = serializers.ChoiceField(choices=TASK_STATES, read_only=True)
    next_try_at = serializers.DateTimeField(
        source="wake_at",
        read_only=True,
        allow_null=True,
        help_text="When it is tried again, or looked at again.",
    )
    error = serializers.SerializerMethodField()
    attempts = AttemptSerializer(many=True, read_only=True)

    class Meta:
        model = TaskRun
        fields = [
            "id", "task_id", "map_index", "map_length", "map_values", "state", "attempt",
            "max_attempts", "lost_count", "queue", "pool", "priority", "worker", "chosen",
            "ready_at", "queued_at", "waiting_since", "started_at", "finished_at", "next_try_at",
            "error", "attempts",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_error(self, task_run: TaskRun) -> dict[str, Any] | None:
        """What the latest execution ended with, unless it went well."""
        attempts = list(task_run.attempts.all())
        good = {TaskState.SUCCESS, TaskState.RUNNING}
        if not attempts or attempts[-1].state in good:
            return None
        return dict(show(FailureSerializer, attempts[-1]))


class RenderedSerializer(serializers.Serializer[Any]):
    """What a task's templates were filled in to, for one execution. Secrets are masked."""

    attempt = serializers.IntegerField()
    epoch = serializers.IntegerField()
    rendered_fields = serializers.DictField(
        source="fields", help_text="The fields of its definition that had templates in them."
    )
    rendered_at = serializers.DateTimeField()
