"""django-celery-beat's models in the admin, in the look of everything else."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, beat.TaskSelectWidget):  # type: ignore[misc]  # untyped
    """The Celery tasks that are registered."""


class PeriodicTaskForm(beat.PeriodicTaskForm):  # type: ignore[misc]  # untyped library
    """Beat's own form with our widgets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


class UsersOfSchedule(TabularInline):  # type: ignore[misc]  # untyped library
    """The periodic tasks that a schedule is used by."""

    model = PeriodicTask
    fields = ("name", "task", "args", "kwargs")
    readonly_fields = fields
    can_delete = False
    extra = 0
    show_change_link = True
    verbose_name = verbose_name_plural = "periodic tasks with this schedule"

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        """They are added on their own page."""
        return False


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]  # untyped library
    """Celery tasks that beat sends, Skytrail's own jobs among them."""

    form = PeriodicTaskForm


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ModelAdmin):  # type: ignore[misc]  # untyped library
    """Every so many seconds, minutes, …"""

    inlines = (UsersOfSchedule,)


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(beat.CrontabScheduleAdmin, ModelAdmin):  # type: ignore[misc]  # untyped library
    """At the times that a crontab names."""

    inlines = (UsersOfSchedule,)


@admin.register(SolarSchedule)
class SolarScheduleAdmin(ModelAdmin):  # type: ignore[misc]  # untyped library
    """By the sun."""

    inlines = (UsersOfSchedule,)


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(beat.ClockedScheduleAdmin, ModelAdmin):  # type: ignore[misc]  # untyped library
    """Once, at a certain time."""

    inlines = (UsersOfSchedule,)
