"""One write in ten fails, one publish in ten, half of them after they were done: all ends as ever.

`FAULT_ROUNDS` tells each story more than once, and `FAULT_SEED` has the dice fall otherwise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from runs_app.models import DagRun
from skytrail.embedded.ports import Ports
from tests.acceptance.conftest import TO_START, Installation, installation_beside
from tests.faults.stories import (
    STORIES,
    check_effects,
    check_effects_of,
    check_invariants,
    faults_of,
    states_of,
)
from tests.races.history import check_history
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

SEED = int(os.environ.get("FAULT_SEED", "1"))
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))

FAULTS = {"seed": SEED, "before": 0.05, "after": 0.05, "delay": 0.02}
BEHIND_WEB = json.dumps({**FAULTS, "roles": ["dispatcher", "worker"]})
IN_WEB = json.dumps({**FAULTS, "roles": ["web"]})

TROUBLED = {
    "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
    "SKYTRAIL_FAULTS": BEHIND_WEB,
    # Each step is a message, and so may be lost.
    "SKYTRAIL_RIDE_ALONG": "false",
}

#: By when a run has ended, in seconds: recovery looks every few, and may itself meet faults.
ENDED = 120.0


@pytest.fixture(scope="module")
def installation(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Dispatcher and worker meet faults; the web server that the tests ask does not."""
    with django_db_blocker.unblock():
        folder = tmp_path_factory.mktemp("faults")
        with installation_beside(folder, redis_url=settings.SKYTRAIL_REDIS_URL, **TROUBLED) as made:
            yield made
            print(f"seed {SEED}:", dict(faults_of(made)))  # noqa: T201


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tasks leave their marks."""
    made = tmp_path_factory.mktemp("marks")
    made.chmod(0o777)
    (made / "effects").touch()
    (made / "effects").chmod(0o666)
    return made


def test_runs_of_every_kind_end_as_they_should(installation: Installation, folder: Path) -> None:
    for name, story in STORIES.items():
        installation.save(name, story.tasks(folder))
    runs = [(name, installation.trigger(name)) for name in STORIES for _ in range(ROUNDS)]
    for name, run_id in runs:
        ended = installation.wait_for_end(name, run_id, timeout=ENDED)
        assert (ended["state"], states_of(name, run_id)) == (
            STORIES[name].state,
            STORIES[name].states(),
        )
        check_effects_of(folder, name, run_id)
    assert check_effects(folder) >= len(runs)
    for run in DagRun.objects.all():
        check_history(run)


def test_what_is_cleared_runs_again(installation: Installation, folder: Path) -> None:
    installation.save("cleared", STORIES["chain"].tasks(folder))
    run_id = installation.trigger("cleared")
    installation.wait_for_end("cleared", run_id, timeout=ENDED)
    before = installation.task("cleared", run_id, "c")["attempt"]
    answer = installation.call(
        "POST", f"dags/cleared/runs/{run_id}/clear", json={"task_ids": ["b"]}
    )
    assert answer.status_code == 200
    ended = installation.wait_for_end("cleared", run_id, timeout=ENDED)
    assert ended["state"] == "success"
    assert installation.task("cleared", run_id, "c")["attempt"] == before + 1
    check_effects(folder)


def test_what_is_cancelled_stops(installation: Installation, folder: Path) -> None:
    begun = folder / "begun"
    endless: dict[str, Any] = {"type": "bash", "command": f"touch {begun}; sleep 1000"}
    installation.save("endless", [{"id": "a", **endless}, {"id": "b", "depends_on": ["a"]}])
    run_id = installation.trigger("endless")
    wait_until(begun.exists, timeout=ENDED, what="the task is at work")
    assert installation.call("POST", f"dags/endless/runs/{run_id}/cancel").status_code == 200
    assert installation.wait_for_end("endless", run_id, timeout=ENDED)["state"] == "cancelled"
    assert states_of("endless", run_id) == {"a": "cancelled", "b": "cancelled"}


def test_a_key_makes_one_run_however_often_it_has_to_be_sent(installation: Installation) -> None:
    installation.save("once", [{"id": "a"}])
    port = Ports().choose(purpose="web", option="--port", asked=0)
    installation.start("web", f"--port={port}", label="troubled web", SKYTRAIL_FAULTS=IN_WEB)
    url = f"http://127.0.0.1:{port}/api/v1/dags/once/runs"
    login = {"Authorization": f"Bearer {installation.token}"}
    heard: list[int] = []

    def is_taken(key: str) -> bool:
        try:
            answer = httpx.post(
                url, json={}, headers=login | {"Idempotency-Key": key}, timeout=TO_START
            )
        except httpx.TransportError:
            return False  # it does not listen yet
        heard.append(answer.status_code)
        return answer.is_success

    for place in range(20):
        key = f"key {place}"
        wait_until(lambda key=key: is_taken(key), timeout=TO_START, what="it is taken")  # type: ignore[misc]
    assert set(heard) <= {200, 201, 503}
    assert DagRun.objects.filter(dag__dag_id="once").count() == 20
    wait_until(
        lambda: (
            set(DagRun.objects.filter(dag__dag_id="once").values_list("state", flat=True))
            == {"success"}
        ),
        timeout=ENDED,
        what="all have ended well",
    )


def test_all_that_holds_has_held(installation: Installation) -> None:
    check_invariants(installation)
    struck = faults_of(installation)
    assert {"before a write", "after a write"} <= set(struck), "the tests above have met faults"
