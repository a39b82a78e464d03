"""The layouts of versions. A version never changes, so a process lays each out only once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from dags_app.domain.layout import Layout, lay_out
from dags_app.models import VersionTask

#: Graphs of more tasks are not drawn: a browser would show a grey thread.
MOST = 2_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """A version's graph; `layout` is None where it has too many tasks. `types` by task id."""

    layout: Layout | None
    types: dict[str, str]
    count: int


@lru_cache(maxsize=256)
def layout_of(version_pk: UUID) -> Drawn:
    """The graph of a version, laid out."""
    rows = VersionTask.objects.filter(version=version_pk).order_by("position")
    tasks = list(rows.values_list("position", "task_id", "type", "upstream"))
    if len(tasks) > MOST:
        return Drawn(None, {}, len(tasks))
    names = {position: task_id for position, task_id, _, _ in tasks}
    upstream = {task_id: [names[each] for each in before] for _, task_id, _, before in tasks}
    return Drawn(lay_out(upstream), {task_id: kind for _, task_id, kind, _ in tasks}, len(tasks))
