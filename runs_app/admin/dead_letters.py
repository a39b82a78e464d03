"""Dead letters in the admin: the list, replaying and dropping.

What there is to see of one is its task run: its row leads there, and its buttons are there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    DropdownFilter,
    FieldTextFilter,
)
from unfold.views import ChangeList

from dags_app.admin.pages import Listing, ReadOnly, Told, actor_of, summary
from runs_app.access import DeadLetterNotFound, access_dead_letter
from runs_app.actions import dead_letters
from runs_app.actions.dead_letters import Handled
from runs_app.admin.shown import dag_link, link
from runs_app.models import DeadLetter
from runs_app.models.dead_letter import DeadLetterQuerySet
from runs_app.selectors.dead_letters import died_of, letter_of, oldest_first, reasons

#: Letters that one action handles; the rest is for the next one.
MOST = 500

#: Of those that were passed over, so many are named.
NAMED = 5

#: So much of a message is in the list, in characters.
MESSAGE = 200

LIST = "admin:runs_app_deadletter_changelist"


class ReasonFilter(DropdownFilter):  # type: ignore[misc]  # untyped library
    """What their last executions ended with."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The reasons that there are."""
        return [(reason, reason) for reason in reasons(DeadLetter.objects.visible_to(request.user))]

    def queryset(self, request: HttpRequest, queryset: DeadLetterQuerySet) -> DeadLetterQuerySet:
        """Those with the reason."""
        reason = self.value()
        return died_of(queryset, reason) if reason else queryset


