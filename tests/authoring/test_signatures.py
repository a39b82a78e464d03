"""The SDK knows each field of a definition, and no other: none is forgotten when one is added."""

from __future__ import annotations

from typing import Unpack

import pytest

from dags_app.authoring import factories
from dags_app.authoring.dags import _OTHER_NAMES, _REFUSED, DagOptions
from dags_app.authoring.functions import MAX_DESCRIPTION
from dags_app.authoring.operators import OPERATORS
from dags_app.authoring.options import COMMON, OTHER_NAMES, REFUSED, OperatorOptions
from dags_app.domain.commands import TaskType
from dags_app.domain.spec import DagSpec
from dags_app.domain.tasks import TASK_CLASSES, TaskFields
from skytrail.sdk import DAG, Bash


def keys(model: type[TaskFields]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_there_is_a_class_for_each_type() -> None:
    assert OPERATORS.keys() == set(TaskType)


@pytest.mark.parametrize("kind", TaskType)
def test_a_class_takes_what_its_type_has(kind: TaskType) -> None:
    known = {OTHER_NAMES.get(name, name) for name in OPERATORS[kind].known}
    # The id comes first, the type is the class, and the group is the block around.
    assert known == keys(TASK_CLASSES[kind]) - {"id", "type", "group"}


def test_settings_of_all_tasks_are_those_of_a_definition() -> None:
    assert {OTHER_NAMES.get(name, name) for name in COMMON} == keys(TaskFields) - {"id", "group"}


def test_settings_of_a_dag_are_those_of_a_definition() -> None:
    known = {_OTHER_NAMES.get(name, name) for name in DagOptions.__annotations__}
    assert known - {"auto_register", "default_args"} == DagSpec.model_fields.keys() - {
        "format",
        "name",
        "tasks",
    }


class Copy(Bash):
    """A task of one's own: it says what the command is."""

    def __init__(self, task_id: str, *, table: str, **options: Unpack[OperatorOptions]) -> None:
        super().__init__(task_id, command='copy "$TABLE"', env={"TABLE": table}, **options)


def test_a_class_can_be_made_of_another_one() -> None:
    with DAG("d") as dag:
        Copy("a", table="orders", retries=1)
    assert dag.document()["tasks"] == [
        {
            "id": "a",
            "type": "bash",
            "command": 'copy "$TABLE"',
            "env": {"TABLE": "orders"},
            "retries": 1,
        }
    ]


def test_descriptions_are_cut_where_definitions_end() -> None:
    for kind, most in ((DagSpec, factories.MAX_DESCRIPTION), (TaskFields, MAX_DESCRIPTION)):
        assert kind.model_json_schema()["properties"]["description"]["maxLength"] == most


def test_what_is_refused_is_not_known() -> None:
    known = frozenset().union(*(kind.known for kind in OPERATORS.values()))
    own = {"task_id", "mode", "data"}
    assert not REFUSED.keys() & COMMON
    assert not (REFUSED.keys() - own) & known
    assert not _REFUSED.keys() & DagOptions.__annotations__.keys()
