"""Runs, task runs, pools and workers as REST shows them."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from runs_app.api.filters import DeadLetterQuery
from runs_app.domain.state import HIDDEN
from runs_app.domain.states import RunState, TaskState
from runs_app.models import (
    Approval,
    Artifact,
    Attempt,
    DagRun,
    DeadLetter,
    Output,
    Pool,
    SkippedTick,
    StateEntry,
    TaskRun,
    Worker,
)
from runs_app.selectors.logs import LAST_CHARACTERS, LAST_LINES, last_lines
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

#: Dead letters replayed or dropped by one request, unless it says so; and at most.
LETTERS, MOST_LETTERS = 200, 1_000

#: Named in the settings, so that the OpenAPI document has one schema for each.
RUN_STATES = [(state.value, state.value) for state in RunState]
TASK_STATES = [(state.value, state.value) for state in TaskState]


class RunSerializer(Sparse, serializers.ModelSerializer[DagRun]):
    """A run. `finished_at` is left out while it is not over."""

    dag_id = serializers.CharField(source="dag.dag_id", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    state = serializers.ChoiceField(choices=RUN_STATES, read_only=True)
    repeats = serializers.CharField(
        source="repeats.run_id",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="The run that it repeats, if it does.",
    )
    earlier_confs = serializers.JSONField(
        read_only=True, help_text="Its confs before it was cleared with others."
    )
    timed_out = serializers.BooleanField(
        read_only=True, help_text="It took longer than its DAG's run_timeout_seconds: it fails."
    )

    class Meta:
        model = DagRun
        fields = [
            "id", "dag_id", "run_id", "run_type", "triggered_by", "state", "version",
            "logical_date", "data_interval_start", "data_interval_end", "conf",
            "earlier_confs", "repeats", "degraded",
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
    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**31 - 1,
        help_text="The number of a version of the DAG; left out: the one that holds now.",
    )


class ClearSerializer(serializers.Serializer[Any]):
    """Which tasks are to run again."""

    task_ids = serializers.ListField(
        child=serializers.CharField(max_length=250),
        required=False,
        allow_null=True,
        help_text="Left out: all tasks. Of a mapped task `load[3]` is one instance.",
    )
    upstream = serializers.BooleanField(
        default=False, help_text="Also what comes before the tasks named."
    )
    downstream = serializers.BooleanField(
        default=True, help_text="Also what comes after the tasks named."
    )
    only_failed = serializers.BooleanField(
        default=False, help_text="Of these only failed, upstream_failed and cancelled ones."
    )
    conf = serializers.DictField(
        required=False,
        allow_null=True,
        help_text="The run's conf from then on; checked as when it is triggered.",
    )
    dry_run = serializers.BooleanField(default=False, help_text="Only list what would be cleared.")


class ClearRangeSerializer(ClearSerializer):
    """Which tasks of which runs are to run again."""

    from_date = serializers.DateTimeField(help_text="The first logical date.")
    to_date = serializers.DateTimeField(help_text="The last logical date, this one included.")


class RepeatSerializer(serializers.Serializer[Any]):
    """How a run is to be repeated."""

    conf = serializers.DictField(
        required=False, allow_null=True, help_text="Left out: the one that it had."
    )


class ClearedTaskSerializer(serializers.Serializer[Any]):
    task_id = serializers.CharField()
    map_index = serializers.IntegerField()
    state = serializers.CharField(help_text="Its state before.")


class ClearedSerializer(serializers.Serializer[Any]):
    """What was, or would be, cleared."""

    dry_run = serializers.BooleanField()
    tasks = ClearedTaskSerializer(many=True)


class ClearedRunSerializer(serializers.Serializer[Any]):
    """What was, or would be, cleared of a run."""

    run_id = serializers.CharField(source="run.run_id")
    logical_date = serializers.DateTimeField(source="run.logical_date")
    tasks = ClearedTaskSerializer(many=True)
    passed_over = serializers.CharField(help_text="Why nothing of it; empty otherwise.")


class ClearedRangeSerializer(serializers.Serializer[Any]):
    """What was, or would be, cleared."""

    dry_run = serializers.BooleanField()
    runs = ClearedRunSerializer(many=True)


class ApprovalSerializer(serializers.ModelSerializer[Approval]):
    """What a task has asked people, and what was answered."""

    dag_id = serializers.CharField(source="task_run.dag.dag_id", read_only=True)
    run_id = serializers.CharField(source="task_run.run.run_id", read_only=True)
    task_id = serializers.CharField(source="task_run.task_id", read_only=True)
    map_index = serializers.IntegerField(source="task_run.map_index", read_only=True)
    is_pending = serializers.BooleanField(
        read_only=True, help_text="Somebody waits for the answer; if not, it is given or void."
    )

    class Meta:
        model = Approval
        fields = [
            "id", "dag_id", "run_id", "task_id", "map_index", "attempt", "subject", "body",
            "options", "assigned_users", "requested_at", "times_out_at", "is_pending", "choice",
            "decided_by", "note", "decided_at",
        ]  # fmt: skip
        read_only_fields = fields


class DecisionSerializer(serializers.Serializer[Any]):
    """An answer."""

    choice = serializers.CharField(max_length=100, help_text="One of the options.")
    note = serializers.CharField(
        default="", allow_blank=True, max_length=10_000, help_text="Why: kept with the answer."
    )


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


class OutputSerializer(serializers.Serializer[Any]):
    """What a task left for later ones."""

    task_id = serializers.CharField()
    value = serializers.JSONField(allow_null=True)


class NamedOutputSerializer(serializers.ModelSerializer[Output]):
    """One of the outputs that a task left; `return_value` is one that was not given a name."""

    value = serializers.JSONField()

    class Meta:
        model = Output
        fields = ("name", "value", "created_at")
        read_only_fields = fields


class StateSerializer(serializers.ModelSerializer[StateEntry]):
    """What a task keeps for later runs; a secret's value is not shown."""

    dag_id = serializers.CharField(
        source="dag.dag_id", default=None, allow_null=True, help_text="Null for an asset's."
    )
    value = serializers.SerializerMethodField(method_name="shown")
    is_secret = serializers.SerializerMethodField()

    class Meta:
        model = StateEntry
        fields = (
            *("scope", "dag_id", "task_id", "asset", "key", "value", "is_secret", "version"),
            *("expires_at", "written_by", "written_at"),
        )
        read_only_fields = fields

    @extend_schema_field({})
    def shown(self, entry: StateEntry) -> Any:
        """What is kept."""
        return entry.value if entry.sealed is None else HIDDEN

    def get_is_secret(self, entry: StateEntry) -> bool:
        """Whether it is encrypted."""
        return entry.sealed is not None


class ArtifactSerializer(serializers.ModelSerializer[Artifact]):
    """Something large that a task left: a file, or an output beyond 64 KiB."""

    dag_id = serializers.CharField(source="task_run.run.dag.dag_id", read_only=True)
    run_id = serializers.CharField(source="task_run.run.run_id", read_only=True)
    task_id = serializers.CharField(source="task_run.task_id", read_only=True)
    map_index = serializers.IntegerField(source="task_run.map_index", read_only=True)
    is_gone = serializers.BooleanField(
        read_only=True, help_text="Whether its time is up, and it cannot be read any more."
    )

    class Meta:
        model = Artifact
        fields = (
            *("id", "dag_id", "run_id", "task_id", "map_index", "name", "media_type", "size"),
            *("sha256", "is_output", "is_gone", "created_at", "expires_at"),
        )
        read_only_fields = fields


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


class SkippedTickSerializer(serializers.ModelSerializer[SkippedTick]):
    """A time at which a schedule was due and its overlap policy let nothing begin."""

    class Meta:
        model = SkippedTick
        fields = ["logical_date", "reason", "at"]
        read_only_fields = fields
