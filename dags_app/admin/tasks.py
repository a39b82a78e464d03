"""A DAG's tasks in the admin's form: one card each, or all of them as JSON."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, JSONField
from django.forms.formsets import DELETION_FIELD_NAME

from dags_app.admin.fields import (
    Choice,
    Json,
    JsonList,
    JsonOrTemplate,
    Number,
    Typed,
    Words,
    json_area,
)
from dags_app.domain.commands import TaskType
from dags_app.domain.tasks import TaskFields, TriggerRule
from dags_app.models import Dag, Task
from dags_app.models.task import SETTINGS

#: More tasks than this are neither comfortable to edit as cards nor safe to send as form fields.
MAX_TASKS_IN_FORM = 150

#: For each type the parameter that is the task, edited in a box of its own, and an example of it.
MAIN = {
    TaskType.BASH: ("command", "make report"),
    TaskType.PYTHON: ("callable", "my_project.reports.build"),
    TaskType.CELERY: ("task", "shop.tasks.send_invoice"),
    TaskType.HTTP: ("uri", "https://example.org/data.json"),
    TaskType.SQL: ("sql", "SELECT count(*) AS orders FROM orders"),
    TaskType.PYTHON_SENSOR: ("callable", "my_project.checks.has_arrived"),
    TaskType.FILE_SENSOR: ("path", "/data/{{ ds }}/*.csv"),
    TaskType.HTTP_SENSOR: ("uri", "https://example.org/ready"),
    TaskType.SQL_SENSOR: ("sql", "SELECT count(*) FROM arrivals"),
    TaskType.TIME_SENSOR: ("until", "2026-01-31T09:00:00+01:00"),
    TaskType.EXTERNAL_SENSOR: ("dag_id", "another_dag"),
    TaskType.APPROVAL: ("subject", "Publish the report of {{ ds }}?"),
    TaskType.TRIGGER_DAG: ("dag_id", "another_dag"),
}

#: What the other parameters of each type may look like.
EXAMPLES = {
    TaskType.EMPTY: "no parameters",
    TaskType.BASH: '{"env": {"DAY": "{{ ds }}"}}',
    TaskType.PYTHON: '{"kwargs": {"day": "monday"}}',
    TaskType.CELERY: '{"args": [42]}',
    TaskType.HTTP: '{"method": "POST", "json": {"day": "monday"}}',
    TaskType.BRANCH: '{"value": "{{ outputs.check.quality }}", "cases": {"good": ["publish"]}}',
    TaskType.SQL: '{"conn_id": "warehouse", "parameters": {"day": "{{ ds }}"}}',
    TaskType.SHORT_CIRCUIT: '{"value": "{{ outputs.count.rows > 0 }}"}',
    TaskType.LATEST_ONLY: "no parameters",
    TaskType.PYTHON_SENSOR: '{"poke_interval_seconds": 60}',
    TaskType.FILE_SENSOR: '{"poke_interval_seconds": 60}',
    TaskType.HTTP_SENSOR: '{"expected_status": [200]}',
    TaskType.SQL_SENSOR: '{"conn_id": "warehouse"}',
    TaskType.TIME_SENSOR: '{"delay_seconds": 3600}',
    TaskType.EXTERNAL_SENSOR: '{"task_ids": ["load"], "delta_seconds": 86400}',
    TaskType.APPROVAL: '{"options": ["Approve", "Reject"], "approving": ["Approve"]}',
    TaskType.TRIGGER_DAG: '{"conf": {"day": "{{ ds }}"}, "wait_for_completion": true}',
}

#: A task as the form knows it: its settings, `id`, `type`, `depends_on`, and `parameters` apart.
Stored = dict[str, Any]


def stored_tasks(dag: Dag) -> list[Stored]:
    """The tasks of `dag`, in the order in which they were written."""
    rows = dag.tasks.prefetch_related("dependencies__upstream")
    return [_stored(row) for row in rows]


def _stored(row: Task) -> Stored:
    upstream = sorted((edge.upstream for edge in row.dependencies.all()), key=lambda t: t.position)
    parameters = dict(row.parameters)
    return {
        "id": row.task_id,
        "type": row.type,
        "description": row.description,
        "depends_on": [task.task_id for task in upstream],
        "main": parameters.pop(main_of(row.type), ""),
        "parameters": parameters,
        **{name: getattr(row, name) for name in SETTINGS},
    }


def main_of(kind: str) -> str:
    """The name of the parameter that has a box of its own; empty for types without one."""
    return MAIN[TaskType(kind)][0] if kind in MAIN else ""


class TaskForm(forms.Form):
    """One task. What nobody has touched goes into the definition as it is stored."""

    was = forms.CharField(required=False, widget=forms.HiddenInput)
    id = Typed(
        widget=forms.TextInput(
            attrs={"class": "sky-input", "autocapitalize": "off", "spellcheck": "false"}
        )
    )
    type = Choice(
        TaskType, initial=TaskType.EMPTY, widget=forms.Select(attrs={"class": "sky-input"})
    )
    depends_on = Words(
        label="Depends on",
        widget=forms.TextInput(
            attrs={"class": "sky-input", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="Ids of the tasks that come directly before it, separated by commas.",
    )
    main = Typed(label="What to do", widget=json_area(rows=2))
    parameters = Json(label="More parameters", widget=json_area(rows=2))
    description = Typed(widget=forms.Textarea(attrs={"class": "sky-input", "rows": 1}))

    common = ("id", "type", "depends_on", "main", "parameters", "description")

    def __init__(self, *args: Any, stored: Stored | None = None, **kwargs: Any) -> None:
        self.stored = stored
        if stored:
            kwargs["initial"] = {**stored, "was": stored["id"]}
        super().__init__(*args, **kwargs)

    def document(self) -> dict[str, Any]:
        """The task as it stands in a definition."""
        values = {name: self._value(name) for name in (*self.common, *SETTINGS)}
        parameters = values.pop("parameters") or {}
        main, name = values.pop("main"), self.main_name
        if name:
            values[name] = main
        return {key: value for key, value in values.items() if value not in ("", None)} | {
            key: value for key, value in parameters.items() if key not in values
        }

    def misplaced(self) -> list[str]:
        """Parameters that have a field of their own, where they would be overlooked."""
        parameters = self._value("parameters") or {}
        fields = {*TaskFields.model_fields, "type", self.main_name}
        return [name for name in parameters if name in fields]

    @property
    def kind(self) -> str:
        """The type as it is chosen now, whether it exists or not."""
        return str(self["type"].value() or TaskType.EMPTY)

    @property
    def main_name(self) -> str:
        """The parameter that the box `main` holds; empty where the type has none."""
        return main_of(self.kind)

    def _value(self, name: str) -> Any:
        if self.stored and name not in self.changed_data:
            return self.stored.get(name)
        return self.cleaned_data.get(name)

    @property
    def is_deleted(self) -> bool:
        """Whether the card has been thrown away."""
        return self.is_bound and bool(self.cleaned_data.get(DELETION_FIELD_NAME))

    @property
    def is_folded(self) -> bool:
        """Whether only the card's title is shown at first."""
        return self.stored is not None and not self.errors

    def settings(self) -> list[forms.BoundField]:
        """The fields that most tasks leave alone."""
        return [self[name] for name in SETTINGS]

    @property
    def are_settings_folded(self) -> bool:
        """Whether these are hidden at first: not if there is something to see."""
        return not any(name in self.errors for name in SETTINGS)


