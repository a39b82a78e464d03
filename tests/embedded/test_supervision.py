"""Processes start in order, live on when they die, and their words come through."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil

from tests.embedded.terminal import alive, gone
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.embedded.terminal import Terminals

SOON = {"first": 0.05, "longest": 0.2}


def test_apps_start_after_infra_is_ready_and_the_preparation_is_done(
    terminals: Terminals, folder: Path
) -> None:
    flag = folder / "ready"
    terminal = terminals.supervise(
        infra=[
            {
                "name": "infra",
                "code": f"say('infra is here'); open({str(flag)!r}, 'w'); wait()",
                "ready_when": str(flag),
            }
        ],
        prepare=f"say('preparing', os.path.exists({str(flag)!r}))",
        apps=[{"name": "app", "code": "say('app is here'); wait()"}],
    )
    text = terminal.wait_for("app is here")
    assert text.index("infra is here") < text.index("preparing True") < text.index("app is here")
    assert terminal.stopped() == 0


def test_it_says_so_when_every_app_is_ready(terminals: Terminals, folder: Path) -> None:
    flag = folder / "ready"
    terminal = terminals.supervise(
        apps=[
            {"name": "web", "code": "say('hello'); wait()", "ready_when": str(flag)},
            {"name": "beat", "code": "wait()"},
        ]
    )
    assert "everything is ready" not in terminal.wait_for("hello")
    flag.touch()
    terminal.wait_for("everything is ready")


def test_a_killed_process_comes_back_and_each_time_a_little_later(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        apps=[{"name": "app", "code": "wait()", "backoff": {"first": 0.05}}]
    )
    for times, delay in enumerate(("0.05", "0.1", "0.2"), start=1):
        terminal.wait_for("my pid is", times=times)
        os.kill(terminal.pid_of("app"), signal.SIGKILL)
        terminal.wait_for(f"app ended (killed by SIGKILL); again in {delay} s")
    terminal.wait_for("my pid is", times=4)
    assert terminal.stopped() == 0


def test_after_a_calm_life_the_delay_begins_anew(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        apps=[
            {
                "name": "app",
                "code": "time.sleep(0.1); sys.exit(4)",
                "backoff": {"first": 0.05, "calm": 0.1},
            }
        ]
    )
    terminal.wait_for("app ended (exit code 4); again in 0.05 s", times=2)
    assert "does not stay up" not in terminal.text


def test_a_process_that_fails_again_and_again_is_reported_with_its_last_words(
    terminals: Terminals,
) -> None:
    terminal = terminals.supervise(
        apps=[
            {"name": "web", "code": "say('cannot import settings'); sys.exit(1)", "backoff": SOON},
            {"name": "beat", "code": "wait()"},
        ]
    )
    terminal.wait_for(
        "web does not stay up: it has ended 3 times in a row, last with: cannot import settings"
    )
    assert alive(terminal.pid_of("beat"))
    assert terminal.stopped() == 0


def test_a_program_that_does_not_exist_is_reported_and_tried_again(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        apps=[{"name": "app", "argv": ["/no/such/program"], "backoff": SOON}]
    )
    terminal.wait_for("/no/such/program cannot be started", times=3)
    assert terminal.stopped() == 0


def test_infra_that_does_not_start_ends_everything_and_is_named(
    terminals: Terminals, folder: Path
) -> None:
    flag = folder / "ready"
    flag.touch()
    terminal = terminals.supervise(
        infra=[
            {"name": "redis", "code": "wait()", "ready_when": str(flag)},
            {
                "name": "postgres",
                "code": "say('disk is full'); sys.exit(7)",
                "ready_when": str(folder / "never"),
            },
        ],
        apps=[{"name": "app", "code": "say('app is here'); wait()"}],
    )
    assert terminal.ended() == 1
    assert "error: postgres did not start: exit code 7; its last line: disk is full" in (
        terminal.text
    )
    assert "app is here" not in terminal.text
    assert "redis stopped" in terminal.text


def test_infra_that_never_gets_ready_is_named(terminals: Terminals, folder: Path) -> None:
    terminal = terminals.supervise(
        infra=[
            {
                "name": "postgres",
                "code": "wait()",
                "ready_when": str(folder / "never"),
                "ready_within": 0.2,
            }
        ]
    )
    assert terminal.ended() == 1
    assert "error: postgres did not start: it was not ready within 0.2 s" in terminal.text


def test_a_preparation_that_fails_ends_everything(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        infra=[{"name": "infra", "code": "wait()"}],
        prepare="say('no such column'); sys.exit(3)",
        apps=[{"name": "app", "code": "say('app is here'); wait()"}],
    )
    assert terminal.ended() == 1
    assert "no such column" in terminal.text
    assert "error: The preparation ended with 3." in terminal.text
    assert "infra stopped" in terminal.text
    assert "app is here" not in terminal.text


def test_infra_that_dies_later_comes_back(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        infra=[{"name": "infra", "code": "wait()", "backoff": SOON}],
        apps=[{"name": "app", "code": "wait()"}],
    )
    terminal.wait_for("everything is ready")
    terminal.wait_for("my pid is", times=2)
    os.kill(terminal.pid_of("infra"), signal.SIGKILL)
    terminal.wait_for("my pid is", times=3)
    assert terminal.stopped() == 0


def test_what_a_crashed_process_had_started_goes_with_it(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        apps=[
            {
                "name": "pool",
                "code": "subprocess.Popen(['sleep', '600']); say('child is here'); wait()",
                "backoff": SOON,
            }
        ]
    )
    terminal.wait_for("child is here")
    [child] = psutil.Process(terminal.pid_of("pool")).children()
    os.kill(terminal.pid_of("pool"), signal.SIGKILL)
    wait_until(lambda: gone([child]), what="the crashed process's child is gone")


def test_a_descendant_that_keeps_the_output_open_delays_nothing(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        apps=[
            {
                "name": "app",
                "code": "subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
                "say('gone astray'); wait()",
                "backoff": SOON,
            }
        ]
    )
    terminal.wait_for("gone astray")
    [stray] = psutil.Process(terminal.pid_of("app")).children()
    try:
        os.kill(terminal.pid_of("app"), signal.SIGKILL)
        terminal.wait_for("gone astray", times=2)
        [second] = psutil.Process(terminal.pid_of("app")).children()
        assert terminal.stopped() == 0
    finally:
        stray.kill()
        second.kill()


def test_output_that_is_endless_or_no_text_comes_through(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        apps=[
            {
                "name": "app",
                "code": "sys.stdout.buffer.write(b'x' * 3_000_000 + b'\\nnot \\xff text\\nlast')\n"
                "sys.stdout.flush(); wait()",
            }
        ]
    )
    text = terminal.wait_for("| not \ufffd text")
    assert "[2,983,616 more characters]" in text
    assert terminal.stopped() == 0
    assert "| last\n" in terminal.text
