"""What every view of REST has in common."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from skytrail.rest.requests import BadRequest


class Nothing(serializers.Serializer[Any]):
    """For bodies that must be empty, and for lists without filters."""


class View(APIView):
    """Refuses a query string where none is read.

    Otherwise `POST …/clear?dry_run=true` would clear: what is said in a place where nobody looks
    must not pass for said.
    """

    #: The methods that read the query string themselves, every parameter of it.
    reads_query: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.query_params and request.method not in self.reads_query:
            name = min(request.query_params)
            hint = f"{request.method} takes nothing in the query string here; use the body, if any"
            raise BadRequest.because(name, "unknown_parameter", hint)
