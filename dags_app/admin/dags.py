"""DAGs in the admin: the list, and the page on which one is edited for real."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from dags_app.access import access_dag
from dags_app.actions import deletion, pausing, registration
from dags_app.actions.registration import Saved
from dags_app.admin.editor import Editor
from dags_app.admin.filters import ScheduleFilter, TagFilter
from dags_app.admin.pages import Page, Told, actor_of, page_context
from dags_app.admin.tasks import EXAMPLES, MAIN, MAX_TASKS_IN_FORM
from dags_app.domain.timing.zones import check_timezone
from dags_app.models import Dag, DagSource
from dags_app.selectors.previews import next_runs, resuming
from skytrail.errors import SkytrailError

#: So many of its next runs are shown on a DAG's page.
NEXT_RUNS = 5

#: More DAGs than this are not triggered by one click.
MAX_TRIGGERED = 50


@admin.register(Dag)
class DagAdmin(Page):
    """Every change goes through `registration`, as at every other door."""

    list_display = ["dag", "schedule", "next_run", "status", "version_number", "tag_list", "owner"]
    list_filter = ["paused", ScheduleFilter, TagFilter, "source"]
    search_fields = ["dag_id", "description", "owner"]
    ordering = ["dag_id"]
    actions = ["trigger_selected", "pause_selected", "resume_selected"]

    # ------------------------------------------------------------- who may

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may see DAGs."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As `Dag.objects.visible_to`."""
        return request.user.has_perm("dags_app.view_dag")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes what they may not see."""
        return self.has_view_permission(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes what they may not see."""
        return self.has_view_permission(request) and super().has_delete_permission(request, obj)

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Whether runs may be triggered."""
        return request.user.has_perm("dags_app.run_dag")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dag]:
        """The DAGs that are there, without their definitions, which may be a megabyte each."""
        dags = Dag.objects.visible_to(request.user).order_by(*self.ordering)
        return dags.select_related("version").defer("version__spec")

    # ------------------------------------------------------------- the list

    @admin.display(description="DAG", ordering="dag_id")
    def dag(self, dag: Dag) -> SafeString:
        """Its name, and what it is for."""
        about = dag.description.strip().split("\n")[0]
        return format_html(
            '<span class="sky-name">{}</span><span class="sky-about">{}</span>', dag.dag_id, about
        )

    @admin.display(description="Schedule", empty_value="–")
    def schedule(self, dag: Dag) -> str:
        """When it runs by itself."""
        has_zone = dag.timezone != "UTC" and "cron" in (dag.schedule or {})
        return f"{dag.timetable_summary} ({dag.timezone})" if has_zone else dag.timetable_summary

    @admin.display(description="Next run", ordering="next_run_at", empty_value="–")
    def next_run(self, dag: Dag) -> Any:
        """The next tick; none while it is paused."""
        return None if dag.paused else dag.next_run_at

    @admin.display(description="Status", ordering="paused")
    def status(self, dag: Dag) -> SafeString:
        """Whether its schedule is held back."""
        state, word = ("up_for_retry", "paused") if dag.paused else ("success", "on")
        if dag.gone_at is not None:
            word = f"{word}, file gone"
        return format_html('<span class="sky-badge is-{}">{}</span>', state, word)

    @admin.display(description="Version", ordering="version__number")
    def version_number(self, dag: Dag) -> int | None:
        """The version that new runs use."""
        return dag.version.number if dag.version else None

    @admin.display(description="Tags")
    def tag_list(self, dag: Dag) -> SafeString:
        """The words to find it by."""
        badges = ((tag,) for tag in dag.tags)
        return format_html_join(" ", '<span class="sky-badge">{}</span>', badges)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without Django's own deletion of many: a DAG is deleted on its page."""
        found: dict[str, Any] = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    @admin.action(description="Trigger", permissions=["run"])
    def trigger_selected(
        self, request: HttpRequest, dags: QuerySet[Dag]
    ) -> HttpResponseRedirect | None:
        """Leads to the page that asks for conf and logical date."""
        names = list(dags.values_list("dag_id", flat=True)[: MAX_TRIGGERED + 1])
        if len(names) > MAX_TRIGGERED:
            self.message_user(
                request, f"At most {MAX_TRIGGERED} DAGs are triggered at once.", messages.ERROR
            )
            return None
        query = urlencode({"dag": names}, doseq=True)
        return HttpResponseRedirect(f"{reverse('admin:runs_app_dagrun_trigger')}?{query}")

    @admin.action(description="Pause", permissions=["change"])
    def pause_selected(self, request: HttpRequest, dags: QuerySet[Dag]) -> None:
        """Holds their schedules back."""
        for dag in dags:
            pausing.pause(dag, actor=actor_of(request))
        self.message_user(request, f"Paused: {len(dags)}.", messages.SUCCESS)

    @admin.action(description="Resume", permissions=["change"])
    def resume_selected(self, request: HttpRequest, dags: QuerySet[Dag]) -> None:
        """Lets their schedules go on; not where that starts several runs, which nobody has seen."""
        resumed = 0
        for dag in dags:
            if (count := len(resuming(dag).starts.ticks)) > 1:
                text = (
                    f"{dag.dag_id} would start {count:,} runs at once; resume it on its own page."
                )
                messages.warning(request, text)
            else:
                pausing.resume(dag, actor=actor_of(request))
                resumed += 1
        self.message_user(request, f"Resumed: {resumed}.", messages.SUCCESS)

    # ------------------------------------------------------------- buttons of the page

    def get_urls(self) -> list[URLPattern]:
        """Those of every admin, and the buttons of the page."""
        view = self.admin_site.admin_view
        return [
            path("overview/", view(self.overview), name="dags_app_dag_overview"),
            path("<uuid:key>/pause/", view(require_POST(self.pause)), name="dags_app_dag_pause"),
            path("<uuid:key>/resume/", view(require_POST(self.resume)), name="dags_app_dag_resume"),
            *super().get_urls(),
        ]

    def pause(self, request: HttpRequest, key: str) -> HttpResponseRedirect:
        """The button that holds the schedule back."""
        return self._set_paused(request, key, paused=True)

    def resume(self, request: HttpRequest, key: str) -> HttpResponseRedirect:
        """The button that lets the schedule go on."""
        return self._set_paused(request, key, paused=False)

    def _set_paused(self, request: HttpRequest, key: str, *, paused: bool) -> HttpResponseRedirect:
        dag = self.get_object(request, key)
        if dag is None or not self.has_change_permission(request, dag):
            raise PermissionDenied
        (pausing.pause if paused else pausing.resume)(dag, actor=actor_of(request))
        word = "is paused: its schedule is held back" if paused else "goes on with its schedule"
        self.message_user(request, f"The DAG {dag.dag_id} {word}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:dags_app_dag_change", args=[dag.pk]))

    def overview(self, request: HttpRequest) -> TemplateResponse:
        """For the index: how many DAGs there are, and which run next."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        dags = Dag.objects.visible_to(request.user)
        due = dags.filter(paused=False, next_run_at__isnull=False).order_by("next_run_at")
        context = {
            "count": dags.count(),
            "paused": dags.filter(paused=True).count(),
            "due": due.only("dag_id", "next_run_at")[:8],
            "may_add": self.has_add_permission(request),
        }
        return TemplateResponse(request, "skytrail/dags_overview.html", context)

    # ------------------------------------------------------------- the page

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        """The form: shown, or saved as a whole, or shown again with every problem in its place."""
        dag = self._dag_of_page(request, object_id)
        if object_id is not None and dag is None:
            answer: HttpResponseBase = self._get_obj_does_not_exist_redirect(
                request, self.opts, object_id
            )
            return answer
        as_json = "json" in request.GET
        editor = Editor(
            dag, data=request.POST if request.method == "POST" else None, as_json=as_json
        )
        if request.method == "POST" and (saved := self._save(request, dag, editor)):
            return self._after_saving(request, saved, was=dag)
        return self._form(request, dag, editor)

    def _dag_of_page(self, request: HttpRequest, object_id: str | None) -> Dag | None:
        saves = request.method == "POST"
        if object_id is None:
            if not self.has_add_permission(request):
                raise PermissionDenied
            return None
        may = self.has_change_permission if saves else self.has_view_permission
        if not may(request):
            raise PermissionDenied
        # With its definition, which `get_queryset` leaves out.
        found = self.get_object(request, object_id)
        return None if found is None else Dag.objects.select_related("version").get(pk=found.pk)

    def _save(self, request: HttpRequest, dag: Dag | None, editor: Editor) -> Saved | None:
        try:
            with transaction.atomic():
                return self._register(request, dag, editor)
        except SkytrailError as error:
            editor.refuse(error)
            return None

    def _register(self, request: HttpRequest, dag: Dag | None, editor: Editor) -> Saved:
        author, source = actor_of(request), DagSource.ADMIN
        if dag is None:
            return registration.create(spec=editor.spec(), author=author, source=source)
        held = access_dag(request.user, dag.dag_id, to="change", hold=True)
        editor.check_base(held)
        return registration.replace(dag=held, spec=editor.spec(), author=author, source=source)

    def _after_saving(
        self, request: HttpRequest, saved: Saved, *, was: Dag | None
    ) -> HttpResponseRedirect:
        name, number = saved.dag.dag_id, saved.version.number
        if not saved.version_is_new:
            text = f"Nothing has changed: {name} stays at version {number}."
            self.message_user(request, text, messages.INFO)
        else:
            text = f"Saved {name} as version {number}."
            self.message_user(request, text, messages.SUCCESS)
            log = self.log_addition if was is None else self.log_change
            log(request, saved.dag, f"Saved version {number}.")
        if "_continue" in request.POST or was is None:
            page = reverse("admin:dags_app_dag_change", args=[saved.dag.pk])
            return HttpResponseRedirect(f"{page}?json" if "json" in request.GET else page)
        return HttpResponseRedirect(reverse("admin:dags_app_dag_changelist"))

    def _form(self, request: HttpRequest, dag: Dag | None, editor: Editor) -> TemplateResponse:
        may_change = (
            self.has_add_permission(request)
            if dag is None
            else self.has_change_permission(request, dag)
        )
        is_from_file = dag is not None and dag.is_from_file
        context = page_context(self, request, "Add DAG" if dag is None else dag.dag_id) | {
            **(_clock(dag) if dag is not None else {}),
            "dag": dag,
            "original": dag,
            "editor": editor,
            "may_save": may_change and not is_from_file,
            "may_pause": may_change,
            "may_delete": dag is not None
            and self.has_delete_permission(request, dag)
            and not is_from_file,
            "may_run": self.has_run_permission(request),
            "max_tasks": MAX_TASKS_IN_FORM,
            "may_show_cards": dag is None or dag.tasks.count() <= MAX_TASKS_IN_FORM,
            "examples": json.dumps({str(kind): text for kind, text in EXAMPLES.items()}),
            "mains": json.dumps({str(kind): list(texts) for kind, texts in MAIN.items()}),
        }
        return TemplateResponse(request, "admin/dags_app/dag/change_form.html", context)

    # ------------------------------------------------------------- deleting

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the confirmation shows: the name only, for versions and runs stay as history."""
        return [f"DAG: {dag}" for dag in objs], {"DAGs": len(objs)}, set(), []

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Asks, then deletes; a DAG with unfinished runs is kept, and that is said."""
        with Told(request):
            answer: HttpResponseBase = super().delete_view(request, object_id, extra_context)
            return answer
        return HttpResponseRedirect(reverse("admin:dags_app_dag_change", args=[object_id]))

    def delete_model(self, request: HttpRequest, obj: Dag) -> None:
        """Takes the DAG out of sight; its history stays."""
        deletion.delete(obj)


def _clock(dag: Dag) -> dict[str, Any]:
    """When the DAG runs next, and what resuming it would start."""
    zone = check_timezone(dag.timezone)
    ticks = next_runs(dag, count=NEXT_RUNS)
    return {
        "next_runs": [(tick, tick.logical_date.astimezone(zone)) for tick in ticks],
        "resuming": resuming(dag).starts if dag.paused else None,
    }
