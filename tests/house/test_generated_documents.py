"""Documents that are made from code say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.generated import GENERATED, ROOT


@pytest.mark.parametrize("path", list(GENERATED), ids=lambda path: path.name)
def test_a_generated_document_is_up_to_date(path: Path) -> None:
    assert path.read_text() == GENERATED[path](), f"{path.relative_to(ROOT)}: run `make docs`"
