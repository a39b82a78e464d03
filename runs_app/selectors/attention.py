"""What somebody should look at now, over all DAGs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from dags_app.models import Dag
from runs_app.domain.states import RUN_FINAL, RUN_UNFINISHED, RunState
from runs_app.models import Approval, DagRun, DeadLetter
from runs_app.selectors.runs import shown
from skytrail.database.statement import Statement
from skytrail.security.subject import Subject

#: What failed longer ago than this is history.
LATELY = timedelta(hours=24)

#: A schedule's tick is seen to within a second or two.
LATE_AFTER = timedelta(seconds=60)

#: Rows of each list, and how far dead letters and the like are counted.
MOST = 8
COUNTED = 1000


@dataclass(frozen=True)
class Queue:
    """A queue with what lies in it; `oldest` since when the first of them lies there."""

    name: str
    length: int
    oldest: datetime | None
    running: int


# Served by the indexes `task_run_queued` and `task_run_leased`: only what is there now is read.
_QUEUES = Statement(
    "queues",
    """
SELECT queue AS name,
  (count(*) FILTER (WHERE state = 'queued'))::int AS length,
  min(queued_at) FILTER (WHERE state = 'queued') AS oldest,
  (count(*) FILTER (WHERE state <> 'queued'))::int AS running
FROM (
  SELECT queue, state, queued_at FROM skytrail_task_run WHERE state = 'queued'
  UNION ALL
  SELECT queue, state, queued_at FROM skytrail_task_run
  WHERE state IN ('cancelling', 'restarting', 'running')
) t
GROUP BY queue ORDER BY queue
""",
    Queue,
)


def queues() -> list[Queue]:
    """The queues in which anything lies or from which anything runs."""
    return _QUEUES.all()


def failing(user: Subject) -> list[DagRun]:
    """The last runs of DAGs whose last run that has ended has failed lately, newest first."""
    since = Now() - LATELY
    over = DagRun.objects.filter(queued_at__gte=since, state__in=sorted(RUN_FINAL))
    later = over.filter(dag=OuterRef("dag"), queued_at__gt=OuterRef("queued_at"))
    failed = DagRun.objects.visible_to(user).filter(
        queued_at__gte=since, state=RunState.FAILED, dag__deleted_at=None
    )
    return list(shown(failed.exclude(Exists(later))).order_by("-queued_at", "-id")[: MOST + 1])


def late_dags(user: Subject) -> list[Dag]:
    """DAGs whose schedule was due and has brought no run, the longest overdue first."""
    due = Dag.objects.visible_to(user).filter(paused=False, next_run_at__lt=Now() - LATE_AFTER)
    return list(due.only("dag_id", "next_run_at").order_by("next_run_at")[: MOST + 1])


def in_progress(user: Subject) -> list[DagRun]:
    """Runs that have not ended, the longest under way first."""
    runs = DagRun.objects.visible_to(user).filter(state__in=sorted(RUN_UNFINISHED))
    return list(shown(runs).order_by("queued_at", "id")[: MOST + 1])


def coming(user: Subject) -> list[Dag]:
    """DAGs that run next."""
    dags = Dag.objects.visible_to(user).filter(paused=False, next_run_at__isnull=False)
    return list(dags.only("dag_id", "next_run_at").order_by("next_run_at")[:MOST])


def dead_letters(user: Subject) -> int:
    """How many there are, or `COUNTED`: what is looked at often counts no millions."""
    count: int = DeadLetter.objects.visible_to(user)[:COUNTED].count()
    return count


def open_questions(user: Subject) -> int:
    """Approvals that somebody waits for, or `COUNTED`."""
    return Approval.objects.visible_to(user).pending()[:COUNTED].count()


def unfinished(user: Subject) -> int:
    """Runs that have not ended."""
    return DagRun.objects.visible_to(user).filter(state__in=sorted(RUN_UNFINISHED)).count()
