"""Users, groups and API tokens in the admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from skytrail.security import tokens
from skytrail.security.models import ApiToken

admin.site.unregister([User, Group])


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]  # untyped library
    """People who may log in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]  # untyped library
    """Permissions that several people share."""


class NewTokenForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A token for oneself."""

    hours = forms.FloatField(
        min_value=0.1,
        max_value=8760,
        widget=UnfoldAdminTextInputWidget(),
        help_text="How long it is to be valid.",
    )

    class Meta:
        model = ApiToken
        fields: list[str] = []


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):  # type: ignore[misc]  # untyped library
    """Tokens are made for oneself, shown once, and revoked by deleting them."""

    list_display = ["__str__", "status", "created_at", "expires_at", "last_used_at"]
    search_fields = ["user__username"]
    ordering = ["-pk"]
    readonly_fields = ["user", "created_at", "expires_at", "last_used_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """With whose they are."""
        return ApiToken.objects.select_related("user")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: a token is revoked and another one made."""
        return False

    @admin.display(description="Status")
    def status(self, token: ApiToken) -> SafeString:
        """Whether it still works."""
        is_valid = token.expires_at > timezone.now()
        state, word = ("success", "valid") if is_valid else ("queued", "expired")
        return format_html('<span class="sky-badge is-{}">{}</span>', state, word)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """A new one is asked for its time only."""
        return ["hours"] if obj is None else list(self.readonly_fields)

    def get_form(
        self,
        request: HttpRequest,
        obj: ApiToken | None = None,
        change: bool = False,  # noqa: FBT001, FBT002  # Django's signature
        **kwargs: Any,
    ) -> type[forms.ModelForm[ApiToken]]:
        """The form for a new one, where there is none yet."""
        if obj is None:
            return NewTokenForm
        found: type[forms.ModelForm[ApiToken]] = super().get_form(
            request, obj, change=change, **kwargs
        )
        return found

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """As long as a token from a login is valid."""
        return {"hours": settings.SKYTRAIL_TOKEN_TTL.total_seconds() / 3600}

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: Any) -> None:
        """Makes the token, and shows it this one time."""
        assert isinstance(request.user, User)
        issued = tokens.issue(user=request.user, ttl=timedelta(hours=form.cleaned_data["hours"]))
        obj.pk = issued.token.pk
        obj.user = issued.token.user
        text = f"Your new token, shown only now: {issued.text}"
        self.message_user(request, text, messages.WARNING)
