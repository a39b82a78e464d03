"""The examples of docs/sdk.md are files of DAGs: each is imported, and its DAGs are fine."""

from __future__ import annotations

import json
import re
import textwrap

import pytest

from tests.authoring.modules import ImportFile
from tests.authoring.test_running import outputs, run
from tests.house.source import ROOT

_PAGE = (ROOT / "docs/sdk.md").read_text()
#: Lines that are indented, with the empty ones between them.
_BLOCKS = [
    textwrap.dedent(block)
    for block in re.findall(r"(?:(?<=\n\n)|^)((?:    .*\n|\n(?=    ))+)", _PAGE)
]
_FILES = [block for block in _BLOCKS if block.startswith("from ")]
_ENTRIES = [block for block in _BLOCKS if block.startswith("{")]


def test_all_examples_are_tested() -> None:
    assert (len(_FILES), len(_ENTRIES)) == (6, 1)
    assert len(_BLOCKS) == len(_FILES) + len(_ENTRIES)


@pytest.mark.parametrize("index", range(len(_FILES)))
def test_an_example_is_a_file_of_dags(import_file: ImportFile, index: int) -> None:
    found = import_file(f"example_{index}.py", _FILES[index])
    assert found.dags
    assert found.never_called == []
    for dag in found.dags:
        assert dag.spec().tasks


def test_the_first_example_runs_and_is_what_is_said_of_it(import_file: ImportFile) -> None:
    (dag,) = import_file("etl/orders.py", _FILES[0].replace('"{{ ds }}"', '"2026-01-01"')).dags
    assert dag.document()["tasks"][0]["callable"] == "etl.orders:orders.functions.extract"
    (entry,) = map(json.loads, _ENTRIES)
    assert dag.document()["tasks"][2] == {**entry, "depends_on": ["total"]}
    assert outputs(run(dag.spec()))["total"] == 24