def _setting(name: str) -> forms.Field:
    """The field of a setting; its default and its explanation are the spec's."""
    spec = TaskFields.model_fields[name]
    texts: dict[str, Any] = {
        "initial": spec.default,
        "help_text": spec.description,
        "label": name.removesuffix("_seconds").replace("_", " ").capitalize()
        + (" (s)" if name.endswith("_seconds") else ""),
    }
    if isinstance(spec.default, bool):
        box = forms.CheckboxInput(attrs={"class": "sky-checkbox"})
        return forms.BooleanField(required=False, widget=box, **texts)
    if isinstance(spec.default, enum.Enum):
        return Choice(TriggerRule, widget=forms.Select(attrs={"class": "sky-input"}), **texts)
    column = Task._meta.get_field(name)  # noqa: SLF001  # Django's own way
    if isinstance(column, JSONField):
        return JsonOrTemplate(widget=json_area(rows=1), **texts)
    if isinstance(column, ArrayField):
        return Words(widget=forms.TextInput(attrs={"class": "sky-input"}), **texts)
    kind = Typed if isinstance(column, CharField) else Number
    return kind(widget=forms.TextInput(attrs={"class": "sky-input"}), **texts)


TaskForm.base_fields |= {name: _setting(name) for name in SETTINGS}


class TaskFormSet(forms.BaseFormSet):  # type: ignore[type-arg]  # not generic at run time
    """The cards. Those that are sent are the tasks, those that are not are gone.

    A card says which task it was (`was`), so that it can be renamed, and so that a value which was
    not touched is not read again from its text.
    """

    default_error_messages = {
        **forms.BaseFormSet.default_error_messages,
        "too_many_forms": "At most %(num)d tasks can be edited as cards; write them as JSON.",
    }

    def __init__(self, *args: Any, stored: Sequence[Stored] = (), **kwargs: Any) -> None:
        self.stored = stored
        self.by_id = {task["id"]: task for task in stored}
        self.extra = max(len(stored), 1)
        super().__init__(*args, **{**kwargs, "prefix": "tasks"})

    def initial_form_count(self) -> int:
        """None: a task is known by its id, not by its place."""
        return 0

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """With the task that the card was made from."""
        kwargs: dict[str, Any] = super().get_form_kwargs(index)
        if index is None:
            return kwargs
        if self.is_bound:
            was = self.data.get(f"{self.add_prefix(index)}-was")
            return kwargs | {"stored": self.by_id.get(was)}
        return kwargs | {"stored": self.stored[index] if index < len(self.stored) else None}

    def written(self) -> Iterator[TaskForm]:
        """The cards that are tasks: neither thrown away nor left empty."""
        for form in self.forms:
            if not form.is_deleted and (form.stored or form.has_changed()):
                yield form

    def shown(self) -> list[TaskForm]:
        """The cards to show: all that have something in them, and one at least."""
        if not self.is_bound:
            return list(self.forms)
        return [form for form in self.forms if form.stored or form.has_changed()] or self.forms[:1]


TaskCards = forms.formset_factory(
    TaskForm,
    formset=TaskFormSet,
    can_delete=True,
    max_num=MAX_TASKS_IN_FORM,
    validate_max=True,
    absolute_max=MAX_TASKS_IN_FORM + 50,
)


class TasksAsJson(forms.Form):
    """All tasks in one field, for DAGs with many of them and for people who prefer it."""

    tasks = JsonList(
        widget=json_area(rows=24),
        help_text="The list of tasks as it stands in a definition.",
    )

    def __init__(self, *args: Any, stored: Sequence[Stored] = (), **kwargs: Any) -> None:
        kwargs["initial"] = {"tasks": stored}
        super().__init__(*args, **{**kwargs, "prefix": "json", "use_required_attribute": False})
