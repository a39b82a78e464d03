"""SQL tasks, on a real PostgreSQL and on SQLite."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection as our_connection

from runs_app.domain.outcomes import Outcome
from runs_app.domain.states import TaskState
from skytrail.security.secrets.values import ConnectionValue
from tests.workers.calls import Bench
from workers.guards.interruption import Reason
from workers.local.services import GivenSecrets
from workers.log import Log

pytestmark = pytest.mark.django_db


@dataclasses.dataclass(frozen=True)
class Place:
    """A database, and its SQL for what differs."""

    value: ConnectionValue
    slow: str

    @property
    def is_sqlite(self) -> bool:
        return self.value.conn_type == "sqlite"


def _ours(dbname: str) -> dict[str, Any]:
    found = our_connection.get_connection_params()
    return {name: found.get(name) for name in ("host", "port", "user", "password")} | {
        "dbname": dbname
    }


@pytest.fixture(scope="session")
def warehouse(django_db_setup: None) -> Iterator[ConnectionValue]:
    """A database of its own, beside the tests' own."""
    with psycopg.connect(**_ours("postgres"), autocommit=True) as admin:
        name = f"{our_connection.settings_dict['NAME']}_warehouse"
        admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        admin.execute(f'CREATE DATABASE "{name}"')
        found = _ours(name)
        yield ConnectionValue(
            conn_id="warehouse",
            conn_type="postgresql",
            host=found["host"] or "",
            port=int(found["port"]) if found["port"] else None,
            schema=name,
            login=found["user"] or "",
            password=found["password"] or "",
        )
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["postgresql", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        value = ConnectionValue(
            conn_id="warehouse", conn_type="sqlite", schema=str(tmp_path / "warehouse.db")
        )
        endless = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e12) "
            "SELECT max(i) AS i FROM n"
        )
        return Place(value, endless)
    return Place(request.getfixturevalue("warehouse"), "SELECT pg_sleep(1000)::text AS i")


@pytest.fixture
def bench(place: Place) -> Bench:
    made = Bench()
    made.services = dataclasses.replace(
        made.services, secrets=GivenSecrets(connections={"warehouse": place.value})
    )
    made.run("sql", conn_id="warehouse", sql="DROP TABLE IF EXISTS orders")
    return made


def sql(bench: Bench, text: str | list[str], **more: Any) -> Outcome:
    return bench.run("sql", conn_id="warehouse", sql=text, **more)


def good(outcome: Outcome) -> Any:
    assert outcome.state is TaskState.SUCCESS, outcome
    return outcome.output


def bad(outcome: Outcome) -> Outcome:
    assert outcome.state is TaskState.FAILED, outcome
    return outcome


# ---------------------------------------------------------------- what comes of it


def test_rows_are_the_output(bench: Bench) -> None:
    assert good(sql(bench, "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL ORDER BY 1")) == [
        {"a": 1, "b": "x"},
        {"a": 2, "b": None},
    ]
    assert "2 rows" in bench.log


def test_statements_are_executed_in_turn_and_the_last_ones_rows_are_kept(bench: Bench) -> None:
    outcome = sql(
        bench,
        [
            "CREATE TABLE orders (id int, what text)",
            "INSERT INTO orders VALUES (1, 'a'), (2, 'b')",
            "SELECT count(*) AS orders FROM orders",
        ],
    )
    assert good(outcome) == [{"orders": 2}]


def test_what_gives_no_rows_says_how_many_it_touched(bench: Bench) -> None:
    sql(bench, "CREATE TABLE orders (id int)")
    assert good(sql(bench, "INSERT INTO orders VALUES (1), (2), (3)")) is None
    assert "3 rows" in bench.log


def test_one_that_fails_takes_back_all_of_them(bench: Bench) -> None:
    outcome = bad(sql(bench, ["CREATE TABLE orders (id int)", "SELECT nonsense FROM nowhere"]))
    assert outcome.reason == "sql_error"
    assert "nowhere" in outcome.message
    assert "orders" in bad(sql(bench, "SELECT * FROM orders")).message


