"""The SDK knows each field of a definition, and no other: none is forgotten when one is added."""

from __future__ import annotations

import pytest

from dags_app.authoring.dags import _OTHER_NAMES, _REFUSED, DagOptions
from dags_app.authoring.operators import OPERATORS
from dags_app.authoring.options import COMMON, OTHER_NAMES, REFUSED
from dags_app.domain.commands import TaskType
from dags_app.domain.spec import DagSpec
from dags_app.domain.tasks import TASK_CLASSES, TaskFields


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


def test_what_is_refused_is_not_known() -> None:
    known = frozenset().union(*(kind.known for kind in OPERATORS.values()))
    own = {"task_id", "mode", "data"}
    assert not REFUSED.keys() & COMMON
    assert not (REFUSED.keys() - own) & known
    assert not _REFUSED.keys() & DagOptions.__annotations__.keys()
