"""Files of DAGs for tests, imported as the file loader does it: by names that their paths give."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from dags_app.authoring import Collection, collecting

#: Writes a file of that name below a folder of its own, imports it, and says what it has made.
ImportFile: TypeAlias = Callable[[str, str], Collection]


@pytest.fixture
def import_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImportFile]:
    monkeypatch.syspath_prepend(tmp_path)
    imported = []

    def write_and_import(path: str, source: str) -> Collection:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("from skytrail.sdk import *\n" + textwrap.dedent(source))
        importlib.invalidate_caches()
        name = path.removesuffix(".py").replace("/", ".")
        imported.append(name)
        with collecting() as found:
            importlib.import_module(name)
        return found

    yield write_and_import
    for name in imported:
        while name:
            sys.modules.pop(name, None)
            name = name.rpartition(".")[0]  # noqa: PLW2901  # its packages too
