"""From arrows between tasks and groups to the dependencies of tasks.

An arrow to a group leads to its first tasks, one from a group comes from its last ones: those that
nothing comes before, or after, within the group. What comes before what within a group is said by
the arrows inside it, which may be between groups again: so the innermost go first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dags_app.authoring.errors import BadArgument, CyclicDag, NothingInside
from dags_app.authoring.groups import TaskGroup
from dags_app.authoring.stages import Stage
from dags_app.authoring.tasks import Task

if TYPE_CHECKING:
    from dags_app.authoring.dags import DAG
    from dags_app.authoring.nodes import End


def upstream_of(dag: DAG) -> dict[str, list[str]]:
    """For each task's id those of the tasks directly before it, in the order of the lines."""

    def named(name: str) -> End:
        return dag.groups.get(name) or dag.get_task(name)

    graph = _Graph(dag.tasks)
    written = [*dag.arrows, *((named(name), task) for name, task in dag.named_arrows)]
    for before, after in sorted(written, key=_innermost_first):
        _check(before, after)
        for first in graph.last_of(before):
            for second in graph.first_of(after):
                graph.connect(first, second)
    found = {
        task.task_id: [before.task_id for before in graph.upstream[task]] for task in dag.tasks
    }
    _check_cycles(dag.dag_id, found)
    return found


class _Graph:
    def __init__(self, tasks: Iterable[Task]) -> None:
        self.upstream: dict[Task, dict[Task, None]] = {task: {} for task in tasks}
        self.downstream: dict[Task, dict[Task, None]] = {task: {} for task in self.upstream}

    def connect(self, before: Task, after: Task) -> None:
        self.upstream[after][before] = None
        self.downstream[before][after] = None

    def first_of(self, end: End) -> list[Task]:
        """Where an arrow to `end` leads."""
        if isinstance(end, Task):
            return [end]
        inside = _inside(end)
        return [task for task in inside if not self.upstream[task].keys() & inside.keys()]

    def last_of(self, end: End) -> list[Task]:
        """Where an arrow from `end` comes from.

        As in Airflow not from teardown tasks: what comes after a group does not wait until it has
        been tidied up, and goes on if that fails.
        """
        if isinstance(end, Task):
            return [end]
        inside = _inside(end)
        last = [task for task in inside if not self.downstream[task].keys() & inside.keys()]
        if isinstance(end, Stage):  # what it has prepared is in use until the inner ones are done
            return last
        found: dict[Task, None] = {}
        for task in last:
            found |= dict.fromkeys(self._before_teardowns(task, inside))
        return list(found) or last

    def _before_teardowns(self, task: Task, inside: dict[Task, None]) -> Iterator[Task]:
        if not task.is_teardown:
            yield task
            return
        for before in self.upstream[task]:
            # The way from a setup task to its teardown carries no work.
            if before in inside and not before.is_setup:
                yield from self._before_teardowns(before, inside)


def _inside(end: TaskGroup | Stage) -> dict[Task, None]:
    tasks = dict.fromkeys(end.all_tasks() if isinstance(end, TaskGroup) else end.tasks)
    if not tasks:
        raise NothingInside(what=end.label)
    return tasks


def _innermost_first(arrow: tuple[End, End]) -> tuple[int, bool, int]:
    """The order in which arrows are looked at: those of inner groups first, and among those of one
    group the ones that lead to or from blocks last, of which again the inner ones go first.
    """
    depths = [end.depth for end in arrow if isinstance(end, Stage)]
    return -len(_shared(*arrow)), bool(depths), -max(depths, default=0)


def _shared(before: End, after: End) -> tuple[TaskGroup, ...]:
    """The groups that both are in, outermost first."""
    common = []
    for one, other in zip(before.groups, after.groups, strict=False):
        if one is not other:
            break
        common.append(one)
    return tuple(common)


def _check(before: End, after: End) -> None:
    for outer, inner in ((before, after), (after, before)):
        if isinstance(outer, TaskGroup) and (inner is outer or outer in inner.groups):
            raise BadArgument(
                owner=outer.label,
                name=inner.label,
                problem="is inside it, so neither can come before the other: connect it with "
                "tasks of the group instead",
            )


def _check_cycles(dag_id: str, upstream: dict[str, list[str]]) -> None:
    from dags_app.domain import topology

    for cycle in topology.cycles(upstream):
        raise CyclicDag(dag_id=dag_id, cycle=" → ".join([*cycle, cycle[0]]))
