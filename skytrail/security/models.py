from __future__ import annotations

from django.conf import settings
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