def test_with_autocommit_each_stays(bench: Bench) -> None:
    bad(sql(bench, ["CREATE TABLE orders (id int)", "SELECT no FROM nowhere"], autocommit=True))
    assert good(sql(bench, "SELECT * FROM orders")) == []


def test_what_may_only_read_cannot_write(bench: Bench) -> None:
    bad(sql(bench, "CREATE TABLE orders (id int)", read_only=True))
    assert good(sql(bench, "SELECT 1 AS a", read_only=True)) == [{"a": 1}]


# ---------------------------------------------------------------- values


NASTY = "'; DROP TABLE orders; -- %s %(x)s %% \" \\ ж 🙂"


def test_values_are_bound_by_name(bench: Bench) -> None:
    found = sql(
        bench,
        "SELECT CAST(%(what)s AS text) AS a, CAST(%(what)s AS text) AS b, '100%%' AS c",
        parameters={"what": NASTY},
    )
    assert good(found) == [{"a": NASTY, "b": NASTY, "c": "100%"}]


def test_values_are_bound_by_place(bench: Bench) -> None:
    found = sql(
        bench, "SELECT CAST(%s AS text) AS a, CAST(%s AS integer) AS b", parameters=[NASTY, 7]
    )
    assert good(found) == [{"a": NASTY, "b": 7}]


def test_without_values_a_per_cent_sign_is_one(bench: Bench) -> None:
    assert good(sql(bench, "SELECT 'a%s' LIKE 'a%' AS a")) in ([{"a": True}], [{"a": 1}])


# ---------------------------------------------------------------- limits


def test_more_rows_than_max_rows_fail_and_change_nothing(bench: Bench) -> None:
    sql(bench, "CREATE TABLE orders (id int)")
    outcome = bad(sql(bench, "INSERT INTO orders VALUES (1), (2), (3) RETURNING id", max_rows=2))
    assert outcome.reason == "sql_refused"
    assert "max_rows, 2" in outcome.message
    assert not outcome.may_retry
    assert good(sql(bench, "SELECT * FROM orders")) == []
    assert len(good(sql(bench, "SELECT 1 AS a UNION ALL SELECT 2", max_rows=2))) == 2


def test_columns_of_one_name_are_refused(bench: Bench) -> None:
    outcome = bad(sql(bench, "SELECT 1 AS a, 2 AS a"))
    assert "name them with AS" in outcome.message


def test_a_statement_that_takes_too_long_is_ended(bench: Bench, place: Place) -> None:
    outcome = bad(sql(bench, place.slow, statement_timeout_seconds=0.2))
    assert outcome.reason == "sql_error"
    assert "timeout" in outcome.message
    assert outcome.may_retry


def test_it_stops_when_it_is_told_to(bench: Bench, place: Place) -> None:
    def has_begun(log: Log) -> bool:
        return log.length > 0 or bool(log.take())

    interrupted = bench.stop(
        "sql", once=has_begun, reason=Reason.CANCELLED, conn_id="warehouse", sql=place.slow
    )
    assert interrupted.reason is Reason.CANCELLED
    # Nothing of it goes on: the database can be changed.
    assert good(sql(bench, "CREATE TABLE orders (id int)")) is None


# ---------------------------------------------------------------- where it leads


