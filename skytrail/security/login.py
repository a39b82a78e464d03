"""The login page, for everybody: who is no member of staff has more to see than the admin."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from unfold.forms import AuthenticationForm as StyledForm

from skytrail.security.throttling import LoginThrottle


class LoginForm(StyledForm):  # type: ignore[misc]  # untyped library
    """Looks like the admin's, and lets in whoever may be let in."""

    error_messages = AuthenticationForm.error_messages

    def confirm_login_allowed(self, user: User) -> None:
        # Past the admin's own check that this is a member of staff.
        AuthenticationForm.confirm_login_allowed(self, user)


class LoginPage(LoginView):
    """Stands where the admin's login page would."""

    template_name = "admin/login.html"
    authentication_form = LoginForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        throttle = LoginThrottle()
        if not throttle.allow_request(request, self):  # type: ignore[arg-type]  # reads only META
            wait = int(throttle.wait() or 0) + 1
            return HttpResponse(
                f"Too many tries to log in; wait {wait} seconds.",
                status=HTTPStatus.TOO_MANY_REQUESTS,
                headers={"Retry-After": str(wait)},
                content_type="text/plain",
            )
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the admin's template shows."""
        return super().get_context_data(
            **admin.site.each_context(self.request),
            title="Log in",
            app_path=self.request.get_full_path(),
            username=self.request.user.get_username(),
            **kwargs,
        )
