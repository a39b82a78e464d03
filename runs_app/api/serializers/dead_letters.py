"""Dead letters, and what becomes of them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from runs_app.api.filters import DeadLetterQuery
from runs_app.api.serializers.clearing import ClearedTaskSerializer
from runs_app.api.serializers.tasks import AttemptSerializer
from runs_app.models import (
    DeadLetter,
)
from runs_app.selectors.logs import LAST_CHARACTERS, LAST_LINES, last_lines

#: Dead letters replayed or dropped by one request, unless it says so; and at most.
LETTERS, MOST_LETTERS = 200, 1_000


class DeadLetterSerializer(serializers.ModelSerializer[DeadLetter]):
    """A task run that has used up its tries, and what its last execution ended with."""

    dag_id = serializers.CharField(source="dag.dag_id", read_only=True)
    run_id = serializers.CharField(source="run.run_id", read_only=True)
    reason = serializers.CharField(
        source="last_attempt.reason",
        default="",
        read_only=True,
        help_text="A word for programs, like exit_code, timeout or worker_lost.",
    )
    message = serializers.CharField(source="last_attempt.message", default="", read_only=True)
    exit_code = serializers.IntegerField(
        source="last_attempt.exit_code", default=None, allow_null=True, read_only=True
    )
    failed_at = serializers.DateTimeField(source="finished_at", read_only=True)

    class Meta:
        model = DeadLetter
        fields = [
            "id", "dag_id", "run_id", "task_id", "map_index", "reason", "message", "exit_code",
            "attempt", "max_attempts", "lost_count", "queue", "worker", "started_at", "failed_at",
        ]  # fmt: skip
        read_only_fields = fields


class DeadLetterDetailSerializer(DeadLetterSerializer):
    """A dead letter with its executions, and the end of what the last one wrote."""

    attempts = AttemptSerializer(many=True, read_only=True)
    last_log_lines = serializers.SerializerMethodField(
        help_text=f"The last {LAST_LINES} lines, of {LAST_CHARACTERS} characters in all, at most. "
        "The whole log is with the task of the run."
    )

    class Meta(DeadLetterSerializer.Meta):
        fields = [*DeadLetterSerializer.Meta.fields, "attempts", "last_log_lines"]
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_last_log_lines(self, letter: DeadLetter) -> list[str]:
        last = letter.last_attempt
        return last_lines(letter.pk, last.epoch) if last else []


class ReplaySerializer(serializers.Serializer[Any]):
    """How a dead letter is replayed."""

    dry_run = serializers.BooleanField(
        default=False, help_text="Only list the tasks that would run again."
    )


class ManyDeadLettersSerializer(DeadLetterQuery):
    """Which dead letters are meant: a filter, or all of them."""

    all = serializers.BooleanField(
        default=False, help_text="All that there are. Without it a filter has to be given."
    )
    limit = serializers.IntegerField(
        default=LETTERS,
        min_value=1,
        max_value=MOST_LETTERS,
        help_text="The oldest so many; `remaining` says how many are left to be asked for.",
    )
    dry_run = serializers.BooleanField(
        default=False, help_text="Only say what would happen, and to which."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        filters = attrs.keys() & DeadLetterQuery().fields.keys()
        if attrs["all"] and filters:
            hint = f"either all, or those that {min(filters)} names: leave one of them out"
            raise serializers.ValidationError({"all": hint}, code="all_or_some")
        if not attrs["all"] and not filters:
            hint = 'name those that you mean with a filter, or all of them with "all": true'
            raise serializers.ValidationError({"all": hint}, code="which")
        return attrs


class NamedLetterSerializer(serializers.Serializer[Any]):
    """A dead letter by its names."""

    id = serializers.UUIDField()
    dag_id = serializers.CharField()
    run_id = serializers.CharField()
    task_id = serializers.CharField()
    map_index = serializers.IntegerField()


class PassedOverSerializer(NamedLetterSerializer):
    """A dead letter that was left as it is, and why."""

    code = serializers.CharField(help_text="A word for programs, like run_cannot_be_cleared.")
    message = serializers.CharField()


class TaskOfRunSerializer(ClearedTaskSerializer):
    """A task that runs again, of any run."""

    dag_id = serializers.CharField()
    run_id = serializers.CharField()


class DroppedSerializer(serializers.Serializer[Any]):
    """What became of many dead letters, or would become."""

    dry_run = serializers.BooleanField()
    dropped = NamedLetterSerializer(many=True)
    passed_over = PassedOverSerializer(many=True)
    remaining = serializers.IntegerField(help_text="That were asked for and are beyond the limit.")


class ReplayedSerializer(serializers.Serializer[Any]):
    """What became of many dead letters, or would become."""

    dry_run = serializers.BooleanField()
    replayed = NamedLetterSerializer(many=True)
    tasks = TaskOfRunSerializer(
        many=True, help_text="All that run again: the letters' own and what comes after them."
    )
    passed_over = PassedOverSerializer(many=True)
    remaining = serializers.IntegerField(help_text="That were asked for and are beyond the limit.")
