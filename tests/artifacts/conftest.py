from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from runs_app.selectors.artifacts import artifact_store


@pytest.fixture
def artifacts(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The folder that the artifact store is in."""
    settings.SKYTRAIL_ARTIFACTS_URL = str(tmp_path / "artifacts")
    artifact_store.cache_clear()
    yield tmp_path / "artifacts"
    artifact_store.cache_clear()