def test_a_connection_that_is_missing_says_where_to_give_it(bench: Bench) -> None:
    outcome = bad(bench.run("sql", conn_id="nowhere", sql="SELECT 1"))
    assert outcome.reason == "no_connection"
    assert "SKYTRAIL_CONN_NOWHERE" in outcome.message


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("nosuch://canary@h/d", "no database is known as nosuch"),
        ("mysql+pymysql://u:canary@127.0.0.1:1/d", "not installed"),
        ("postgresql://u:canary@127.0.0.1:1/d", "refused"),
        ("sqlite:////nowhere/at/all.db", "unable to open"),
    ],
)
def test_a_database_that_cannot_be_reached_is_a_failure_in_words(uri: str, words: str) -> None:
    bench = Bench()
    given = {"warehouse": ConnectionValue.from_uri("warehouse", uri)}
    bench.services = dataclasses.replace(bench.services, secrets=GivenSecrets(connections=given))
    outcome = bad(sql(bench, "SELECT 1"))
    assert words in outcome.message
    assert "canary" not in outcome.message
    assert "canary" not in bench.log


def test_skytrails_own_database_is_none_for_tasks() -> None:
    ours = _ours(str(our_connection.settings_dict["NAME"]))
    value = ConnectionValue(
        conn_id="warehouse",
        conn_type="postgresql",
        host=ours["host"] or "",
        port=int(ours["port"]) if ours["port"] else None,
        schema=ours["dbname"],
        login=ours["user"] or "",
        password=ours["password"] or "",
    )
    bench = Bench()
    secrets = GivenSecrets(connections={"warehouse": value})
    bench.services = dataclasses.replace(bench.services, secrets=secrets)
    outcome = bad(sql(bench, "UPDATE skytrail_task_run SET state = 'success'"))
    assert "database of a Skytrail" in outcome.message
    assert not outcome.may_retry


# ---------------------------------------------------------------- kinds of values


def test_values_of_postgres_become_json(warehouse: ConnectionValue) -> None:
    bench = Bench()
    secrets = GivenSecrets(connections={"warehouse": warehouse})
    bench.services = dataclasses.replace(bench.services, secrets=secrets)
    (row,) = good(
        sql(
            bench,
            """SELECT 1.50::numeric AS n, date '2026-01-31' AS d, true AS b,
               timestamptz '2026-01-31 12:00+01' AT TIME ZONE 'UTC' AS t,
               '\\x00ff'::bytea AS raw, ARRAY[1, 2] AS list, '{"a": [1]}'::jsonb AS j,
               inet '10.0.0.1' AS i, int4range(1, 5) AS r, interval '90 seconds' AS s,
               '{{1,2},{3,4}}'::int[] AS nested""",
        )
    )
    assert row == {
        "n": "1.50",
        "d": "2026-01-31",
        "b": True,
        "t": "2026-01-31T11:00:00",
        "raw": "AP8=",
        "list": [1, 2],
        "j": {"a": [1]},
        "i": "10.0.0.1",
        "r": "[1, 5)",
        "s": 90.0,
        "nested": [[1, 2], [3, 4]],
    }


# ---------------------------------------------------------------- waiting for a condition


def test_a_sensor_waits_for_a_true_first_value(tmp_path: Path) -> None:
    file = tmp_path / "arrivals.db"
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE arrivals (name text)")
    made.close()
    bench = Bench()
    value = ConnectionValue(conn_id="warehouse", conn_type="sqlite", schema=str(file))
    secrets = GivenSecrets(connections={"warehouse": value})
    bench.services = dataclasses.replace(bench.services, secrets=secrets)

    def look(query: str) -> Outcome:
        return bench.run("sql_sensor", conn_id="warehouse", sql=query)

    for not_yet in (
        "SELECT count(*) AS n FROM arrivals",
        "SELECT name FROM arrivals",
        "SELECT NULL AS n",
        "SELECT '0' AS n",
        "SELECT '' AS n",
    ):
        assert look(not_yet).state is TaskState.UP_FOR_RESCHEDULE, not_yet
    with sqlite3.connect(file) as made:
        made.execute("INSERT INTO arrivals VALUES ('a')")
    made.close()
    assert good(look("SELECT count(*) AS n, 'x' AS more FROM arrivals")) == {"n": 1, "more": "x"}
    assert bad(look("SELECT no FROM nowhere")).reason == "sql_error"
