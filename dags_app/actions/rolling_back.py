"""Going back to what a DAG was: the old definition is frozen anew, as a version of its own."""

from __future__ import annotations

from django.db import transaction

from dags_app.actions import registration
from dags_app.actions.registration import Saved
from dags_app.domain.parse import parse
from dags_app.models import Dag, DagSource, DagVersion


@transaction.atomic
def roll_back(dag: Dag, version: DagVersion, *, author: str, source: DagSource) -> Saved:
    """Makes `dag` what it was in `version`; runs keep theirs, and so does the history.

    Where that is what it is already, nothing happens. Raises `DefinedByFile` where a file would
    undo it, and `Invalid` where that definition would not be accepted today.
    """
    return registration.replace(
        dag=dag,
        spec=parse(version.spec),
        author=author,
        source=source,
        note=f"rolls back to version {version.number}",
    )
