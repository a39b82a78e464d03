from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from runs_app.domain.states import TaskState
from tests.waiting import wait_until
from tests.workers.calls import Bench
from tests.workers.processes import is_gone
from workers.executors.bash import parameters
from workers.executors.bash_files import BadOutput, read_output
from workers.guards.interruption import Reason
from workers.log import Log

# ------------------------------------------------------------------- how it ends


@pytest.mark.parametrize(
    ("command", "exit_code", "words"),
    [
        ("exit 3", 3, "exit code 3"),
        ("no-such-program-here", 127, "a program does not exist"),
        ("/etc/passwd", 126, "check its permissions"),
        ("kill -TERM $$", -15, "ended by SIGTERM"),
        ("kill -KILL $$", -9, "use up the worker's memory"),
        ("bash -c 'kill -SEGV $$'; exit $?", 139, "ended by SIGSEGV (exit code 139)"),
        ("exit 255", 255, "exit code 255"),
    ],
)
def test_how_a_command_ended_is_said_in_words(
    bench: Bench, command: str, exit_code: int, words: str
) -> None:
    outcome = bench.run("bash", command=command)
    assert (outcome.state, outcome.exit_code) == (TaskState.FAILED, exit_code)
    assert words in outcome.message


def test_another_exit_code_may_mean_skipped_and_none_too(bench: Bench) -> None:
    assert bench.run("bash", command="exit 7", skip_on_exit_code=7).state is TaskState.SKIPPED
    assert bench.run("bash", command="exit 99", skip_on_exit_code=7).state is TaskState.FAILED
    assert bench.run("bash", command="exit 99", skip_on_exit_code=None).state is TaskState.FAILED


def test_what_it_leaves_running_in_its_group_is_ended(bench: Bench, tmp_path: Path) -> None:
    outcome = bench.run("bash", command=f"sleep 1000 & echo $! > {tmp_path}/pid")
    assert outcome.state is TaskState.SUCCESS
    wait_until(lambda: is_gone(int((tmp_path / "pid").read_text())))


# ------------------------------------------------------------------- being stopped


def started(folder: Path, count: int = 1) -> Any:
    return lambda _: len(list(folder.glob("*.pid"))) >= count


def test_a_command_that_ignores_sigterm_is_killed_with_all_it_has_started(
    bench: Bench, tmp_path: Path
) -> None:
    stubborn = "trap '' TERM; echo $BASHPID > $FOLDER/$NAME.pid; while :; do sleep 0.05; done"
    command = f"(NAME=inner; {stubborn}) & NAME=outer; {stubborn}"
    env = {"FOLDER": str(tmp_path)}
    bench.stop("bash", command=command, env=env, once=started(tmp_path, 2), reason=Reason.CANCELLED)
    assert is_gone(int((tmp_path / "inner.pid").read_text()))
    assert is_gone(int((tmp_path / "outer.pid").read_text()))


def test_a_grandchild_that_has_left_the_group_is_killed(bench: Bench, tmp_path: Path) -> None:
    command = f"setsid bash -c 'echo $$ > {tmp_path}/far.pid; sleep 1000' & wait"
    bench.stop("bash", command=command, once=started(tmp_path), reason=Reason.CANCELLED)
    assert is_gone(int((tmp_path / "far.pid").read_text()))


def test_a_grandchild_has_the_grace_time_too(bench: Bench, tmp_path: Path) -> None:
    """The shell itself ends at once; the program it has started cleans up."""
    program = (
        "import signal, sys, pathlib, time\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "def clean(*_):\n"
        "    time.sleep(0.1)\n"
        "    (folder / 'cleaned').touch()\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, clean)\n"
        "(folder / 'a.pid').touch()\n"
        "signal.pause()\n"
    )
    (tmp_path / "program.py").write_text(program)
    bench.stop(
        "bash",
        command=f"{sys.executable} {tmp_path}/program.py; true",
        once=started(tmp_path),
        reason=Reason.CANCELLED,
    )
    assert (tmp_path / "cleaned").exists()


def test_a_flood_of_output_does_not_keep_it_from_being_stopped(bench: Bench) -> None:
    bench.log_limit = 10_000

    def flooded(log: Log) -> bool:
        log.take()
        return log._over > 200_000_000

    memory = psutil.Process().memory_info().rss
    bench.stop("bash", command="yes", once=flooded, reason=Reason.TIMEOUT)
    assert psutil.Process().memory_info().rss - memory < 30_000_000
    assert len(bench.log.encode()) < 30_000
    assert "bytes are missing here" in bench.log


# ------------------------------------------------------------------- its surroundings


