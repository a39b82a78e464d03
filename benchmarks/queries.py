"""Counts the queries of pages and lists, and names the slowest, on the installation at hand.

    SKYTRAIL_DATA_DIR=… python -m benchmarks.queries [--explain] ['/dags/{dag}/' …]

The pages are made in this process, with the database of the installation that runs there.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.pages import ADDRESSES, names

#: A page has at most so many queries (in tests too).
QUERIES_GOAL = 12

#: So much of a statement is shown.
_SHOWN = 1_500


@dataclass(frozen=True)
class Counted:
    """What one page has asked of the database. Times in seconds."""

    address: str
    status: int
    seconds: float
    queries: list[tuple[float, str]]

    @property
    def slowest(self) -> tuple[float, str]:
        return max(self.queries, default=(0.0, ""))

    def cells(self) -> list[str]:
        in_sql = sum(seconds for seconds, _ in self.queries)
        return [
            self.address,
            str(self.status),
            str(len(self.queries)),
            *(f"{seconds * 1000:.0f} ms" for seconds in (in_sql, self.slowest[0], self.seconds)),
            "met" if len(self.queries) <= QUERIES_GOAL else "missed",
        ]


def main() -> None:
    """See the module."""
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skytrail.settings")
    from skytrail.cli.project import connect  # noqa: PLC0415  # when the settings are known

    connect()
    counted = count(options.address or ADDRESSES, dag=options.dag, user=options.user)
    _show(counted)
    if options.explain:
        for each in counted:
            _explain(each)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.queries",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--user", default="admin", help="whose pages")
    parser.add_argument("--dag", help="which; none: one of those that ran most lately")
    parser.add_argument("--explain", action="store_true", help="how each slowest one is planned")
    parser.add_argument("address", nargs="*", help="only these, like /api/v1/dags/{dag}")
    return parser.parse_args()


def count(addresses: Sequence[str], *, dag: str | None, user: str) -> list[Counted]:
    """Asks for each address twice: what is kept after the first time does not count."""
    from django.conf import settings  # noqa: PLC0415  # as above
    from django.contrib.auth.models import User  # noqa: PLC0415  # as above
    from django.test import Client  # noqa: PLC0415  # as above

    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.force_login(User.objects.get(username=user))
    filled_in = names(lambda path: client.get(path).json(), dag)
    return [_ask(client, address, address.format(**filled_in)) for address in addresses]


def _ask(client: Any, address: str, path: str) -> Counted:
    from django.db import connection  # noqa: PLC0415  # as above
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415  # as above

    client.get(path)
    began = time.monotonic()
    status = client.get(path).status_code
    took = time.monotonic() - began
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    queries = [(float(each["time"]), str(each["sql"])) for each in captured.captured_queries]
    return Counted(address, status, took, queries)


def _show(counted: Sequence[Counted]) -> None:
    table = Table(title=f"At most {QUERIES_GOAL} queries a page", title_justify="left")
    for heading in ("address", "status", "queries", "in SQL", "slowest", "in all", ""):
        table.add_column(heading, justify="left" if heading == "address" else "right")
    for each in counted:
        is_met = len(each.queries) <= QUERIES_GOAL
        table.add_row(*each.cells(), style="" if is_met else "red")
    Console(width=None if sys.stdout.isatty() else 180).print(table)


def _explain(counted: Counted) -> None:
    """Only what reads is asked about, and it is read once more."""
    from django.db import connection  # noqa: PLC0415  # as above

    seconds, sql = counted.slowest
    console = Console(width=180)
    console.print(f"\n[bold]{escape(counted.address)}[/bold]: {seconds * 1000:.0f} ms")
    console.print(sql[:_SHOWN], markup=False, highlight=False)
    if "%(" in sql:
        console.print("    (a statement with parameters: they are not known here)")
    elif sql.startswith("SELECT"):
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql.replace("%", "%%"), ())
            for (row,) in cursor.fetchall():
                console.print(f"    {row}", markup=False, highlight=False)


if __name__ == "__main__":
    main()
