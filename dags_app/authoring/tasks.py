"""A task as it is written in Python: what all of them have in common."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeAlias

from dags_app.authoring import options as names
from dags_app.authoring import places, scope, stages
from dags_app.authoring.errors import BadArgument, UnknownArgument
from dags_app.authoring.nodes import Node, arrow, ends
from dags_app.authoring.outputs import Output
from dags_app.authoring.values import plain, tasks_in

if TYPE_CHECKING:
    from dags_app.authoring.groups import TaskGroup

#: A function of the task's own, or the dotted path of one: `my_project.reports.build`.
Function: TypeAlias = Callable[..., object] | str


class _Unset:
    """Stands for "not given", where None means something else."""

    def __repr__(self) -> str:
        return "UNSET"


#: Not given: the definition's own default holds (docs/definition.md).
UNSET: Final[Any] = _Unset()


class Task(Node):
    """One task of a DAG. Its keyword arguments are those of a task in a JSON definition."""

    #: Its type in a definition.
    type: ClassVar[str]
    #: The settings that it shares with others, and those together with its own.
    shared: ClassVar[frozenset[str]] = names.COMMON
    known: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        parameters = inspect.signature(cls.__init__).parameters.values()
        own = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
        cls.known |= cls.shared | own

    def __new__(cls, task_id: str = "", *_: object, **given: object) -> Self:
        # Here, for Python would only say that the argument of Skytrail's name is missing.
        for name in given:
            if name in names.REFUSED and name not in cls.known:
                hint = f": {names.REFUSED[name]}"
                raise UnknownArgument(owner=f"{cls.__name__}({task_id!r})", name=name, hint=hint)
        return super().__new__(cls)

    def __init__(self, task_id: str, own: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        name = f"{type(self).__name__}({task_id!r})"
        given = {**own, **options}
        self.dag, self.group = scope.place(
            name, dag=given.pop("dag", None), group=given.pop("task_group", None)
        )
        self.task_id = self.group.child_id(task_id) if self.group else task_id
        given = {key: value for key, value in given.items() if value is not UNSET}
        self.fields = self._defaults() | names.read(given, known=self.known, owner=name)
        before = self.fields.pop("depends_on", ())
        #: Of a teardown task: the setup tasks whose work it puts away.
        self.setups: list[Task] = []
        self.dag.add(self)
        stages.take_in(self)
        places.use(self.fields.get("callable"), self.dag)
        for used in tasks_in(self.fields):
            arrow(used, self)
        self._wait_for(before)

    def _defaults(self) -> dict[str, Any]:
        """The `default_args` of the DAG and the groups around; the innermost count most."""
        found: dict[str, Any] = {}
        for defaults in (self.dag.defaults, *(group.defaults for group in self.groups)):
            found |= defaults
        keys = {names.OTHER_NAMES.get(name, name) for name in self.known}
        return {key: value for key, value in found.items() if key in keys}

    def _wait_for(self, before: object) -> None:
        is_many = isinstance(before, Iterable) and not isinstance(before, str | Node)
        for each in before if is_many else [before]:  # type: ignore[attr-defined]  # it is iterable
            if isinstance(each, str):
                self.dag.named_arrows.append((each, self))
            else:
                self.set_upstream(each)

    @property
    def end(self) -> Task:
        return self

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"the task {self.task_id!r}"

    @property
    def groups(self) -> tuple[TaskGroup, ...]:
        """The groups that it is in, outermost first."""
        return (*self.group.groups, self.group) if self.group else ()

    @property
    def returned(self) -> Output:
        return Output(self)

    @property
    def output(self) -> Any:
        """What it returns, as an argument for other tasks: `load(count.output["rows"])`."""
        return Output(self)

    @property
    def is_setup(self) -> bool:
        """Whether it prepares something for the tasks behind it."""
        return bool(self.fields.get("setup"))

    @property
    def is_teardown(self) -> bool:
        """Whether it puts away what setup tasks have prepared."""
        return bool(self.fields.get("teardown"))

    def as_setup(self) -> Self:
        """Makes it a setup task: it prepares something for those behind it."""
        self.fields["setup"] = True
        return self

    def as_teardown(
        self, *, setups: object = (), on_failure_fail_dagrun: bool | None = None
    ) -> Self:
        """Makes it a teardown task, which puts away what `setups` have prepared."""
        self.fields["teardown"] = True
        if on_failure_fail_dagrun is not None:
            self.fields["on_failure_fail_dagrun"] = on_failure_fail_dagrun
        for setup in ends(setups):
            if not isinstance(setup, Task):
                raise BadArgument(
                    owner=self.label, name="setups", problem=f"are tasks, and {setup.label} is none"
                )
            self.setups.append(setup.as_setup())
            arrow(setup, self)
        return self

    def __enter__(self) -> Self:
        if not self.is_teardown:
            problem = "is for teardown tasks: write `with this.as_teardown(setups=…):`"
            raise BadArgument(owner=self.label, name="a with block", problem=problem)
        stages.begin(self)
        return self

    def __exit__(self, *_: object) -> None:
        stages.end()

    def document(self, upstream: list[str]) -> dict[str, Any]:
        """The task's entry in the definition, with the ids of the tasks directly before it."""
        document: dict[str, Any] = {"id": self.task_id, "type": self.type}
        if upstream:
            document["depends_on"] = sorted(upstream)
        if self.group:
            document["group"] = self.group.path
        for name, value in self.fields.items():
            document[name] = self._field(name, value)
        return document

    def _field(self, name: str, value: Any) -> Any:
        if name == "callable" and not isinstance(value, str | None):
            return places.path_of(value, self.dag)
        if name == "outlets":
            value = sorted(plain(value, owner=self.label, name=name))
        return plain(value, owner=self.label, name=name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.task_id}>"
