"""While the database is away messages to dispatchers wait for it, and periodic jobs come again."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from celery.exceptions import Reject
from django.db import connection

from tests.doubles import RecordingDispatcher
from tests.factories import save_dag, start_run, states
from workers import planning, ticks

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture
def _away(committing: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody listens where the database was."""
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", "1")
        yield
    connection.close()


@pytest.fixture(autouse=True)
def _has_said_nothing_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticks._Said, "at", float("-inf"))


def test_a_run_whose_connection_was_cut_is_planned(dispatcher: RecordingDispatcher) -> None:
    run = start_run(save_dag({"a": [], "b": ["a"]}))
    connection.ensure_connection()
    connection.connection.pgconn.finish()
    assert "run ended" not in planning.plan(run.pk, None, actor="dispatcher@here")
    assert states(run)["a"] == "queued"


@pytest.mark.usefixtures("_away")
def test_where_it_stays_away_the_message_goes_back_to_its_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "PATIENCE", 0.5)
    with pytest.raises(Reject) as caught:
        planning.plan(uuid4(), None, actor="dispatcher@here")
    reason, requeue = caught.value.args
    assert requeue
    assert "\n" not in reason


@pytest.mark.parametrize("name", sorted(ticks.BY_NAME))
@pytest.mark.usefixtures("_away")
def test_a_periodic_job_waits_for_its_next_time(name: str) -> None:
    assert ticks.BY_NAME[name]() == "database: away"


@pytest.mark.usefixtures("_away")
def test_it_is_said_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    for job in ticks.BY_NAME.values():
        job()
    (said,) = caplog.messages
    assert said.startswith("periodic jobs wait for the database (away): ")
    assert "\n" not in said
