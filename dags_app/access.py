"""The only way from a request to a DAG: "not there" and "not yours" answer alike."""

from __future__ import annotations

from typing import Literal

from django.contrib.auth.models import AnonymousUser, User

from dags_app.models import Dag
from skytrail.errors import Forbidden, NotFound

#: What a user may want to do with a DAG: Django's permissions of the same names on the model.
Purpose = Literal["view", "change", "delete", "run"]


class DagNotFound(NotFound):
    """There is no DAG named {dag_id}, or you may not see it."""


class NotAllowed(Forbidden):
    """You may see {dag_id}, but not {purpose} it. Ask an administrator for `{permission}`."""


def access_dag(user: User | AnonymousUser, dag_id: str, *, to: Purpose = "view") -> Dag:
    """The DAG named `dag_id`. Raises `DagNotFound`, or `NotAllowed` where it may only be seen."""
    dag = Dag.objects.visible_to(user).filter(dag_id=dag_id).select_related("version").first()
    if dag is None:
        raise DagNotFound(dag_id=repr(dag_id))
    check_allowed(user, dag_id, to=to)
    return dag


def check_allowed(user: User | AnonymousUser, dag_id: str, *, to: Purpose) -> None:
    """Raises `NotAllowed` unless `user` may do that to a DAG they can see."""
    permission = f"dags_app.{to}_dag"
    if not user.has_perm(permission):
        raise NotAllowed(dag_id=repr(dag_id), purpose=to, permission=permission)
