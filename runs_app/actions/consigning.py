"""From rows that have just been queued to what is sent: blocks, and a ticket for each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from runs_app.dispatching import Consignment, Ticket, publish_after_commit
from runs_app.domain import blocks
from runs_app.domain.graph import Graph, Instance, Step, step_of
from runs_app.domain.states import TaskState
from runs_app.selectors.graphs import graph_of
from skytrail.database.statement import Nothing, Statement

#: What a row gets besides its state when it is queued for a try. Published at once, or so we say:
#: recovery compares with what Redis really holds, and an unsent message is noted as unpublished.
QUEUED = """epoch = t.epoch + 1,
        attempt = t.attempt + 1,
        queued_at = clock_timestamp(),
        published_at = clock_timestamp(),
        publish_count = 1,
        wake_at = NULL"""

#: The columns of a `Place`, of a table or CTE named `m`.
PLACE = """m.run_id AS run_pk, m.position, m.map_index, m.id, m.epoch, m.state, m.chosen,
  m.map_length, m.queue, m.priority"""


class Sendable(Protocol):
    """What sending needs to know of a row."""

    @property
    def id(self) -> UUID: ...
    @property
    def epoch(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def priority(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A task run as far as planning and sending need it."""

    run_pk: UUID
    position: int
    map_index: int
    id: UUID
    epoch: int
    state: str
    chosen: list[str] | None
    map_length: int | None
    queue: str
    priority: int

    @property
    def step(self) -> Step:
        """What it is in a block."""
        return step_of(self.position, self.map_index)


def consign(
    graph: Graph,
    *,
    dag_id: str,
    run_pk: UUID,
    places: Mapping[Step, Sendable],
    queued: Sequence[Step],
) -> Consignment:
    """The blocks that start with the steps `queued`.

    `places` holds the rows after they were queued. Steps behind them ride along as far as their
    rows are among `places` and wait; their tickets are for the epoch they will have.
    """
    ahead = set(queued)

    def waits(position: int) -> bool:
        place = places.get(position)
        return place is not None and place.state == TaskState.WAITING

    def ticket(step: Step) -> Ticket:
        place = places[step]
        return Ticket(
            task_run_id=place.id,
            epoch=place.epoch if step in ahead else place.epoch + 1,
            queue=place.queue,
            priority=place.priority,
            label=f"{dag_id}.{_label(graph, step)}",
        )

    cut = blocks.cut(graph, sorted(s for s in queued if isinstance(s, int)), waits=waits)
    cut += blocks.cut_instances(graph, sorted(s for s in queued if isinstance(s, Instance)))
    return Consignment(
        run_pk=run_pk,
        blocks=cut,
        tickets={step: ticket(step) for block in cut for step in block.steps()},
    )


def _label(graph: Graph, step: Step) -> str:
    if isinstance(step, Instance):
        return f"{graph.nodes[step.position].task_id}[{step.map_index}]"
    return graph.nodes[step].task_id


@dataclass(frozen=True)
class _Run:
    pk: UUID
    dag_id: str
    version_id: UUID


_RUNS = Statement(
    "runs_of_tasks",
    """
SELECT r.id AS pk, d.dag_id, r.version_id
FROM skytrail_dag_run r JOIN skytrail_dag d ON d.id = r.dag_id
WHERE r.id = ANY (%(runs)s::uuid[])
""",
    _Run,
)


def publish_alone(queued: list[Place], *, ahead: bool = False) -> None:
    """Sends queued task runs of any runs, each as a block of its own, after the commit.

    What had begun before and begins again goes `ahead` of what others have queued since.
    """
    if ahead:
        queued = [replace(place, priority=max(1, place.priority)) for place in queued]
    runs = {run.pk: run for run in _RUNS.all(runs=list({place.run_pk for place in queued}))}
    publish_after_commit(
        [
            consign(
                graph_of(runs[place.run_pk].version_id),
                dag_id=runs[place.run_pk].dag_id,
                run_pk=place.run_pk,
                places={place.step: place},
                queued=[place.step],
            )
            for place in queued
        ]
    )


# What failed may have got through all the same: a row that has been claimed meanwhile, or queued
# once more, is left alone. What was not sent does not count as a sending, of which each makes
# recovery more patient with the next.
_UNSENT = Statement(
    "unsent",
    """
WITH held AS MATERIALIZED (
  SELECT t.id FROM skytrail_task_run t
  JOIN unnest(%(ids)s::uuid[], %(epochs)s::int[]) AS unsent (id, epoch)
    ON t.id = unsent.id AND t.epoch = unsent.epoch
  WHERE t.state = 'queued' AND t.published_at IS NOT NULL
  ORDER BY t.id
  FOR NO KEY UPDATE OF t
)
UPDATE skytrail_task_run t
SET published_at = NULL, publish_count = greatest(t.publish_count - 1, 0)
FROM held WHERE t.id = held.id
""",
    Nothing,
)


def mark_unsent(tickets: Iterable[Ticket]) -> None:
    """Notes that messages did not get through, so that recovery sends them within seconds.

    Tickets for steps that only ride along are for an epoch to come, and are passed over.
    """
    unsent = list(tickets)
    _UNSENT.count(
        ids=[ticket.task_run_id for ticket in unsent], epochs=[ticket.epoch for ticket in unsent]
    )


_WANT_PLAN = Statement(
    "want_plan",
    """
WITH held AS MATERIALIZED (
  SELECT id FROM skytrail_dag_run
  WHERE id = ANY (%(runs)s::uuid[]) AND state IN ('running', 'cancelling')
  ORDER BY id
  FOR NO KEY UPDATE
)
UPDATE skytrail_dag_run r SET planned_at = NULL FROM held WHERE r.id = held.id
""",
    Nothing,
)


def want_plan(runs: Iterable[UUID]) -> None:
    """Notes that nobody could be asked to plan these runs, so that recovery does, at its next."""
    _WANT_PLAN.count(runs=list(runs))
