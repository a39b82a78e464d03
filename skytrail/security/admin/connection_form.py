"""The form for a connection."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold import widgets

from skytrail.errors import SkytrailError
from skytrail.security.admin.secret_pages import (
    KEPT,
    Extras,
    SecretForm,
    SecretText,
    area,
    as_text,
    box,
    tell,
)
from skytrail.security.models import Connection
from skytrail.security.redaction import MASK
from skytrail.security.secrets.names import checked_name
from skytrail.security.secrets.outside import CONNECTION
from skytrail.security.secrets.sealing import opened_connection, sealed_connection
from skytrail.security.secrets.shown import has_mask, shown_connection, with_kept
from skytrail.security.secrets.values import ConnectionValue
from skytrail.security.secrets.writing import MAX_FIELD, MAX_PASSWORD, read_object

_FIELDS = ("host", "port", "schema", "login", "extra")

_TYPES = ("postgresql", "http", "https", "mysql+pymysql", "sqlite", "mssql+pyodbc", "aws", "ssh")


def _text(help_text: str = "") -> forms.CharField:
    return forms.CharField(
        required=False, strip=False, max_length=MAX_FIELD, widget=box(), help_text=help_text
    )


class ConnectionForm(SecretForm):
    """What is secret goes in, and is not shown: neither what is kept nor what was typed."""

    host = _text("A name or an address. For http it may be a whole address, like https://…/api.")
    port = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=65_535,
        widget=widgets.UnfoldAdminIntegerFieldWidget,
    )
    schema = _text("What a URL has as its path: a database's name.")
    login = _text()
    password = SecretText(
        max_length=MAX_PASSWORD,
        widget=widgets.UnfoldAdminPasswordWidget(
            attrs={"autocomplete": "new-password"}, render_value=False
        ),
    )
    no_password = forms.BooleanField(
        required=False,
        label="No password",
        widget=widgets.UnfoldBooleanWidget,
        help_text="Take away the one that is kept.",
    )
    extra = Extras(
        required=False,
        label="Extras",
        widget=area(rows=5, placeholder='{"sslmode": "require"}', dir="ltr"),
        help_text=f"More, as a JSON object. What looks like a secret is shown as {MASK}, and stays "
        f"where you leave {MASK}.",
    )

    class Meta:
        model = Connection
        fields = ["conn_id", "conn_type", "description"]
        labels = {"conn_id": "Name", "conn_type": "Type"}
        help_texts = {
            "conn_id": "Tasks name it. Letters, digits and the characters _ . - only.",
            "conn_type": "What it leads to, like postgresql, mysql+pymysql or http.",
            "description": "What it is for. This is not encrypted.",
        }
        widgets = {
            "conn_type": widgets.UnfoldAdminTextInputWidget(attrs={"list": "sky-types"}),
            "description": widgets.UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        }

    #: Suggestions for the type.
    types = _TYPES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.old: ConnectionValue | None = None
        self.trouble = ""
        #: What is to be kept, once everything is as it should be.
        self.value: ConnectionValue | None = None
        if self.instance._state.adding:  # noqa: SLF001  # Django's own way to know
            self.fields.pop("no_password", None)
            return
        try:
            self.old = opened_connection(self.instance)
        except SkytrailError as error:
            self.trouble = error.message
            return
        shown = shown_connection(self.old)
        self.initial.update({name: shown[name] for name in _FIELDS})
        self.initial["extra"] = as_text(shown["extra"])
        if "password" in self.fields:
            self.fields["password"].help_text = (
                KEPT if self.old.password else "There is none; write one to set it."
            )

    def clean(self) -> dict[str, Any]:
        """Composes the connection, with what is kept where nothing was written."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        conn_id = cleaned.get("conn_id") or self.instance.conn_id
        try:
            self.value = self._composed(conn_id, cleaned)
            if self.value is not None:
                sealed_connection(self.value)  # whether there is a key
        except SkytrailError as error:
            tell(self, error)
        return cleaned

    def _composed(self, conn_id: str, cleaned: dict[str, Any]) -> ConnectionValue | None:
        checked_name(conn_id, what=CONNECTION)
        text = cleaned["extra"].strip()
        try:
            extra = read_object(conn_id, text) if text else {}
        except SkytrailError as error:
            for problem in error.problems:
                self.add_error("extra", problem.message)
            return None
        sent = {
            "conn_type": cleaned["conn_type"],
            **{name: cleaned[name] for name in _FIELDS},
            "extra": extra,
            "password": self._password(cleaned),
        }
        if self.trouble and has_mask(sent):
            self.add_error(None, f"What is kept cannot be read. {self.trouble}")
            return None
        return ConnectionValue.from_json(conn_id, with_kept(conn_id, sent, self.old))

    def _password(self, cleaned: dict[str, Any]) -> str:
        """What was written; else the mask where there is something to keep."""
        if cleaned.get("no_password"):
            return ""
        is_kept = bool(self.trouble or (self.old and self.old.password))
        return cleaned["password"] or (MASK if is_kept else "")
