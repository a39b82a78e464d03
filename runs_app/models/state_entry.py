from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from dags_app.models import Dag
from runs_app.domain.state import Place, Scope
from skytrail.database.fields import CreatedAtField, KeyField
from skytrail.security.models import SealedField
from skytrail.security.subject import Subject


class StateEntryQuerySet(models.QuerySet["StateEntry"]):
    def visible_to(self, user: Subject) -> Self:
        """Those of DAGs that `user` may see, and of assets, which belong to all DAGs."""
        return self if user.has_perm("dags_app.view_dag") else self.none()

    def kept(self) -> Self:
        """Those whose time is not up."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=Now()))


class StateEntry(models.Model):
    """What a task keeps for later runs, under a key of its own, its DAG's or an asset's."""

    id = KeyField()
    place = models.CharField(
        max_length=600, help_text="To whom the key belongs, in one text: what makes it unique."
    )
    scope = models.CharField(max_length=10, choices=[(scope, scope) for scope in Scope])
    dag = models.ForeignKey(
        "dags_app.Dag", on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    task_id = models.CharField(max_length=250, blank=True, default="")
    asset = models.CharField(max_length=500, blank=True, default="")
    key = models.CharField(max_length=250)
    value = models.JSONField(null=True, help_text="Null where it is a secret.")
    sealed = SealedField(null=True)  # null: it is no secret
    version = models.BigIntegerField(help_text="Grows with each write; never used again.")
    write_key = models.UUIDField(
        null=True, help_text="By which a write whose answer was lost is known again."
    )
    expires_at = models.DateTimeField(null=True)
    written_by = models.CharField(max_length=550)
    written_at = CreatedAtField()

    objects = StateEntryQuerySet.as_manager()

    class Meta:
        db_table = "skytrail_state_entry"
        verbose_name = "state"
        verbose_name_plural = "state"
        constraints = [
            models.UniqueConstraint(fields=["place", "key"], name="one_state_per_key"),
            models.CheckConstraint(
                condition=Q(value__isnull=False, sealed__isnull=True)
                | Q(value__isnull=True, sealed__isnull=False),
                name="state_is_open_or_sealed",
            ),
            models.CheckConstraint(
                condition=Q(scope=Scope.ASSET, dag__isnull=True)
                | (~Q(scope=Scope.ASSET) & Q(dag__isnull=False)),
                name="state_of_an_asset_or_a_dag",
            ),
        ]
        indexes = [
            # Serves the state of one DAG, and its tasks'.
            models.Index(fields=["dag"], name="state_of_dag"),
            # Serves the sweep.
            models.Index(
                fields=["expires_at"],
                condition=Q(expires_at__isnull=False),
                name="state_expiring",
            ),
        ]

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class Owner:
    """To whom a key belongs, where no execution says so."""

    place: Place
    dag: Dag | None = None
    task_id: str = ""


def place_of(owner: Owner) -> str:
    """A key's place in one text."""
    match owner.place.scope:
        case Scope.ASSET:
            return f"asset:{owner.place.asset}"
        case Scope.DAG:
            return f"dag:{owner.dag.pk if owner.dag else None}"
        case Scope.TASK:
            return f"task:{owner.dag.pk if owner.dag else None}:{owner.task_id}"
