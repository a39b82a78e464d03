"""Every message between the real processes is lost once: recovery alone moves things on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from tests.acceptance.conftest import Installation, installation_beside
from tests.faults.stories import (
    Story,
    check_effects,
    check_effects_of,
    check_invariants,
    faults_of,
    states_of,
)

pytestmark = pytest.mark.timeout(600)

#: Few steps: each waits until it is seen, in two checks, that its message is not there.
STORIES = {
    "chain": Story({"a": [], "b": ["a"]}),
    "fork": Story({"a": [], "b": [], "c": ["a", "b"]}),
}

LOSING = {
    "DJANGO_SETTINGS_MODULE": "tests.faults.settings_losing_messages",
    "SKYTRAIL_RIDE_ALONG": "false",
    # Messages are looked for after a lease at the latest.
    "SKYTRAIL_LEASE_SECONDS": "3",
}

ENDED = 180.0


@pytest.fixture(scope="module")
def installation(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Dispatcher and worker lose what they send; web too."""
    with django_db_blocker.unblock():
        folder = tmp_path_factory.mktemp("losing")
        with installation_beside(folder, redis_url=settings.SKYTRAIL_REDIS_URL, **LOSING) as made:
            yield made


def test_runs_end_well_all_the_same(installation: Installation, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for name, story in STORIES.items():
        installation.save(name, story.tasks(tmp_path))
    runs = {name: installation.trigger(name) for name in STORIES}
    for name, run_id in runs.items():
        assert installation.wait_for_end(name, run_id, timeout=ENDED)["state"] == "success"
        assert states_of(name, run_id) == STORIES[name].states()
        check_effects_of(tmp_path, name, run_id)
    assert check_effects(tmp_path) == sum(len(story.graph) for story in STORIES.values())
    check_invariants(installation)
    lost = faults_of(installation)["lost a message"]
    assert lost >= 5, f"only {lost} messages were lost"