def test_its_environment_is_clean(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary@h/d")
    monkeypatch.setenv("SKYTRAIL_SECRET_KEY", "canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    assert bench.run("bash", command="env; set").state is TaskState.SUCCESS
    assert "canary" not in bench.log
    assert "PATH=" in bench.log


def test_it_inherits_no_descriptors_and_no_input(bench: Bench) -> None:
    kept, other = os.pipe()
    os.set_inheritable(kept, True)
    try:
        bench.run("bash", command="ls /proc/self/fd | wc -l; read line || echo no input")
    finally:
        os.close(kept)
        os.close(other)
    # Input, output, errors, and that with which ls reads the folder.
    assert bench.log.split() == ["4", "no", "input"]


def test_parameters_are_variables_and_never_code(bench: Bench, tmp_path: Path) -> None:
    evil = f"$(touch {tmp_path}/evil) `touch {tmp_path}/evil` \"; touch {tmp_path}/evil; ' \n x"
    conf = {"shop-name": evil, "rows": 3, "list": ["é", True], "größe": "L"}
    bench.about(conf=conf).run(
        "bash",
        command="for name in SHOP_NAME ROWS LIST GR__E; do printenv SKYTRAIL_PARAM_$name; done",
    )
    assert bench.log == f'{evil}\n3\n["\\u00e9", true]\nL\n'
    assert not (tmp_path / "evil").exists()


def test_values_do_not_appear_in_the_list_of_processes(bench: Bench) -> None:
    bench.run(
        "bash", command="tr '\\0' ' ' < /proc/$$/cmdline", env={"PASSWORD": "a canary of mine"}
    )
    assert "/proc/$$/cmdline" in bench.log
    assert "canary" not in bench.log


def test_it_is_told_who_it_is(bench: Bench) -> None:
    bench.about(attempt=2, epoch=5).run(
        "bash",
        command="echo $SKYTRAIL_DAG_ID $SKYTRAIL_RUN_ID $SKYTRAIL_TASK_ID $SKYTRAIL_ATTEMPT "
        "$SKYTRAIL_FENCE; [ $HOME = $PWD ] && echo home; [ -d $SKYTRAIL_PROJECT_DIR ] && echo ok",
    )
    assert bench.log == "story manual__1 work 2 5\nhome\nok\n"


def test_its_folder_goes_even_where_it_was_locked_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SKYTRAIL_WORKER_DIRECTORY", str(tmp_path))
    bench.run("bash", command="mkdir -p a/b; touch a/b/c; chmod 500 a/b; chmod 0 a; pwd")
    assert bench.log.startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_cwd_is_its_directory(bench: Bench, tmp_path: Path) -> None:
    bench.run("bash", command="pwd", cwd=str(tmp_path))
    assert bench.log.strip() == str(tmp_path)


@pytest.mark.parametrize("cwd", ["/no/such/place", "/etc/passwd", "a\x00b"])
def test_a_cwd_that_is_none_is_named(bench: Bench, cwd: str) -> None:
    outcome = bench.run("bash", command="pwd", cwd=cwd)
    assert outcome.reason == "no_directory"
    assert outcome.message.startswith("cwd: ")


def test_what_no_variable_can_hold_is_named(bench: Bench) -> None:
    outcome = bench.run("bash", command="true", env={"A": "x", "BAD": "a\x00b"})
    assert outcome.message == "env: BAD holds a character that no variable can hold"
    outcome = bench.run("bash", command="true", env={"BIG": "x" * 3_000_000})
    assert outcome.message.startswith("env: the command and its environment are too large")


def test_parameter_names_become_names_of_variables() -> None:
    assert parameters({"a.b-c": None}) == {"SKYTRAIL_PARAM_A_B_C": "null"}


# ------------------------------------------------------------------- $SKYTRAIL_OUTPUT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("null", None),
        ("12", 12),
        ('"text"', "text"),
        ('{"rows": 3, "names": ["é"]}', {"rows": 3, "names": ["é"]}),
        ("rows=12", {"rows": 12}),
        ("rows=12\r\nname=old books\n\nempty=\n", {"rows": 12, "name": "old books", "empty": ""}),
        ("a=1\na=2", {"a": 2}),
        ("a=b=c", {"a": "b=c"}),
        ('list=["x"]', {"list": ["x"]}),
        ("big=1e999", {"big": "1e999"}),
        ("nan=NaN", {"nan": "NaN"}),
        ("zip=01234", {"zip": "01234"}),
        ("line=a\u2028b\x0cc", {"line": "a\u2028b\x0cc"}),
        (f"digits={'9' * 5000}", {"digits": "9" * 5000}),
    ],
)
def test_output_is_json_or_lines(text: str, value: object) -> None:
    assert read_output(text) == value


@pytest.mark.parametrize("text", ["{", '{"a": NaN}', "[1,", '"open', "no equals sign", "=x", "NaN"])
def test_output_that_is_neither_says_where(text: str) -> None:
    with pytest.raises(BadOutput, match="JSON"):
        read_output(text)


def test_characters_that_cannot_be_kept_are_no_output(bench: Bench) -> None:
    for written in (r"'{\"a\": \"\\u0000\"}'", r"'a=b\x00c'", r"'\xff\xfe'"):
        outcome = bench.run("bash", command=f"printf {written} > $SKYTRAIL_OUTPUT")
        assert outcome.reason == "bad_output", written


@pytest.mark.parametrize(
    "command",
    [
        "ln -s /proc/self/environ $SKYTRAIL_OUTPUT",
        "ln -s /etc/passwd $SKYTRAIL_OUTPUT",
        "mkfifo $SKYTRAIL_OUTPUT",
        "mkdir $SKYTRAIL_OUTPUT",
    ],
)
def test_the_worker_reads_nothing_but_an_ordinary_file(bench: Bench, command: str) -> None:
    outcome = bench.run("bash", command=command)
    assert outcome.reason == "bad_output"
    assert outcome.output is None


def test_without_bash_it_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert bench.run("bash", command="true").reason == "no_bash"


def test_output_comes_before_the_end(bench: Bench) -> None:
    """As each line is written, not when a buffer is full."""
    seen: list[str] = []

    def said(log: Log) -> bool:
        seen.extend(piece.text for piece in log.take())
        return "first\n" in "".join(seen)

    bench.stop("bash", command="echo first; sleep 1000", once=said, reason=Reason.CANCELLED)
    assert seen
