"""Connections in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from skytrail.errors import SkytrailError
from skytrail.security.admin.connection_form import ConnectionForm
from skytrail.security.admin.secret_pages import SecretPage, as_text
from skytrail.security.models import Connection
from skytrail.security.secrets.keeping import create_connection, keep_connection
from skytrail.security.secrets.sealing import opened_connection
from skytrail.security.secrets.shown import shown_connection
from skytrail.security.secrets.testing import DEFAULT_QUEUE, get_tester

_LEVELS = {"ok": messages.SUCCESS, "failed": messages.ERROR, "untestable": messages.WARNING}


@admin.register(Connection)
class ConnectionAdmin(SecretPage):
    """How tasks reach other systems."""

    form = ConnectionForm
    change_form_outer_before_template = "admin/skytrail_security/connection_test.html"
    change_form_after_template = "admin/skytrail_security/connection_types.html"
    list_display = ["name", "kind", "description", "updated_at"]
    search_fields = ["conn_id", "conn_type", "description"]
    search_help_text = "Name, type or description"

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        """A password can be taken away where there is one."""
        login: list[Any] = ["login", "password"]
        has_one = obj is not None and self.password(obj)
        if has_one and self.has_change_permission(request, obj):
            login.append("no_password")
        return [
            (None, {"fields": [("conn_id", "conn_type"), "description"]}),
            ("Where", {"fields": [("host", "port"), "schema"]}),
            ("Who", {"fields": login}),
            ("More", {"fields": ["extra"]}),
        ]

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002  # Django's signature
        **kwargs: Any,
    ) -> Any:
        """The form; its own fields are none of the model's."""
        kwargs["fields"] = ["conn_id", "conn_type", "description"] if obj is None else [
            "conn_type", "description",
        ]  # fmt: skip
        if not self.has_change_permission(request, obj) and obj is not None:
            kwargs["fields"] = []
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Tasks know a connection by its name."""
        return ["conn_id"] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: Any) -> None:
        """Seals what the form has composed."""
        keep = keep_connection if change else create_connection
        obj.pk = keep(form.value, description=obj.description).pk

    def get_urls(self) -> list[URLPattern]:
        """And where a test is asked for."""
        test = self.admin_site.admin_view(require_POST(self.test))
        return [
            path("<uuid:key>/test/", test, name="skytrail_security_connection_test"),
            *super().get_urls(),
        ]

    def test(self, request: HttpRequest, key: str) -> HttpResponseRedirect:
        """Has a worker test what is saved."""
        row = self.get_object(request, str(key))
        if row is None or not self.has_change_permission(request, row):
            raise PermissionDenied
        try:
            tested = get_tester().try_in_worker(row.conn_id, queue=DEFAULT_QUEUE)
        except SkytrailError as error:
            messages.error(request, error.message)
        else:
            text = f"Tested on {tested.where}: {tested.message}"
            messages.add_message(request, _LEVELS[tested.status], text)
        return HttpResponseRedirect(
            reverse("admin:skytrail_security_connection_change", args=[key])
        )

    @admin.display(description="Name", ordering="conn_id")
    def name(self, row: Connection) -> str:
        """Its name."""
        return row.conn_id

    @admin.display(description="Type", ordering="conn_type")
    def kind(self, row: Connection) -> str:
        """Its type."""
        return row.conn_type

    # What those see who may not change it.

    def host(self, row: Connection) -> str:
        """Its host."""
        return str(_shown(row, "host"))

    def port(self, row: Connection) -> str:
        """Its port."""
        return str(_shown(row, "port") or "")

    def schema(self, row: Connection) -> str:
        """Its schema."""
        return str(_shown(row, "schema"))

    def login(self, row: Connection) -> str:
        """Whom it logs in as."""
        return str(_shown(row, "login"))

    def password(self, row: Connection) -> str:
        """Whether there is one."""
        return str(_shown(row, "password"))

    @admin.display(description="Extras")
    def extra(self, row: Connection) -> str:
        """Its extras."""
        return as_text(_shown(row, "extra"))


def _shown(row: Connection, name: str) -> Any:
    try:
        return shown_connection(opened_connection(row))[name]
    except SkytrailError:
        return "cannot be read"
