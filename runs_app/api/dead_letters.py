"""Dead letters over REST: listed, replayed and dropped, one or many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from runs_app.access import access_dead_letter, check_dead_letters_allowed
from runs_app.actions import dead_letters
from runs_app.actions.dead_letters import Handled
from runs_app.api.filters import DeadLetterQuery
from runs_app.api.serializers import (
    ClearedSerializer,
    DeadLetterDetailSerializer,
    DeadLetterSerializer,
    DroppedSerializer,
    ManyDeadLettersSerializer,
    ReplayedSerializer,
    ReplaySerializer,
)
from runs_app.selectors.dead_letters import (
    Filter,
    Letter,
    letter_of,
    matching,
    oldest_first,
)
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import actor_of, body
from skytrail.rest.showing import show
from skytrail.rest.views import Nothing, View

_GONE = OpenApiResponse(description="Somebody has just replayed or dropped it.")


class DeadLetterPage(NewestFirst):
    """What failed last comes first."""

    ordering = ("-finished_at", "-id")


class DeadLetterListView(ListView):
    """The dead letters of all DAGs that you may see."""

    pagination_class = DeadLetterPage

    @extend_schema(
        operation_id="dead_letters_list",
        parameters=[DeadLetterQuery],
        responses=DeadLetterSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List the tasks that have used up their tries, those that failed last first."""
        letters = matching(request.user, Filter(**self.wanted(DeadLetterQuery)))
        return self.page(letters.shown(), DeadLetterSerializer)


class DeadLetterView(View):
    """One dead letter."""

    @extend_schema(operation_id="dead_letters_retrieve", responses=DeadLetterDetailSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """Show a dead letter with its attempts and its last log lines."""
        return Response(show(DeadLetterDetailSerializer, access_dead_letter(request.user, key)))


class DeadLetterReplayView(View):
    """Replaying a dead letter."""

    @extend_schema(
        operation_id="dead_letters_replay",
        request=ReplaySerializer,
        responses={
            200: ClearedSerializer,
            409: OpenApiResponse(
                description="It is gone, its DAG is deleted or its run is being cancelled."
            ),
        },
    )
    def post(self, request: Request, key: UUID) -> Response:
        """Have a dead letter's task run again, with all that comes after it."""
        letter = letter_of(access_dead_letter(request.user, key, to="replay"))
        dry_run = body(request, ReplaySerializer)["dry_run"]
        tasks = dead_letters.replay(letter, actor=actor_of(request), dry_run=dry_run)
        return Response(show(ClearedSerializer, {"dry_run": dry_run, "tasks": tasks}))


class DeadLetterDropView(View):
    """Dropping a dead letter."""

    @extend_schema(
        operation_id="dead_letters_drop", request=None, responses={204: None, 409: _GONE}
    )
    def post(self, request: Request, key: UUID) -> Response:
        """Take a dead letter off the list; its task stays failed."""
        letter = letter_of(access_dead_letter(request.user, key, to="drop"))
        body(request, Nothing)
        dead_letters.drop(letter, actor=actor_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeadLettersReplayView(View):
    """Replaying many."""

    @extend_schema(
        operation_id="dead_letters_replay_many",
        request=ManyDeadLettersSerializer,
        responses=ReplayedSerializer,
    )
    def post(self, request: Request) -> Response:
        """Replay the dead letters that a filter names, or all, run by run, the oldest first."""
        letters, dry_run, remaining = _wanted(request, to="replay")
        handled = dead_letters.replay_many(letters, actor=actor_of(request), dry_run=dry_run)
        return Response(replayed(handled, dry_run=dry_run, remaining=remaining))


class DeadLettersDropView(View):
    """Dropping many."""

    @extend_schema(
        operation_id="dead_letters_drop_many",
        request=ManyDeadLettersSerializer,
        responses=DroppedSerializer,
    )
    def post(self, request: Request) -> Response:
        """Take the dead letters that a filter names, or all, off the list; they stay failed."""
        letters, dry_run, remaining = _wanted(request, to="drop")
        handled = dead_letters.drop_many(letters, actor=actor_of(request), dry_run=dry_run)
        return Response(dropped(handled, dry_run=dry_run, remaining=remaining))


def replayed(handled: Iterable[Handled], *, dry_run: bool, remaining: int) -> Any:
    """What became of letters that were to be replayed, as an answer shows it."""
    of_runs = list(handled)
    answer = {
        "dry_run": dry_run,
        "replayed": [letter for of_run in of_runs for letter in of_run.done],
        "tasks": [
            {"dag_id": of_run.done[0].dag_id, "run_id": of_run.done[0].run_id, **asdict(task)}
            for of_run in of_runs
            for task in of_run.tasks
        ],
        "passed_over": _passed_over(of_runs),
        "remaining": remaining,
    }
    return show(ReplayedSerializer, answer)


def dropped(handled: Iterable[Handled], *, dry_run: bool, remaining: int) -> Any:
    """What became of letters that were to be dropped, as an answer shows it."""
    of_runs = list(handled)
    answer = {
        "dry_run": dry_run,
        "dropped": [letter for of_run in of_runs for letter in of_run.done],
        "passed_over": _passed_over(of_runs),
        "remaining": remaining,
    }
    return show(DroppedSerializer, answer)


def _passed_over(handled: Iterable[Handled]) -> list[dict[str, Any]]:
    return [
        {**asdict(one.letter), "code": one.error.code, "message": one.error.message}
        for of_run in handled
        for one in of_run.passed_over
    ]


def _wanted(request: Request, *, to: Literal["replay", "drop"]) -> tuple[list[Letter], bool, int]:
    """Which letters, whether only to say what would happen, and how many are left for later."""
    check_dead_letters_allowed(request.user, to=to)
    wanted = body(request, ManyDeadLettersSerializer)
    limit, dry_run = wanted.pop("limit"), wanted.pop("dry_run")
    del wanted["all"]  # no filter at all says the same
    letters = matching(request.user, Filter(**wanted))
    found = oldest_first(letters, limit=limit)
    remaining = letters.count() - len(found) if len(found) == limit else 0
    return found, dry_run, max(0, remaining)
