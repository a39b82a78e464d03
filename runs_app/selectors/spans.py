"""When runs began and ended, for charts of many of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo

from django.db.models import Count, DateTimeField, F, Q
from django.db.models.functions import Coalesce, TruncDate

from dags_app.models import Dag
from runs_app.domain.pictures.timeline import Span
from runs_app.models import DagRun
from skytrail.security.subject import Subject

#: A run that takes longer than this before a chart begins is missed in it, unless it still runs.
LONGEST = timedelta(hours=24)

#: Rows that a chart is made from: of more, the newest.
MOST = 20_000


def spans_between(
    user: Subject,
    start: datetime,
    end: datetime,
    *,
    tag: str | None = None,
    owner: str | None = None,
    q: str | None = None,
) -> list[Span]:
    """The runs that were under way between two times, those of deleted DAGs left out."""
    runs = DagRun.objects.visible_to(user).filter(
        Q(finished_at=None) | Q(finished_at__gte=start),
        dag__deleted_at=None,
        queued_at__gte=start - LONGEST,
        queued_at__lt=end,
    )
    if tag:
        runs = runs.filter(dag__tags__contains=[tag])
    if owner:
        runs = runs.filter(dag__owner=owner)
    if q:
        runs = runs.filter(dag__dag_id__icontains=q)
    rows = runs.order_by("-queued_at", "-id").values_list(
        "dag__dag_id",
        "run_id",
        "state",
        Coalesce("started_at", "queued_at", output_field=DateTimeField()),
        "finished_at",
    )
    return [Span(*row) for row in rows[:MOST]]


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
