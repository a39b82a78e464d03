"""What an installation has beside DAGs and runs: pools, variables, files that could not be used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from dags_app.models import DagImportError
from runs_app.models import Pool, SkippedTick
from skytrail.cli.seeding import words
from skytrail.cli.seeding.chance import Chance
from skytrail.cli.seeding.copying import copy_models
from skytrail.cli.seeding.graphs import Seeded
from skytrail.cli.seeding.moments import SECOND, moment
from skytrail.security.models import Variable
from skytrail.security.secrets.keeping import keep_variable

_BROKEN_FILES = (
    ("etl/orders.py", 12, "SyntaxError: invalid syntax"),
    ("etl/legacy/invoices.py", 3, "ModuleNotFoundError: No module named 'warehouse_client'"),
    ("reports/weekly.yaml", 41, "tasks[3].retires: unknown key; did you mean retries?"),
    ("ml/train.py", None, "loading it took longer than 30 s"),
)

_ROOT = "/srv/dags"


def write(dags: Sequence[Seeded], *, now: datetime, chance: Chance) -> None:
    """Writes it; what is there already stays. The caller holds the transaction."""
    write_pools()
    for key, (value, description) in words.VARIABLES.items():
        if not Variable.objects.filter(key=key).exists():
            keep_variable(key, value, is_secret=False, description=description)
    for file, line, error in _BROKEN_FILES:
        DagImportError.objects.get_or_create(
            root=_ROOT,
            file=file,
            defaults={
                "error": error,
                "line": line,
                "timestamp": now - timedelta(minutes=chance.randrange(5, 5000)),
            },
        )
    copy_models([tick for dag in dags for tick in _skipped_ticks(dag, chance)])


def write_pools() -> None:
    """The pools that seeded DAGs name."""
    for name, (slots, description) in words.POOLS.items():
        Pool.objects.get_or_create(name=name, defaults={"slots": slots, "description": description})


def _skipped_ticks(dag: Seeded, chance: Chance) -> list[SkippedTick]:
    return [
        SkippedTick(
            id=UUID(chance.key(tick)),
            dag_id=UUID(dag.key),
            logical_date=moment(tick),
            reason="a run had not ended",
            at=moment(tick + SECOND),
        )
        for tick in dag.skipped
    ]
