"""What docs/quickstart.md has its reader write does what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from skytrail.testing import run_dag
from tests.house.source import ROOT

PAGE = (ROOT / "docs" / "quickstart.md").read_text()
NOVEMBER = {"file": "november.csv"}


@pytest.fixture(scope="module")
def dag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The page's DAG, as it is in the end, in the current folder with its data."""
    folder = tmp_path_factory.mktemp("quickstart")
    (table,) = re.findall(r"`orders.csv`:\n\n((?:    .*\n)+)", PAGE)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (line,) = re.findall(r"^    (@dag\(schedule=.*\))$", PAGE, re.MULTILINE)
    (retrying,) = re.findall(r"`(@task\(retries=.*?\))`", PAGE)
    (folder / "orders.csv").write_text(re.sub("(?m)^    ", "", table))
    file = folder / "dags" / "sales.py"
    file.parent.mkdir()
    file.write_text(
        re.sub(r"(?m)^@dag\(.*$", line, re.sub("(?m)^@task$", retrying, code)), encoding="utf-8"
    )
    with pytest.MonkeyPatch.context() as patching:
        patching.chdir(folder)
        yield file


def test_it_tells_what_was_sold(dag: Path) -> None:
    assert run_dag(dag)["tell"].log == "sold for 14\n"


def test_a_file_that_is_not_there_is_tried_twice_and_then_found(dag: Path) -> None:
    failed = run_dag(dag, conf=NOVEMBER)
    assert failed.states == {
        "read": "failed",
        "total": "upstream_failed",
        "tell": "upstream_failed",
    }
    assert failed["read"].attempts == 2
    (told,) = re.findall(r"(FileNotFoundError: .*)$", PAGE, re.MULTILINE)
    assert failed["read"].error == told
    (command,) = re.findall(r"printf '(.*)' > november.csv", PAGE)
    Path("november.csv").write_text(command.encode().decode("unicode_escape"))
    assert run_dag(dag, conf=NOVEMBER)["tell"].log == "sold for 10\n"
