"""The only way from a request to a DAG: "not there" and "not yours" answer alike."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from dags_app.models import Dag, DagImportError, DagVersion
from skytrail.errors import Forbidden, NotFound
from skytrail.security.subject import Subject

#: What a user may want to do with a DAG: Django's permissions of the same names on the model.
Purpose = Literal["view", "change", "delete", "run"]


class DagNotFound(NotFound):
    """There is no DAG named {dag_id}, or you may not see it."""


class VersionNotFound(NotFound):
    """The DAG {dag_id} has no version {number}."""


class ImportErrorNotFound(NotFound):
    """There is no import error {key}, or you may not see it. It goes when its file is put right."""


class NotAllowed(Forbidden):
    """You may not {purpose} {what}: ask an administrator for the permission `{permission}`."""


def access_dag(user: Subject, dag_id: str, *, to: Purpose = "view", hold: bool = False) -> Dag:
    """The DAG named `dag_id`. Raises `DagNotFound`, or `NotAllowed` where it may only be seen.

    With `hold`, inside a transaction, nobody else changes or deletes it until that ends: for
    whoever writes what depends on what was read.
    """
    dags = Dag.objects.visible_to(user).filter(dag_id=dag_id)
    dag = (dags.select_for_update(no_key=True) if hold else dags).first()
    if dag is None:
        raise DagNotFound(dag_id=repr(dag_id))
    check_allowed(user, f"dags_app.{to}_dag", purpose=to, what=repr(dag_id))
    return dag


def access_version(dag: Dag, number: int) -> DagVersion:
    """A version of a DAG that may be seen. Raises `VersionNotFound`."""
    version = DagVersion.objects.filter(dag=dag, number=number).first()
    if version is None:
        raise VersionNotFound(dag_id=repr(dag.dag_id), number=number)
    return version


def access_import_error(user: Subject, key: UUID) -> DagImportError:
    """The import error of this key. Raises `ImportErrorNotFound`."""
    error = DagImportError.objects.visible_to(user).filter(pk=key).first()
    if error is None:
        raise ImportErrorNotFound(key=key)
    return error


def check_allowed(user: Subject, permission: str, *, purpose: str, what: str) -> None:
    """Raises `NotAllowed` unless `user` has `permission`."""
    if not user.has_perm(permission):
        raise NotAllowed(purpose=purpose, what=what, permission=permission)
