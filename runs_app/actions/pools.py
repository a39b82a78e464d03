"""Making, changing and deleting pools."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from dags_app.models import Dag
from runs_app.domain.states import FINAL
from runs_app.models import Pool, TaskRun
from skytrail.errors import Conflict, Invalid, listed


class PoolExists(Conflict):
    """There is a pool named {name} already. Change it with PUT, or choose another name."""


class PoolInUse(Conflict):
    """The pool {name} is needed by {users}: their tasks would wait for ever."""


class PoolKeepsItsName(Invalid):
    """A pool cannot be renamed: tasks name it."""


def create(*, name: str, slots: int, description: str = "") -> Pool:
    """A new pool. Raises `PoolExists`."""
    try:
        with transaction.atomic():
            pool = Pool.objects.create(name=name, slots=slots, description=description)
    except IntegrityError:
        raise PoolExists(name=repr(name)) from None
    pool.refresh_from_db()
    return pool


def change(
    pool: Pool, *, name: str | None = None, slots: int | None = None, description: str | None = None
) -> Pool:
    """Changes what is given. Raises `PoolKeepsItsName`."""
    if name not in {None, pool.name}:
        hint = f"this pool is named {pool.name!r}; make a new one, and delete this one"
        raise PoolKeepsItsName.because("name", "name_mismatch", hint)
    if slots is not None:
        pool.slots = slots
    if description is not None:
        pool.description = description
    pool.save(update_fields=["slots", "description"])
    return pool


@transaction.atomic
def delete(pool: Pool) -> None:
    """Deletes a pool that nothing needs any more. Raises `PoolInUse`."""
    unfinished = TaskRun.objects.filter(pool=pool.name).exclude(state__in=sorted(FINAL))
    dags = Dag.objects.present().filter(version__tasks__pool=pool.name) | Dag.objects.filter(
        pk__in=unfinished.values("dag")
    )
    if names := sorted(set(dags.values_list("dag_id", flat=True))):
        raise PoolInUse(name=repr(pool.name), users=f"the DAGs {listed(names)}")
    pool.delete()
