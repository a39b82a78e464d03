from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from skytrail.database.fields import KeyField
from skytrail.security.subject import Subject


class DagFile(models.Model):
    """A file as it was when it was synced last: so that an unchanged one need not be loaded."""

    id = KeyField()
    root = models.TextField()
    path = models.TextField(help_text="Below `root`.")
    digest = models.CharField(
        max_length=64, help_text="SHA-256 of it and of what it reads; empty: load it in any case."
    )
    reads = ArrayField(
        models.TextField(), default=list, help_text="Files below `root` that it imports."
    )
    dag_ids = ArrayField(models.TextField(), default=list)

    class Meta:
        db_table = "skytrail_dag_file"
        verbose_name = "file of DAGs"
        constraints = [
            models.UniqueConstraint(fields=["root", "path"], name="one_file_per_path"),
        ]

    def __str__(self) -> str:
        return self.path


class DagImportErrorQuerySet(models.QuerySet["DagImportError"]):
    def visible_to(self, user: Subject) -> Self:
        """Those that `user` may know of: whoever sees DAGs sees why there are not more."""
        return self.all() if user.has_perm("dags_app.view_dag") else self.none()


class DagImportError(models.Model):
    """Why a file could not be used when it was synced last."""

    id = KeyField()
    root = models.TextField("folder", help_text="The folder that was synced.")
    file = models.TextField(help_text="Below that folder.")
    error = models.TextField(help_text="What is wrong; a line for each problem.")
    traceback = models.TextField(default="")
    line = models.PositiveIntegerField(null=True, help_text="Of the first problem, where known.")
    timestamp = models.DateTimeField("time", help_text="When it was found.")

    objects = DagImportErrorQuerySet.as_manager()

    class Meta:
        db_table = "skytrail_dag_import_error"
        verbose_name = "import error"
        constraints = [
            models.UniqueConstraint(fields=["root", "file"], name="one_import_error_per_file"),
        ]

    def __str__(self) -> str:
        return self.file
