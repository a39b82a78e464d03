"""Runs, task runs, pools and workers as REST shows them."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from runs_app.domain.states import RunState, TaskState
from runs_app.models import Attempt, DagRun, Pool, TaskRun, Worker
from skytrail.rest.converters import NameConverter, RunIdConverter
from skytrail.rest.fields import Sparse
from skytrail.rest.showing import show

# Both ends are named: `$` would let a line break pass, and a search begins anywhere.
_NAME = RegexValidator(
    rf"\A{NameConverter.regex}\Z", "Use letters a–z and A–Z, digits and the characters _ . -"
)
_RUN_ID = RegexValidator(
    rf"\A{RunIdConverter.regex}\Z",
    "Use 1 to 250 letters a–z and A–Z, digits and the characters _ . ~ : + -",
)

#: Named in the settings, so that the OpenAPI document has one schema for each.
RUN_STATES = [(state.value, state.value) for state in RunState]
TASK_STATES = [(state.value, state.value) for state in TaskState]


class RunSerializer(Sparse, serializers.ModelSerializer[DagRun]):
    """A run. `finished_at` is left out while it is not over."""

    dag_id = serializers.CharField(source="dag.dag_id", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    state = serializers.ChoiceField(choices=RUN_STATES, read_only=True)
    timed_out = serializers.BooleanField(
        read_only=True, help_text="It took longer than its DAG's run_timeout_seconds: it fails."
    )

    class Meta:
        model = DagRun
        fields = [
            "id", "dag_id", "run_id", "run_type", "triggered_by", "state", "version",
            "logical_date", "data_interval_start", "data_interval_end", "conf", "degraded",
            "timed_out", "queued_at", "started_at", "finished_at", "times_out_at",
        ]  # fmt: skip
        read_only_fields = fields


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
    """A task of a run. `finished_at` is left out while it is not over."""

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
            "id", "task_id", "map_index", "state", "attempt", "max_attempts", "lost_count",
            "queue", "pool", "priority", "worker", "chosen", "ready_at", "queued_at",
            "started_at", "finished_at", "next_try_at", "error", "attempts",
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


class StatusSerializer(serializers.Serializer[Any]):
    """A DAG's run history."""

    dag_id = serializers.CharField()
    is_paused = serializers.BooleanField()
    next_run_at = serializers.DateTimeField(allow_null=True)
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="Runs by state, all states listed."
    )
    runs = RunSerializer(many=True, help_text="The latest runs, newest first.")


class TriggerSerializer(serializers.Serializer[Any]):
    """What may be said about a run that is asked for."""

    conf = serializers.DictField(
        required=False, help_text="Values for the DAG's parameters; checked by their schemas."
    )
    run_id = serializers.CharField(
        required=False,
        trim_whitespace=False,
        validators=[_RUN_ID],
        help_text="Made from the time, if left out.",
    )
    logical_date = serializers.DateTimeField(required=False, allow_null=True)


class ClearSerializer(serializers.Serializer[Any]):
    """Which tasks are to run again."""

    task_ids = serializers.ListField(
        child=serializers.CharField(max_length=250),
        required=False,
        allow_null=True,
        help_text="Left out: all tasks.",
    )
    downstream = serializers.BooleanField(
        default=True, help_text="Also what comes after the tasks named."
    )
    only_failed = serializers.BooleanField(
        default=False, help_text="Of these only failed, upstream_failed and cancelled ones."
    )
    dry_run = serializers.BooleanField(default=False, help_text="Only list what would be cleared.")


class ClearedTaskSerializer(serializers.Serializer[Any]):
    task_id = serializers.CharField()
    map_index = serializers.IntegerField()
    state = serializers.CharField(help_text="Its state before.")


class ClearedSerializer(serializers.Serializer[Any]):
    """What was, or would be, cleared."""

    dry_run = serializers.BooleanField()
    tasks = ClearedTaskSerializer(many=True)


class OutputSerializer(serializers.Serializer[Any]):
    """What a task left for later ones."""

    task_id = serializers.CharField()
    value = serializers.JSONField(allow_null=True)


class PoolSerializer(serializers.ModelSerializer[Pool]):
    """A pool and how much of it is taken."""

    occupied_slots = serializers.IntegerField(
        read_only=True, help_text="Taken by tasks that are queued or running."
    )
    waiting_slots = serializers.IntegerField(
        read_only=True, help_text="Wanted by tasks that only a slot is missing for."
    )

    class Meta:
        model = Pool
        fields = ["id", "name", "slots", "description", "occupied_slots", "waiting_slots"]
        read_only_fields = ["id"]
        # That the name is free is for the database to say, as a conflict.
        extra_kwargs = {
            "name": {"validators": [_NAME], "trim_whitespace": False},
            "description": {"max_length": 10_000},
        }


class WorkerSerializer(serializers.ModelSerializer[Worker]):
    """A worker process."""

    status = serializers.SerializerMethodField(
        help_text="Inactive: it has stopped, or has not been heard of for half a lease."
    )

    class Meta:
        model = Worker
        fields = [
            "id", "name", "hostname", "pid", "queues", "concurrency", "started_at",
            "last_heartbeat", "stopped_at", "status",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=["active", "inactive"]))
    def get_status(self, worker: Worker) -> str:
        return "active" if getattr(worker, "is_active", False) else "inactive"
