"""Tasks that have used up their tries: looked at, replayed, dropped, one by one or many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from dags_app.access import check_allowed
from runs_app.access import check_dead_letters_allowed
from runs_app.actions import dead_letters as acting
from runs_app.models import DeadLetter
from runs_app.selectors.dead_letters import Filter, Letter, matching, oldest_first, reasons
from runs_app.web.acting import done
from runs_app.web.addresses import of_task
from skytrail.errors import Invalid
from skytrail.rest.pagination import NewestFirst
from skytrail.web.paging import page_of
from skytrail.web.people import actor_of

#: Letters that are handled by one click.
MOST = 200
LISTED = 50

_LONGEST = 250


class NoneChosen(Invalid):
    """Choose from 1 to {most} dead letters, and what to do with them."""


class Newest(NewestFirst):
    """Those that failed last first."""

    ordering = ("-finished_at", "-id")


@require_GET
def dead_letters(request: HttpRequest) -> HttpResponse:
    """The list."""
    check_allowed(request.user, "dags_app.view_dag", purpose="see", what="dead letters")
    dag_id = request.GET.get("dag_id", "").strip()[:_LONGEST] or None
    reason = request.GET.get("reason", "").strip()[:_LONGEST] or None
    letters = matching(request.user, Filter(dag_id=dag_id, reason=reason))
    page = page_of(request, letters.shown(), Newest)
    context: dict[str, Any] = {
        "page": page,
        "rows": [(one, _page(one)) for one in page.rows],
        "dag_id": dag_id or "",
        "reason": reason,
        "may_run": request.user.has_perm("dags_app.run_dag"),
    }
    if request.headers.get("HX-Target") == "rows":
        return render(request, "runs_app/dead_letter_rows.html", context)
    context["reasons"] = reasons(matching(request.user))
    return render(request, "runs_app/dead_letters.html", context)


@require_http_methods(["GET", "POST"])
def chosen(request: HttpRequest) -> HttpResponse:
    """Replays or drops several (`letter=…&do=replay`); asked with GET, what that would do."""
    given = request.GET if request.method == "GET" else request.POST
    do = given.get("do")
    if do not in {"replay", "drop"}:
        raise NoneChosen(most=MOST)
    to: Literal["replay", "drop"] = "replay" if do == "replay" else "drop"
    check_dead_letters_allowed(request.user, to=to)
    letters = _letters(request, given.getlist("letter"))
    act = acting.replay_many if to == "replay" else acting.drop_many
    handled = list(act(letters, actor=actor_of(request), dry_run=request.method == "GET"))
    passed = [one for of_run in handled for one in of_run.passed_over]
    count = sum(len(of_run.done) for of_run in handled)
    if request.method == "POST":
        word = "are replayed" if to == "replay" else "are off the list"
        left = f"; {len(passed)} were left: {passed[0].error.message}" if passed else ""
        return done(f"{count} dead letter{'s' if count != 1 else ''} {word}{left}.")
    tasks = [task for of_run in handled for task in of_run.tasks]
    context = {
        "do": to,
        "letters": letters,
        "count": count,
        "passed_over": passed,
        "tasks": tasks[:LISTED],
        "task_count": len(tasks),
    }
    return render(request, "runs_app/ask_dead_letters.html", context)


def _page(letter: DeadLetter) -> str:
    letter.run.dag = letter.dag  # both have been read
    return of_task(letter.run, letter.task_id, letter.map_index)


def _letters(request: HttpRequest, words: Sequence[str]) -> list[Letter]:
    try:
        keys = {UUID(word) for word in words}
    except ValueError:
        raise NoneChosen(most=MOST) from None
    if not 0 < len(keys) <= MOST:
        raise NoneChosen(most=MOST)
    return oldest_first(matching(request.user).filter(pk__in=keys))
