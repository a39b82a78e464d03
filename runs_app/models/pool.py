from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from dags_app.domain.fields import IDENTIFIER
from skytrail.database.fields import CreatedAtField, KeyField


class Pool(models.Model):
    """A number of slots that tasks share across DAGs: how many may use a database, say."""

    id = KeyField()
    name = models.CharField(
        max_length=250,
        unique=True,
        validators=[
            RegexValidator(IDENTIFIER, "Use letters, digits and the characters _ . - only.")
        ],
    )
    slots = models.PositiveIntegerField(help_text="0 holds back every task of the pool.")
    description = models.TextField(blank=True, default="")
    created_at = CreatedAtField()

    class Meta:
        db_table = "skytrail_pool"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
