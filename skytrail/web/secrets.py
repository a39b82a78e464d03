"""Connections and variables: which there are and where each is found; never what they hold."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from skytrail.errors import Forbidden, SkytrailError
from skytrail.security.secrets.listing import connections_here, variables_here
from skytrail.security.secrets.testing import DEFAULT_QUEUE, get_tester


class MayNot(Forbidden):
    """You may not {verb} {what}: ask an administrator for the permission `{permission}`."""


@require_GET
def connections(request: HttpRequest) -> HttpResponse:
    """All connections, those of the environment and of files too."""
    _check(request, "view", "connection")
    context = {
        "rows": connections_here(),
        "may_change": request.user.has_perm("skytrail_security.change_connection"),
    }
    return render(request, "skytrail/web/connections.html", context)


@require_POST
def test_connection(request: HttpRequest, conn_id: str) -> HttpResponse:
    """Has a worker try one: it finds the connection as tasks do."""
    _check(request, "change", "connection")
    try:
        tested = get_tester().try_in_worker(conn_id, queue=DEFAULT_QUEUE)
    except SkytrailError as error:
        return render(request, "skytrail/web/tested.html", {"error": error})
    return render(request, "skytrail/web/tested.html", {"tested": tested})


@require_GET
def variables(request: HttpRequest) -> HttpResponse:
    """All variables, by name."""
    _check(request, "view", "variable")
    return render(request, "skytrail/web/variables.html", {"rows": variables_here()})


def _check(request: HttpRequest, verb: str, what: str) -> None:
    permission = f"skytrail_security.{verb}_{what}"
    if not request.user.has_perm(permission):
        raise MayNot(verb="see" if verb == "view" else verb, what=f"{what}s", permission=permission)
