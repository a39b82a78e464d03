"""When runs began and ended, for charts of many of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from django.db.models import Count, DateTimeField, F
from django.db.models.functions import Coalesce, TruncDate

from dags_app.models import Dag
from runs_app.domain.pictures.scale import WIDTH, Scale
from runs_app.domain.pictures.timeline import SLICES, DagRuns, Span, Timeline, timeline
from runs_app.models import DagRun
from skytrail.database.statement import Statement


@dataclass(frozen=True)
class _Row:
    """A lane (`a` runs, `b` of them failed), a bar in it (from `x` to `y`, `a` runs), the runs of a
    slice (`a` of them, in slice `b`), or how many DAGs there are (`a`).
    """

    kind: str
    dag_id: str
    run_id: str
    state: str
    x: float
    y: float
    a: int
    b: int


# One pass over the runs of the time, by `run_newest`; what is drawn comes out, however many runs
# there are. Bars that begin and end at the same places are one. A run that took longer than a day
# before the time began is missed, unless it still goes on.
_TIMELINE = Statement(
    "timeline",
    """
WITH spans AS MATERIALIZED (
  SELECT r.dag_id, d.dag_id AS name, r.run_id, r.state,
    greatest(extract(epoch FROM coalesce(r.started_at, r.queued_at) - %(start)s::timestamptz), 0)
      / %(unit)s::float8 AS x,
    least(extract(epoch FROM coalesce(r.finished_at, %(end)s::timestamptz) - %(start)s::timestamptz)
      / %(unit)s::float8, %(width)s::float8) AS y
  FROM skytrail_dag_run r JOIN skytrail_dag d ON d.id = r.dag_id
  WHERE r.queued_at >= %(start)s::timestamptz - interval '1 day'
    AND r.queued_at < %(end)s::timestamptz
    AND (r.finished_at IS NULL OR r.finished_at >= %(start)s::timestamptz)
    AND d.deleted_at IS NULL
    AND (%(tag)s::text IS NULL OR d.tags @> ARRAY[%(tag)s::varchar])
    AND (%(owner)s::text IS NULL OR d.owner = %(owner)s)
    AND (%(q)s::text IS NULL OR position(lower(%(q)s) IN lower(d.dag_id)) > 0)
), lanes AS (
  SELECT dag_id, name, count(*) AS runs, count(*) FILTER (WHERE state = 'failed') AS failed,
    row_number() OVER (
      ORDER BY count(*) FILTER (WHERE state = 'failed') DESC, sum(y - x) DESC, name
    ) AS place
  FROM spans GROUP BY dag_id, name
)
(SELECT 'lane' AS kind, name AS dag_id, '' AS run_id, '' AS state, 0::float8 AS x, 0::float8 AS y,
   runs::int AS a, failed::int AS b
 FROM lanes WHERE place <= %(most)s::int ORDER BY place)
UNION ALL
SELECT 'bar', s.name, max(s.run_id), s.state, min(s.x)::float8, max(s.y)::float8, count(*)::int, 0
FROM spans s JOIN lanes l ON l.dag_id = s.dag_id AND l.place <= %(most)s::int
GROUP BY s.name, s.state, floor(s.x / 2), floor(s.y / 2)
UNION ALL
SELECT 'slice', '', '', s.state, 0, 0, count(*)::int, p.place
FROM spans s CROSS JOIN LATERAL generate_series(
  least(floor(s.x / %(width)s::float8 * %(slices)s::int)::int, %(slices)s::int - 1),
  least(floor(s.y / %(width)s::float8 * %(slices)s::int)::int, %(slices)s::int - 1)
) AS p (place)
GROUP BY s.state, p.place
UNION ALL
SELECT 'state', '', '', state, 0, 0, count(*)::int, 0 FROM spans GROUP BY state
UNION ALL
SELECT 'dags', '', '', '', 0, 0, count(*)::int, 0 FROM lanes
""",
    _Row,
    prepared=False,
)


def timeline_of(
    scale: Scale,
    *,
    most: int,
    tag: str | None = None,
    owner: str | None = None,
    q: str | None = None,
) -> Timeline:
    """What ran during the time of `scale`: `most` lanes, of the DAGs that failed most often first,
    then of the busiest; those of deleted DAGs are left out. Whoever asks may see all DAGs.
    """
    rows = _TIMELINE.all(
        start=scale.start, end=scale.end, unit=scale.seconds / WIDTH, width=WIDTH, slices=SLICES,
        most=most, tag=tag, owner=owner, q=q,
    )  # fmt: skip
    spans: dict[str, list[Span]] = defaultdict(list)
    for row in rows:
        if row.kind == "bar":
            spans[row.dag_id].append(Span(row.run_id, row.state, row.x, row.y, row.a))
    lanes = [row for row in rows if row.kind == "lane"]
    there = sum(row.a for row in rows if row.kind == "dags")
    return timeline(
        [DagRuns(row.dag_id, row.a, row.b, spans[row.dag_id]) for row in lanes],
        slices={(row.b, row.state): row.a for row in rows if row.kind == "slice"},
        counts=Counter({row.state: row.a for row in rows if row.kind == "state"}),
        left_out=there - len(lanes),
    )


def counts_by_day(dag: Dag, *, since: datetime, zone: tzinfo) -> dict[date, dict[str, int]]:
    """How many of a DAG's runs of each day are in which state, on the calendar of `zone`.

    A run belongs to the day of its logical date, or of its creation where it has none.
    """
    runs = DagRun.objects.filter(dag=dag, queued_at__gte=since)
    day = TruncDate(
        Coalesce("logical_date", "queued_at", output_field=DateTimeField()), tzinfo=zone
    )
    found: dict[date, dict[str, int]] = {}
    rows: Iterable[tuple[date, str, int]] = (
        runs.annotate(day=day).values_list("day", "state").annotate(count=Count("pk"))
        .order_by(F("day"))
    )  # fmt: skip
    for each, state, count in rows:
        found.setdefault(each, {})[state] = count
    return found
