"""Columns that every Skytrail table shares."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now


class UUID7(models.Func):
    """The SQL function `skytrail_uuid7()`: keys that sort by time, made by the database."""

    function = "skytrail_uuid7"
    output_field = models.UUIDField()


class KeyField(models.UUIDField):  # type: ignore[type-arg]  # not generic at run time
    """A UUIDv7 primary key, filled in by the database."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("primary_key", True)
        kwargs.setdefault("db_default", UUID7())
        kwargs.setdefault("editable", False)
        super().__init__(**kwargs)


class CreatedAtField(models.DateTimeField):  # type: ignore[type-arg]  # likewise
    """When the row was written, by the database's clock."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("db_default", Now())
        kwargs.setdefault("editable", False)
        super().__init__(**kwargs)
