"""The form in which a DAG is edited: what it says, and where its problems are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from dags_app.admin.fields import said
from dags_app.admin.general import GeneralForm
from dags_app.admin.tasks import (
    MAX_TASKS_IN_FORM,
    TaskCards,
    TaskForm,
    TasksAsJson,
    main_of,
    stored_tasks,
)
from dags_app.domain.parse import parse
from dags_app.domain.spec import DagSpec
from dags_app.models import Dag
from skytrail.errors import Conflict, Invalid, Problem, SkytrailError, listed

_TASK = re.compile(r"tasks\[(\d+)\]\.?(.*)", re.DOTALL)
_HEAD = re.compile(r"[^.\[]*")


class SavedMeanwhile(Conflict):
    """Somebody else has saved this DAG since you opened it. Nothing of yours has been saved."""


class NotReadable(Invalid):
    """What has been typed cannot be read everywhere."""


class Editor:
    """One DAG, or one to be, on a page.

    `base` is the checksum of the version that the person at the screen started from: saving over
    another one is refused, unless it is said that just that one is to be overwritten.
    """

    def __init__(
        self, dag: Dag | None, *, data: Mapping[str, Any] | None = None, as_json: bool = False
    ) -> None:
        self.dag = dag
        self.as_json = as_json or (dag is not None and _count(dag) > MAX_TASKS_IN_FORM)
        self.general = GeneralForm(data, dag=dag)
        self.cards: Any = None
        self.json: TasksAsJson | None = None
        self.problems: list[str] = []
        if self.as_json:
            tasks = dag.version.spec["tasks"] if dag and dag.version else []
            self.json = TasksAsJson(data, stored=tasks)
        else:
            stored = stored_tasks(dag) if dag else ()
            self.cards = TaskCards(data, stored=stored)  # type: ignore[call-arg]  # made by a factory
        self.base = data.get("base", "") if data is not None else checksum_of(dag)
        self.over = data.get("over", "") if data is not None else ""
        self.is_stale = False
        self.is_readable = self._check_forms() if data is not None else True

    # ------------------------------------------------------------- reading

    def spec(self) -> DagSpec:
        """What the form says. Raises `Invalid` with every problem, those of the form included."""
        spec = parse(self._document())
        if not self.is_readable:
            raise NotReadable
        return spec

    def check_base(self, held: Dag) -> None:
        """Raises `SavedMeanwhile` unless `held` is what was on the page."""
        if checksum_of(held) not in {self.base, self.over}:
            self.is_stale = True
            self.dag = held
            raise SavedMeanwhile

    def _check_forms(self) -> bool:
        """Whether every field could be read; what only a form can see is added to its fields."""
        if self.general.is_valid():
            for name in self.general.too_many_schedules():
                self.general.add_error(name, "another schedule is given too; keep one of them")
        if self.json is not None:
            return self.json.is_valid() and not self.general.errors
        are_cards_valid = self.cards.is_valid()
        for card in self.cards.written():
            if names := card.misplaced():
                text = f"{listed(names)}: there is a field for this; write it there"
                card.add_error("parameters", text)
                are_cards_valid = False
        self.problems += self.cards.non_form_errors()
        return are_cards_valid and not self.general.errors

    def _document(self) -> dict[str, Any]:
        return self.general.document() | {"tasks": self._tasks()}

    def _tasks(self) -> Any:
        if self.json is None:
            return [card.document() for card in self.cards.written()]
        if self.json.has_changed() or self.dag is None or self.dag.version is None:
            return self.json.cleaned_data.get("tasks", [])
        return self.dag.version.spec["tasks"]

    # ------------------------------------------------------------- refusing

    def refuse(self, error: SkytrailError) -> None:
        """Shows each problem at the field that it is about, and the others at the top."""
        if not error.problems and not isinstance(error, NotReadable):
            self.problems.append(error.message)
        for problem in error.problems:
            self._place(problem)

    @property
    def errors(self) -> int:
        """How many problems are shown."""
        forms_shown: list[forms.Form] = [self.general]
        forms_shown += [self.json] if self.json is not None else self.cards.forms
        return len(self.problems) + sum(
            len(found) for form in forms_shown for found in form.errors.values()
        )

    @property
    def current_checksum(self) -> str:
        """Of the version that is there now, to be overwritten on demand."""
        return checksum_of(self.dag)

    def _place(self, problem: Problem) -> None:
        if self.json is not None and problem.path.startswith("tasks"):
            self.json.add_error("tasks", said(problem, where=problem.path.removeprefix("tasks")))
        elif match := _TASK.fullmatch(problem.path):
            self._place_in_card(int(match[1]), match[2], problem)
        else:
            self._place_in_general(problem)

    def _place_in_card(self, index: int, path: str, problem: Problem) -> None:
        card: TaskForm = list(self.cards.written())[index]
        head, rest = _split(path)
        if not head:
            head = "type" if problem.code == "unknown_type" else "id"
        if head == main_of(card.kind):
            card.add_error("main", said(problem, where=rest))
        elif head in card.fields and head not in {"main", "parameters"}:
            card.add_error(head, said(problem))
        elif "parameters" not in card.errors:  # else it may be there, and could not be read
            card.add_error("parameters", said(problem, where=path))

    def _place_in_general(self, problem: Problem) -> None:
        head, rest = _split(problem.path)
        if head == "schedule" and not self.general.says_schedule_as_json():
            head, rest = (rest if rest in self.general.fields else "cron"), ""
        if head not in self.general.fields:
            self.problems.append(said(problem, where=problem.path.replace("dag_id", "name")))
        elif head not in self.general.errors or head != "params":
            self.general.add_error(head, said(problem, where=rest))


def checksum_of(dag: Dag | None) -> str:
    """Which version is current, as pages remember it."""
    return dag.version.checksum if dag is not None and dag.version is not None else ""


def _count(dag: Dag) -> int:
    return dag.tasks.count()


def _split(path: str) -> tuple[str, str]:
    """The first key of a path, and what follows it: `params.day.type` → `params`, `day.type`."""
    match = _HEAD.match(path)
    head = match[0] if match else ""
    return head, path.removeprefix(head).removeprefix(".")
