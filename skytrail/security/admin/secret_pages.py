"""What the pages of connections and variables have in common."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from unfold import widgets
from unfold.admin import ModelAdmin

from skytrail.errors import SkytrailError
from skytrail.security.redaction import MASK
from skytrail.security.secrets.shown import shown_connection
from skytrail.security.secrets.values import ConnectionValue
from skytrail.security.secrets.writing import read_object

#: What a field says in which nothing is shown.
KEPT = "Kept as it is unless you write something here."

_QUIET = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class SecretText(forms.CharField):
    """A text that is never shown again: left empty, or as `***`, it says nothing."""

    #: Whether what was typed is shown again where something else was wrong.
    echoes = False

    def hides(self, data: Any) -> bool:
        """Whether something was typed that is not shown again."""
        return not self.echoes and self.has_changed(None, data)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What the page holds that says what was wrong."""
        return data if self.echoes else initial

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        """With the line breaks that were typed: browsers send others."""
        return str(super().to_python(value)).replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Only where something was written; or, where the value was shown, something else."""
        if initial:
            return self.to_python(data) != self.to_python(initial)
        return data not in {None, "", MASK}


class Extras(forms.CharField):
    """A JSON object, in which secrets that were typed are not shown again."""

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What the page holds that says what was wrong. Text that cannot be read is shown as it is:
        somebody has to find the mistake in it.
        """
        try:
            return as_text(_masked(data))
        except SkytrailError:
            return data

    def hides(self, data: Any) -> bool:
        """Whether something was typed that is not shown again."""
        try:
            return bool(_masked(data) != read_object("", data or "{}"))
        except SkytrailError:
            return False


def _masked(text: str | None) -> Any:
    typed = ConnectionValue(conn_id="", conn_type="", extra=read_object("", text or "{}"))
    return shown_connection(typed)["extra"]


class SecretForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Says what has to be typed anew where something else was wrong: saved as the page shows it
    then, what was kept before would stay.
    """

    def full_clean(self) -> None:
        """And names what is not shown again."""
        super().full_clean()
        if not self.is_bound or not self.errors:
            return
        for name, field in self.fields.items():
            if not isinstance(field, SecretText | Extras) or name in self.errors:
                continue
            if field.hides(self[name].data):
                self.add_error(name, "What you typed is not shown again: type it anew.")


def as_text(extra: Any) -> str:
    """Extras as the form shows them."""
    return json.dumps(extra, indent=2, ensure_ascii=False) if extra else ""


def area(*, rows: int, **attributes: str) -> forms.Textarea:
    """A box for longer text, which the browser is not to send to a spelling checker."""
    found: forms.Textarea = widgets.UnfoldAdminTextareaWidget(
        attrs={"rows": rows, **_QUIET, **attributes}
    )
    return found


def box() -> forms.TextInput:
    """A box for a line."""
    found: forms.TextInput = widgets.UnfoldAdminTextInputWidget(attrs=dict(_QUIET))
    return found


def tell(form: forms.BaseForm, error: SkytrailError) -> None:
    """Shows an error at the fields that it speaks of."""
    for problem in error.problems:
        name, _, inner = problem.path.partition(".")
        text = f"{inner}: {problem.message}" if inner else problem.message
        form.add_error(name if name in form.fields else None, text)
    if not error.problems:
        form.add_error(None, error.message)


class SecretPage(ModelAdmin):  # type: ignore[misc]  # untyped library
    """A list without values, and forms that show no secret."""

    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    actions: Any = None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The list; a filter that the database could not even read filters nothing."""
        if any("\x00" in text for pair in request.GET.lists() for text in (pair[0], *pair[1])):
            messages.error(request, "This filter holds a NUL character; it has been removed.")
            return HttpResponseRedirect(request.path)
        answer: HttpResponseBase = super().changelist_view(request, extra_context)
        return answer
