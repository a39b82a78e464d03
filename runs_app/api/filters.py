"""What lists of runs and tasks can be asked for."""

from __future__ import annotations

import enum
from typing import Any

from rest_framework import serializers

from runs_app.domain.states import RunState, TaskState
from runs_app.models import RunType


def one_of(values: type[enum.StrEnum] | type[RunType], **options: Any) -> serializers.ChoiceField:
    """A choice among `values`; another one is told which there are."""
    known = [str(value) for value in values]
    unknown: dict[str, Any] = {
        "invalid_choice": f'there is no "{{input}}"; use {", ".join(known)}',
    }
    return serializers.ChoiceField(choices=known, error_messages=unknown, **options)


class DagRunQuery(serializers.Serializer[Any]):
    """Which of a DAG's runs."""

    state = serializers.ListField(
        child=one_of(RunState),
        required=False,
        help_text="In one of these states, like `running,queued`.",
    )
    run_type = one_of(RunType, required=False, help_text="Started in this way.")
    queued_after = serializers.DateTimeField(
        required=False, help_text="Created at this time or later."
    )
    queued_before = serializers.DateTimeField(required=False, help_text="Created before this time.")


class RunQuery(DagRunQuery):
    """Which runs."""

    dag_id = serializers.CharField(
        required=False, max_length=250, help_text="Of the DAG of this name."
    )


class TaskQuery(serializers.Serializer[Any]):
    """Which of a run's tasks."""

    state = serializers.ListField(
        child=one_of(TaskState),
        required=False,
        help_text="In one of these states, like `failed,upstream_failed`.",
    )


class ApprovalQuery(serializers.Serializer[Any]):
    """Which approvals."""

    pending = serializers.BooleanField(
        required=False, help_text="Whether somebody still waits for the answer."
    )
    dag_id = serializers.CharField(
        required=False, max_length=250, help_text="Of the DAG of this name."
    )
    run_id = serializers.CharField(required=False, max_length=250, help_text="Of this run.")


class DeadLetterQuery(serializers.Serializer[Any]):
    """Which dead letters."""

    dag_id = serializers.CharField(
        required=False, max_length=250, help_text="Of the DAG of this name."
    )
    run_id = serializers.CharField(required=False, max_length=250, help_text="Of this run.")
    task_id = serializers.CharField(required=False, max_length=250, help_text="Of this task.")
    reason = serializers.CharField(
        required=False,
        max_length=50,
        help_text="Whose last execution ended for this reason, like `exit_code`.",
    )
    queue = serializers.CharField(required=False, max_length=250, help_text="Of this queue.")
    failed_after = serializers.DateTimeField(
        required=False, help_text="Failed at this time or later."
    )
    failed_before = serializers.DateTimeField(required=False, help_text="Failed before this time.")
