"""A run as a tree: its tasks with times, what went wrong, outputs and the ends of their logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text
from rich.tree import Tree

from runs_app.domain.states import TaskState
from skytrail.cli.output import STATES
from skytrail.cli.shortening import shortened

#: Of a log so many lines are shown: the last ones.
_LOG_LINES = 3

#: So many tasks, and instances of a mapped task: what is not simply done, or waits, comes first.
_TASKS = 100
_INSTANCES = 20

_QUIET = "bright_black"
_DONE = frozenset({TaskState.SUCCESS, TaskState.SKIPPED, TaskState.WAITING})


@dataclass(frozen=True, slots=True)
class TryShown:
    """One try of a task."""

    number: int
    state: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskShown:
    """One task of a run, or one instance of a mapped one. Times in seconds."""

    name: str
    state: str
    #: When it began, counted from the run's beginning; and how long it took, or has taken so far.
    began: float | None = None
    took: float | None = None
    tries: Sequence[TryShown] = ()
    #: Why it never began.
    why: str = ""
    log: str = ""
    #: How much of the log is shown, in lines.
    log_lines: int = _LOG_LINES
    output: Any = None
    #: The group that it is shown in; dots lead into groups within groups.
    group: str | None = None
    instances: Sequence[TaskShown] = ()

    @property
    def try_number(self) -> int:
        return self.tries[-1].number if self.tries else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShown:
    """A run with its tasks, in the order of the DAG. Times in seconds."""

    name: str
    state: str
    took: float | None = None
    tasks: Sequence[TaskShown] = field(default=())


def tree_of(run: RunShown) -> Tree:
    """The run with its tasks."""
    return _Picture(run).tree()


def why_not(upstream: Iterable[tuple[str, str, Sequence[str] | None]], task_id: str) -> str:
    """Why a task never began: `upstream` has name, state and choice of those directly before it."""
    before = list(upstream)
    for name, _, chosen in before:
        if chosen is not None and task_id not in chosen:
            return f"{name} went on with {', '.join(chosen) or 'nothing'}"
    # After a failure that ends the run others before it may not be over.
    ended = [(name, state) for name, state, _ in before if TaskState(state).is_final]
    return ", ".join(f"{name} is {state}" for name, state in ended if state != TaskState.SUCCESS)


@dataclass(frozen=True)
class _Detail:
    """What is said below a task: a name, a text, and its colour."""

    name: str
    text: str
    colour: str = _QUIET

    def line(self) -> Text:
        name = Text(f"{self.name:<7} ", _QUIET, no_wrap=True, overflow="ellipsis")
        return name.append(self.text, self.colour)


class _Picture:
    def __init__(self, run: RunShown) -> None:
        self._run = run
        everything = [*run.tasks, *(inner for task in run.tasks for inner in task.instances)]
        self._width = max(len(task.name) for task in everything)
        self._state_width = max(len(task.state) for task in everything)
        self._groups: dict[str, Tree] = {}

    def tree(self) -> Tree:
        tree = Tree(self._headline(), guide_style=_QUIET)
        self._add_all(tree, self._run.tasks, most=_TASKS)
        return tree

    def _add_all(self, tree: Tree, tasks: Sequence[TaskShown], *, most: int) -> None:
        """As many as there is room for, in their order, and how the others stand."""
        urgent = sorted(range(len(tasks)), key=lambda place: tasks[place].state in _DONE)
        for place in sorted(urgent[:most]):
            self._add(self._group(tree, tasks[place].group), tasks[place])
        if len(urgent) > most:
            left = Counter(tasks[place].state for place in urgent[most:])
            tree.add(Text(f"… and {_counted(left)}", _QUIET))

    def _add(self, tree: Tree, task: TaskShown) -> None:
        node = tree.add(self._line(task))
        for detail in _details(task):
            node.add(detail.line())
        self._add_all(node, task.instances, most=_INSTANCES)

    def _group(self, tree: Tree, path: str | None) -> Tree:
        """Where the tasks of a group stand: the group is added when it is first met."""
        if path is None:
            return tree
        if path not in self._groups:
            around, _, name = path.rpartition(".")
            self._groups[path] = self._group(tree, around or None).add(Text(name, "italic"))
        return self._groups[path]

    def _headline(self) -> Text:
        counts = Counter(task.state for task in self._run.tasks)
        text = _state(self._run.state).append(f"  {self._run.name}", "bold")
        if self._run.took is not None:
            text.append(f"  in {_seconds(self._run.took)}")
        return text.append(f"  {len(self._run.tasks)} tasks: {_counted(counts)}", _QUIET)

    def _line(self, task: TaskShown) -> Text:
        """State and name; when it started and how long it took, all tries together; the tries."""
        text = _state(task.state, width=self._state_width)
        text.no_wrap, text.overflow = True, "ellipsis"
        text.append(f" {task.name:<{self._width}}", "bold")
        if task.began is not None and task.took is not None:
            offset = f"+{_seconds(task.began)}"
            text.append(f"  {offset:>8}", _QUIET).append(f"  {_seconds(task.took):>7}")
        if task.try_number > 1:
            text.append(f"  {task.try_number} tries", "yellow")
        return text


def _details(task: TaskShown) -> Iterator[_Detail]:
    for each in task.tries:
        if each.state == TaskState.FAILED:
            yield _Detail(f"try {each.number}", each.message, "red")
        elif each.message:
            yield _Detail("why", each.message)
    if not task.tries and task.why:
        yield _Detail("why", task.why)
    for line in [line.rstrip() for line in task.log.splitlines() if line.strip()][
        -task.log_lines :
    ]:
        yield _Detail("log", line)
    if task.output is not None:
        yield _Detail("output", shortened(task.output), "cyan")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.most_common())


def _state(state: str, *, width: int = 0) -> Text:
    colour, sign = STATES.get(state, ("white", "?"))
    return Text().append(f"{sign} {state:<{width}}", colour)


def _seconds(seconds: float) -> str:
    return f"{max(0.0, seconds):.2f} s"
