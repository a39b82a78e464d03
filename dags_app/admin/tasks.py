"""A DAG's tasks in the admin's form: one card each."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.forms.formsets import DELETION_FIELD_NAME

from dags_app.admin.fields import Choice, Json, Typed, Words, json_area
from dags_app.domain.commands import TaskType
from dags_app.domain.spec import TaskFields, TriggerRule
from dags_app.models import Dag, Task
from dags_app.models.task import SETTINGS

#: More tasks than this are neither comfortable to edit as cards nor safe to send as form fields.
MAX_TASKS_IN_FORM = 150

#: What the parameters of each type look like, shown while there are none.
EXAMPLES = {
    TaskType.EMPTY: "no parameters",
    TaskType.BASH: '{"command": "make report"}',
    TaskType.PYTHON: '{"callable": "my_project.reports.build", "kwargs": {"day": "monday"}}',
    TaskType.CELERY: '{"task": "shop.tasks.send_invoice", "args": [42]}',
    TaskType.HTTP: '{"uri": "https://example.org/data.json"}',
    TaskType.BRANCH: '{"value": "{{ outputs.check.quality }}", "cases": {"good": ["publish"]}}',
}

#: A task as the form knows it: its settings, `id`, `type`, `depends_on`, and `parameters` apart.
Stored = dict[str, Any]


def stored_tasks(dag: Dag) -> list[Stored]:
    """The tasks of `dag`, in the order in which they were written."""
    rows = dag.tasks.prefetch_related("dependencies__upstream")
    return [_stored(row) for row in rows]


def _stored(row: Task) -> Stored:
    upstream = sorted((edge.upstream for edge in row.dependencies.all()), key=lambda t: t.position)
    return {
        "id": row.task_id,
        "type": row.type,
        "description": row.description,
        "depends_on": [task.task_id for task in upstream],
        "parameters": row.parameters,
        **{name: getattr(row, name) for name in SETTINGS},
    }


class TaskForm(forms.Form):
    """One task. What nobody has touched goes into the definition as it is stored."""

    was = forms.CharField(required=False, widget=forms.HiddenInput)
    id = Typed(widget=forms.TextInput(attrs={"class": "sky-input", "autocapitalize": "off"}))
    type = Choice(
        TaskType, initial=TaskType.EMPTY, widget=forms.Select(attrs={"class": "sky-input"})
    )
    depends_on = Words(
        label="Depends on",
        widget=forms.TextInput(attrs={"class": "sky-input", "autocomplete": "off"}),
        help_text="Ids of the tasks that come directly before it, separated by commas.",
    )
    parameters = Json(widget=json_area(rows=2))
    description = Typed(widget=forms.Textarea(attrs={"class": "sky-input", "rows": 1}))

    common = ("id", "type", "depends_on", "parameters", "description")

    def __init__(self, *args: Any, stored: Stored | None = None, **kwargs: Any) -> None:
        self.stored = stored
        if stored:
            kwargs["initial"] = {**stored, "was": stored["id"]}
        super().__init__(*args, use_required_attribute=False, **kwargs)

    def document(self) -> dict[str, Any]:
        """The task as it stands in a definition."""
        values = {name: self._value(name) for name in (*self.common, *SETTINGS)}
        parameters = values.pop("parameters") or {}
        return {name: value for name, value in values.items() if value not in ("", None)} | {
            name: value for name, value in parameters.items() if name not in values
        }

    def misplaced(self) -> list[str]:
        """Parameters that have a field of their own, where they would be overlooked."""
        parameters = self._value("parameters") or {}
        return [name for name in parameters if name in TaskFields.model_fields or name == "type"]

    def _value(self, name: str) -> Any:
        if self.stored and name not in self.changed_data:
            return self.stored.get(name)
        return self.cleaned_data.get(name)

    @property
    def is_deleted(self) -> bool:
        """Whether the card has been thrown away."""
        return bool(self.cleaned_data.get(DELETION_FIELD_NAME))

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
    return Typed(widget=forms.TextInput(attrs={"class": "sky-input"}), **texts)


TaskForm.base_fields |= {name: _setting(name) for name in SETTINGS}


class TaskFormSet(forms.BaseFormSet[TaskForm]):
    """The cards. Those that are sent are the tasks, those that are not are gone.

    A card says which task it was (`was`), so that it can be renamed, and so that a value which was
    not touched is not read again from its text.
    """

    def __init__(self, *args: Any, stored: Sequence[Stored] = (), **kwargs: Any) -> None:
        self.stored = stored
        self.by_id = {task["id"]: task for task in stored}
        self.extra = max(len(stored), 1)
        super().__init__(*args, prefix="tasks", **kwargs)

    def initial_form_count(self) -> int:
        """None: a task is known by its id, not by its place."""
        return 0

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
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

    def is_untouched(self) -> bool:
        """Whether they say what was there before."""
        kept = [form.stored["id"] for form in self.written() if form.stored]
        return not any(form.has_changed() for form in self.written()) and sorted(kept) == sorted(
            self.by_id
        )


TaskCards = forms.formset_factory(
    TaskForm,
    formset=TaskFormSet,
    can_delete=True,
    max_num=MAX_TASKS_IN_FORM,
    absolute_max=MAX_TASKS_IN_FORM + 50,
)
