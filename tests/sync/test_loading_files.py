"""Files are loaded in processes of their own: none of them harms anybody."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest

from dags_app.authoring.loading import Fault, Limits, Loaded, load_files
from tests.waiting import wait_until

GOOD = "from skytrail.sdk import *\nwith DAG({!r}): Empty('a')\n"

Load: TypeAlias = Callable[[str, str], Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Writes a file, and a good one that is loaded behind it by the same process."""

    def write_and_load(name: str, text: str) -> Loaded:
        file, other = tmp_path / name, tmp_path / "behind_it.py"
        file.write_text(text)
        other.write_text(GOOD.format("behind"))
        asked, *rest = load_files([file, other, other], limits=Limits(seconds=3, megabytes=512))
        assert all(loaded.documents and not loaded.faults for loaded in rest), rest
        return asked

    return write_and_load


def _fault(loaded: Loaded) -> Fault:
    assert not loaded.documents
    (fault,) = loaded.faults
    return fault


def test_a_file_comes_to_the_definitions_that_it_makes(load: Load) -> None:
    loaded = load("two.py", GOOD.format("one") + "with DAG('two'): Bash('b', command='true')\n")
    assert [document["name"] for document in loaded.documents] == ["one", "two"]
    assert loaded.faults == ()


def test_a_definition_as_data_is_one_too(load: Load) -> None:
    loaded = load("d.yaml", "name: d\nstart_date: 2026-01-02\ntasks:\n- id: a\n")
    assert [(d["name"], d["start_date"]) for d in loaded.documents] == [("d", "2026-01-02")]


def test_a_file_that_raises_says_where(load: Load) -> None:
    fault = _fault(load("broken.py", "import skytrail\n\nrows = 1 / 0\n"))
    assert (fault.line, fault.message) == (3, "ZeroDivisionError: division by zero")
    assert "rows = 1 / 0" in fault.traceback
    assert fault.at(Path("broken.py")).startswith("broken.py:3:1: ZeroDivisionError")


def test_a_file_that_python_cannot_read_says_line_and_column(load: Load) -> None:
    fault = _fault(load("typo.py", "from skytrail.sdk import DAG\nwith DAG('x') print()\n"))
    assert (fault.line, fault.column) == (2, 15)
    assert fault.message.startswith("SyntaxError")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("d.yaml", "name: d\ntasks:\n- id: a\n  retires: 2\n"),
        ("d.json", '{"name": "d",\n"tasks": [\n{"id": "a"\n, "retires": 2}]}'),
    ],
)
def test_a_mistake_in_a_definition_has_its_line(load: Load, name: str, text: str) -> None:
    fault = _fault(load(name, text))
    assert fault.line == 4
    assert "did you mean 'retries'" in fault.message


def test_yaml_that_is_none_has_its_line(load: Load) -> None:
    fault = _fault(load("d.yaml", "name: d\ntasks: [\n"))
    assert fault.line == 3


def test_a_dag_that_cannot_be_says_what_is_wrong(load: Load) -> None:
    fault = _fault(load("cycle.py", GOOD.format("x") + "with DAG('y', retires=1): Empty('a')\n"))
    assert fault.line == 3
    assert "retires" in fault.message


def test_a_file_that_takes_too_long_is_ended(load: Load) -> None:
    assert "longer than 3 s" in _fault(load("slow.py", "while True: pass  # dag\n")).message


def test_a_file_that_takes_too_much_memory_is_refused_it(load: Load) -> None:
    fault = _fault(load("greedy.py", "rows = ['dag' * 1_000_000 for _ in range(100_000)]\n"))
    assert "memory" in fault.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys; sys.exit(3)", "sys.exit(3)"),
        ("import os; os._exit(0)", "os._exit"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("import os, signal; os.kill(os.getppid(), signal.SIGKILL)", "ended the process"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_a_file_that_ends_its_process_ends_no_other(load: Load, text: str, said: str) -> None:
    assert said in _fault(load("ending.py", text + "\n")).message


def test_what_a_file_prints_or_reads_is_nobodys_business(load: Load) -> None:
    noisy = "import os, sys\nprint('{}')\nos.write(1, b'[1]\\n')\nsys.stdin.read()\n"
    assert load("noisy.py", noisy + GOOD.format("noisy")).documents


def test_what_a_file_has_started_ends_with_it(load: Load, tmp_path: Path) -> None:
    loaded = load(
        "daemons.py",
        f"""
import os, subprocess
left = subprocess.Popen(["sleep", "1000"], start_new_session=True)
open({str(tmp_path / "pids")!r}, "a").write(f"{{left.pid}}\\n")
if os.fork() == 0:
    os.setsid()
    open({str(tmp_path / "pids")!r}, "a").write(f"{{os.getpid()}}\\n")
    while True: pass
"""
        + GOOD.format("daemons"),
    )
    assert loaded.documents
    started = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert started
    wait_until(lambda: not any(map(psutil.pid_exists, started)), what="they are gone")


def test_one_file_knows_nothing_of_another(tmp_path: Path) -> None:
    for name in ("first", "second"):
        text = "import os\nassert 'DAG_SEEN' not in os.environ\nos.environ['DAG_SEEN'] = '1'\n"
        (tmp_path / f"{name}.py").write_text(text + GOOD.format(name))
    loaded = load_files(sorted(tmp_path.glob("*.py")) * 3)
    assert not [one.faults for one in loaded if one.faults]


def test_a_hundred_files_of_ten_tasks_take_seconds(tmp_path: Path) -> None:
    for number in range(100):
        lines = [f"with DAG('d{number}'):", *(f"    Empty('t{i}')" for i in range(10))]
        (tmp_path / f"f{number}.py").write_text(
            "from skytrail.sdk import *\n" + "\n".join(lines) + "\n"
        )
    started = time.monotonic()
    loaded = load_files(sorted(tmp_path.glob("*.py")))
    assert sum(len(one.documents) for one in loaded) == 100
    assert time.monotonic() - started < 10


def test_loading_needs_no_django() -> None:
    program = (
        "import sys, skytrail.sdk, dags_app.authoring.loading.nursery; "
        "print('django' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "False"