class Letters(Listing):
    """A list whose rows lead to task runs."""

    def url_for_result(self, result: DeadLetter) -> str:
        """The page of the task run that it is."""
        return _page(result.pk)


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnly):
    """Tasks that have used up their tries, for somebody to decide about."""

    list_display = ["name", "why", "dag_column", "run_link", "tries", "failed_at"]
    list_filter = [
        ReasonFilter,
        ("dag", AutocompleteSelectFilter),
        ("queue", FieldTextFilter),
        "finished_at",
    ]
    search_fields = ["task_id", "run__run_id"]
    search_help_text = "Task or run id"
    ordering = ["-finished_at", "-id"]
    actions = ["replay_selected", "drop_selected"]

    def get_queryset(self, request: HttpRequest) -> DeadLetterQuerySet:
        """The dead letters that may be seen."""
        letters: DeadLetterQuerySet = DeadLetter.objects.visible_to(request.user)
        return letters.shown()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Ours."""
        return Letters

    def has_run_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether dead letters may be replayed and dropped."""
        return self.has_view_permission(request) and request.user.has_perm("dags_app.run_dag")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        """It has no page of its own."""
        letter = self.get_object(request, object_id) if object_id is not None else None
        if request.method != "GET" or letter is None:
            raise PermissionDenied
        return HttpResponseRedirect(_page(letter.pk))

    # ------------------------------------------------------------- the list

    @admin.display(description="Task", ordering="task_id")
    def name(self, letter: DeadLetter) -> str:
        """Which task; with its place where it is one of many."""
        return str(letter)

    @admin.display(description="Why", empty_value="–")
    def why(self, letter: DeadLetter) -> SafeString | None:
        """The reason and the message of its last execution."""
        last = letter.last_attempt
        if last is None:
            return None
        return format_html(
            '<span class="sky-name"><span class="sky-badge is-failed">{}</span>'
            '<span class="sky-about" dir="auto" title="{}">{}</span></span>',
            last.reason.replace("_", " "),
            last.message,
            Truncator(last.message).chars(MESSAGE),
        )

    @admin.display(description="DAG", ordering="dag__dag_id")
    def dag_column(self, letter: DeadLetter) -> SafeString | str:
        """Its DAG."""
        return dag_link(letter.dag)

    @admin.display(description="Run", ordering="run")
    def run_link(self, letter: DeadLetter) -> SafeString:
        """Its run."""
        return link("runs_app_dagrun", letter.run_id, letter.run.run_id)

    @admin.display(description="Attempt", ordering="attempt")
    def tries(self, letter: DeadLetter) -> str:
        """Which try was the last one."""
        return f"{letter.attempt} of {letter.max_attempts}"

    @admin.display(description="Failed", ordering="finished_at")
    def failed_at(self, letter: DeadLetter) -> Any:
        """Since when it is here."""
        return letter.finished_at

    @admin.action(description="Replay: run again, with what follows", permissions=["run"])
    def replay_selected(self, request: HttpRequest, chosen: DeadLetterQuerySet) -> None:
        """Has them run again."""
        letters = oldest_first(chosen, limit=MOST)
        handled = list(dead_letters.replay_many(letters, actor=actor_of(request)))
        tasks = sum(len(of_run.tasks) for of_run in handled)
        self._tell(request, handled, f"replayed: {{}}; tasks that run again: {tasks}")

    @admin.action(description="Drop: leave them failed", permissions=["run"])
    def drop_selected(self, request: HttpRequest, chosen: DeadLetterQuerySet) -> None:
        """Takes them off the list."""
        letters = oldest_first(chosen, limit=MOST)
        handled = list(dead_letters.drop_many(letters, actor=actor_of(request)))
        self._tell(request, handled, "dropped: {}")

    def _tell(self, request: HttpRequest, handled: Iterable[Handled], done: str) -> None:
        """What became of them."""
        of_runs = list(handled)
        passed_over = [one for of_run in of_runs for one in of_run.passed_over]
        for one in passed_over[:NAMED]:
            where = f"{one.letter.dag_id}, {one.letter.run_id}, {one.letter.task_id}"
            messages.warning(request, f"Passed over {where}: {one.error.message}")
        if len(passed_over) > NAMED:
            messages.warning(request, f"Passed over: {len(passed_over) - NAMED} more.")
        count = sum(len(of_run.done) for of_run in of_runs)
        if count:
            self.message_user(request, f"Dead letters {done.format(count)}.", messages.SUCCESS)

    # ------------------------------------------------------------- the buttons

    def get_urls(self) -> list[URLPattern]:
        """Those of every admin, and the buttons on a task run's page."""
        view = self.admin_site.admin_view
        return [
            path("<uuid:key>/replay/", view(require_POST(self.replay)), name="runs_app_deadletter_replay"),  # noqa: E501
            path("<uuid:key>/drop/", view(require_POST(self.drop)), name="runs_app_deadletter_drop"),  # noqa: E501
            *super().get_urls(),
        ]  # fmt: skip

    def replay(self, request: HttpRequest, key: UUID) -> HttpResponseRedirect:
        """The button that has one run again, with what follows it."""
        letter = self._access(request, key, to="replay")
        if letter is None:
            return HttpResponseRedirect(reverse(LIST))
        with Told(request):
            tasks = dead_letters.replay(letter_of(letter), actor=actor_of(request))
            text = f"Replayed; tasks that run again: {len(tasks)}."
            self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(_page(key))

    def drop(self, request: HttpRequest, key: UUID) -> HttpResponseRedirect:
        """The button that takes one off the list."""
        letter = self._access(request, key, to="drop")
        if letter is None:
            return HttpResponseRedirect(reverse(LIST))
        with Told(request):
            dead_letters.drop(letter_of(letter), actor=actor_of(request))
            text = "Dropped from the dead letters; the task stays failed."
            self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(_page(key))

    def _access(
        self, request: HttpRequest, key: UUID, *, to: Literal["replay", "drop"]
    ) -> DeadLetter | None:
        """The letter, or None, and a message, where somebody was quicker."""
        if not self.has_run_permission(request):
            raise PermissionDenied
        try:
            return access_dead_letter(request.user, key, to=to)
        except DeadLetterNotFound as error:
            messages.error(request, summary(error))
            return None


def _page(key: UUID) -> str:
    return reverse("admin:runs_app_taskrun_change", args=[key])
