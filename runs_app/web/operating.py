"""Pools, queues and workers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from dags_app.access import check_allowed
from runs_app.actions import pools as changing
from runs_app.models import Pool
from runs_app.selectors.attention import queues as queues_now
from runs_app.selectors.pools import pools_with_usage
from runs_app.selectors.workers import workers_with_status
from runs_app.web.acting import done
from skytrail.errors import Invalid, NotFound
from skytrail.web.errors import refused
from skytrail.web.parts import page_or_part

_MOST_SLOTS = 1_000_000


class PoolNotFound(NotFound):
    """There is no pool named {name}."""


class BadSlots(Invalid):
    """Give a whole number of slots from 0 to 1,000,000; 0 holds back every task of the pool."""


@require_GET
def pools(request: HttpRequest) -> HttpResponse:
    """All pools, with what is taken of each."""
    check_allowed(request.user, "runs_app.view_pool", purpose="see", what="pools")
    may_change = request.user.has_perm("runs_app.change_pool")
    context = {
        "pools": list(pools_with_usage().order_by("name")),
        "may_change": may_change,
    }
    return page_or_part(request, "runs_app/pools.html", "runs_app/pool_rows.html", context)


@require_POST
def pool(request: HttpRequest, name: str) -> HttpResponse:
    """Changes the slots of one."""
    check_allowed(request.user, "runs_app.change_pool", purpose="change", what="pools")
    found = Pool.objects.filter(name=name).first()
    if found is None:
        raise PoolNotFound(name=repr(name))
    text = request.POST.get("slots", "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 8 and int(text) <= _MOST_SLOTS):
        return refused(request, BadSlots())
    changing.change(found, slots=int(text))
    return done(f"{name} has {int(text)} slots.")


@require_GET
def queues(request: HttpRequest) -> HttpResponse:
    """What lies in each queue, and who serves it."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="queues")
    now = {queue.name: queue for queue in queues_now()}
    there: Iterable[Any] = workers_with_status().filter(stopped_at=None)
    workers = [worker for worker in there if worker.is_active]
    names = sorted({*now, *(name for worker in workers for name in worker.queues)})
    rows = [(name, now.get(name), [w for w in workers if name in w.queues]) for name in names]
    return page_or_part(request, "runs_app/queues.html", "runs_app/queue_rows.html", {"rows": rows})


@require_GET
def workers(request: HttpRequest) -> HttpResponse:
    """Who is there, and who was."""
    check_allowed(request.user, "runs_app.view_worker", purpose="see", what="workers")
    found: list[Any] = list(workers_with_status().order_by("-last_heartbeat")[:200])
    context = {
        "alive": [worker for worker in found if worker.is_active],
        "gone": [worker for worker in found if not worker.is_active],
    }
    return page_or_part(request, "runs_app/workers.html", "runs_app/worker_rows.html", context)
