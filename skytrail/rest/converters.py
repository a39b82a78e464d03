"""What may stand in an address: other text leads nowhere, before any query is made."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import StringConverter


class NameConverter(StringConverter):
    """The id of a DAG, a task or a pool."""

    regex = r"[A-Za-z0-9_.\-]{1,250}"


class RunIdConverter(StringConverter):
    """The id of a run."""

    regex = r"[A-Za-z0-9_.~:+\-]{1,250}"


def register() -> None:
    """Makes `<name:…>` and `<run:…>` known; called before the URLs are read."""
    register_converter(NameConverter, "name")
    register_converter(RunIdConverter, "run")
