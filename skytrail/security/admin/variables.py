"""Variables in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold import widgets

from skytrail.errors import Problem, SkytrailError
from skytrail.security.admin.secret_pages import (
    KEPT,
    SecretForm,
    SecretPage,
    SecretText,
    area,
    tell,
)
from skytrail.security.models import Variable
from skytrail.security.redaction import MASK
from skytrail.security.secrets.keeping import VariableInvalid, create_variable, keep_variable
from skytrail.security.secrets.names import checked_name
from skytrail.security.secrets.outside import VARIABLE
from skytrail.security.secrets.sealing import opened_variable, sealed_variable
from skytrail.security.secrets.writing import MAX_VALUE


class VariableForm(SecretForm):
    """A secret's value goes in, and is not shown."""

    value = SecretText(max_length=MAX_VALUE, widget=area(rows=6, dir="auto"))

    class Meta:
        model = Variable
        fields = ["key", "is_secret", "description"]
        labels = {"key": "Name", "is_secret": "Secret"}
        help_texts = {
            "key": "Tasks read it by this. Letters, digits and the characters _ . - only.",
            "is_secret": "Not shown again, and masked in logs. A secret is only made readable with "
            "a new value.",
            "description": "What it is for. This is not encrypted.",
        }
        widgets = {"description": widgets.UnfoldAdminTextareaWidget(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(box := self.fields.get("value"), SecretText) and self.is_bound:
            box.echoes = "is_secret" not in self.data
        self.was_secret = False
        self.trouble = ""
        #: What is to be kept, once everything is as it should be.
        self.found = ""
        if self.instance._state.adding or "value" not in self.fields:  # noqa: SLF001  # Django's own way to know
            return
        self.was_secret = self.instance.is_secret
        if self.was_secret:
            self.fields["value"].help_text = KEPT
            return
        try:
            self.initial["value"] = opened_variable(self.instance).value
        except SkytrailError as error:
            self.trouble = f"What is kept cannot be read; write it anew. {error.message}"
            self.fields["value"].help_text = self.trouble

    def clean(self) -> dict[str, Any]:
        """Finds out the value, which is what is kept where nothing was written."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        key = cleaned.get("key") or self.instance.key
        try:
            checked_name(key, what=VARIABLE)
            self.found = self._chosen(key, cleaned)
            sealed_variable(key, self.found)  # whether there is a key
        except SkytrailError as error:
            tell(self, error)
        return cleaned

    def _chosen(self, key: str, cleaned: dict[str, Any]) -> str:
        written: str = cleaned["value"]
        if self.trouble and not written:
            raise VariableInvalid(key=key, problems=[Problem("value", "unreadable", self.trouble)])
        if written == MASK and not self.was_secret:
            hint = f"{MASK} stands for nothing here; write the value itself"
            raise VariableInvalid(key=key, problems=[Problem("value", "nothing_kept", hint)])
        if not self.was_secret or written not in {"", MASK}:
            return written
        if not cleaned["is_secret"]:
            hint = "a secret is not made readable; write its value anew"
            raise VariableInvalid(key=key, problems=[Problem("is_secret", "stays_secret", hint)])
        return opened_variable(self.instance).value


@admin.register(Variable)
class VariableAdmin(SecretPage):
    """Texts that tasks read by name."""

    form = VariableForm
    list_display = ["name", "secret", "description", "updated_at"]
    list_filter = ["is_secret"]
    search_fields = ["key", "description"]
    search_help_text = "Name or description"

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """One."""
        return [(None, {"fields": ["key", "is_secret", "value", "description"]})]

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002  # Django's signature
        **kwargs: Any,
    ) -> Any:
        """The form; its own fields are none of the model's."""
        kwargs["fields"] = ["key", "is_secret", "description"][0 if obj is None else 1 :]
        if not self.has_change_permission(request, obj) and obj is not None:
            kwargs["fields"] = []
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Tasks know a variable by its name."""
        return ["key"] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: Variable, form: Any, change: Any) -> None:
        """Seals what the form has found."""
        keep = keep_variable if change else create_variable
        obj.pk = keep(obj.key, form.found, is_secret=obj.is_secret, description=obj.description).pk

    @admin.display(description="Name", ordering="key")
    def name(self, row: Variable) -> str:
        """Its name."""
        return row.key

    @admin.display(description="Secret", ordering="is_secret", boolean=True)
    def secret(self, row: Variable) -> bool:
        """Whether it is."""
        return row.is_secret

    def value(self, row: Variable) -> str:
        """What those see who may not change it."""
        try:
            return MASK if row.is_secret else opened_variable(row).value
        except SkytrailError:
            return "cannot be read"
