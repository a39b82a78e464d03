"""An installation whose parts meet faults: REST answers as ever, all behind it is in trouble."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "faults" in Path(item.fspath).parts:
            item.add_marker(pytest.mark.acceptance)
