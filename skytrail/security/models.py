from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

from skytrail.database.fields import CreatedAtField, KeyField


class ApiToken(models.Model):
    """A bearer token of a user. Only its SHA-256 is kept: the token itself is shown once."""

    id = KeyField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = CreatedAtField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "skytrail_api_token"
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"token of {self.user}"


class SealedField(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """Text that `vault.seal` has made. `skytrail rotate-fernet-key` finds its columns by this."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(**kwargs)


_NAME_RULE = RegexValidator(
    r"^[A-Za-z0-9_.-]+\Z", "Use letters, digits and the characters _ . - only."
)


class Connection(models.Model):
    """How to reach something, under a name. All but name, type and description is sealed."""

    id = KeyField()
    conn_id = models.CharField(max_length=250, unique=True, validators=[_NAME_RULE])
    conn_type = models.CharField(max_length=64)
    description = models.TextField(blank=True, default="")
    sealed = SealedField()
    created_at = CreatedAtField()
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "skytrail_connection"
        ordering = ["conn_id"]

    def __str__(self) -> str:
        return self.conn_id


class Variable(models.Model):
    """A text under a name, sealed whether it is secret or not; a secret one is not shown again."""

    id = KeyField()
    key = models.CharField(max_length=250, unique=True, validators=[_NAME_RULE])
    is_secret = models.BooleanField(default=True)
    description = models.TextField(blank=True, default="")
    sealed = SealedField()
    created_at = CreatedAtField()
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "skytrail_variable"
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key
