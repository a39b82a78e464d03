"""A folder that is synced several times at the same moment comes to what it says, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dags_app.actions.syncing import Synced, sync
from dags_app.models import Dag, DagFile, DagVersion
from tests.races.together import by_many

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_file_is_saved_once_and_nobody_sees_trouble(tmp_path: Path) -> None:
    def three_times() -> set[str]:
        found = by_many(3, lambda: sync(tmp_path, author="cli:alice"))
        outcomes = set[str]()
        for synced in found:
            assert isinstance(synced, Synced), synced
            assert not synced.faults
            outcomes |= {str(outcome) for _, _, outcome in synced.dags}
        return outcomes

    for number in range(12):
        text = f"name: dag_{number}\ntasks:\n- id: a\n- id: b\n  depends_on: [a]\n"
        (tmp_path / f"{number}.yaml").write_text(text)
    assert three_times() == {"created", "unchanged"}
    assert Dag.objects.count() == DagVersion.objects.count() == DagFile.objects.count() == 12

    for number in range(1, 12):
        (tmp_path / f"{number}.yaml").unlink()
    assert "gone" in three_times()
    assert Dag.objects.filter(paused=True, gone_at__isnull=False).count() == 11
    assert not Dag.objects.filter(paused_before_gone=True).exists(), "it is gone once"
