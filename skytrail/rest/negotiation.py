"""Which form an answer has: that of its address, whatever the client would like to have."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class OneForm(DefaultContentNegotiation):
    """Every address has one form, so there is nothing to negotiate and nothing to refuse.

    A log is text and its errors are JSON: to `Accept: text/plain`, which the OpenAPI document
    suggests for it, REST framework's own negotiation would answer 406.
    """

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
