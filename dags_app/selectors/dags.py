"""DAGs by what people look for, and what there is to choose from."""

from __future__ import annotations

from django.db.models import BooleanField, ExpressionWrapper, F, Func, Q, QuerySet

from dags_app.models import Dag
from skytrail.security.subject import Subject

#: Tags and owners that are offered to choose from.
MOST_OFFERED = 500


def dags_matching(
    user: Subject,
    *,
    tag: str | None = None,
    owner: str | None = None,
    paused: bool | None = None,
    q: str | None = None,
    name: str | None = None,
) -> QuerySet[Dag]:
    """The DAGs that `user` may see and that fulfil every condition given, without definitions."""
    dags = Dag.objects.visible_to(user).select_related("version").defer("version__spec")
    if tag is not None:
        dags = dags.filter(tags__contains=[tag])
    if owner is not None:
        dags = dags.filter(owner=owner)
    if paused is not None:
        dags = dags.filter(paused=paused)
    if name is not None:
        dags = dags.filter(dag_id__icontains=name)
    if q is not None:
        dags = dags.filter(Q(dag_id__icontains=q) | Q(description__icontains=q))
    return dags


def dags_named_like(user: Subject, text: str, *, most: int) -> list[Dag]:
    """DAGs with `text` in their names, those that begin with it first."""
    if not text:
        return []
    dags = Dag.objects.visible_to(user).filter(dag_id__icontains=text)
    begins = ExpressionWrapper(Q(dag_id__istartswith=text), output_field=BooleanField())
    return list(dags.only("dag_id", "paused").order_by(begins.desc(), "dag_id")[:most])


def tags_of(user: Subject) -> list[str]:
    """The tags that there are, in the order of the alphabet."""
    each = Dag.objects.visible_to(user).annotate(tag=Func(F("tags"), function="unnest"))
    return list(each.order_by("tag").values_list("tag", flat=True).distinct()[:MOST_OFFERED])


def owners_of(user: Subject) -> list[str]:
    """The owners that there are, in the order of the alphabet."""
    dags = Dag.objects.visible_to(user).exclude(owner="")
    return list(dags.order_by("owner").values_list("owner", flat=True).distinct()[:MOST_OFFERED])
