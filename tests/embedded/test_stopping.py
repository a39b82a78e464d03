"""One signal stops everything in order, a second one at once, and `kill -9` leaves nothing."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.embedded.terminal import gone
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.embedded.terminal import Terminal, Terminals

STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); say('I stay'); wait()"


def kept_pressing(terminal: Terminal) -> int:
    """Press Ctrl-C until it is heard for a second time; the exit code."""

    def heard() -> bool:
        if terminal.process.poll() is None:
            terminal.press()
        return "again: killing everything" in terminal.text

    wait_until(heard, what="a second Ctrl-C is heard")
    return terminal.ended()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_apps_stop_before_the_infra_they_need(terminals: Terminals, number: signal.Signals) -> None:
    bye = "on_stop(lambda: (time.sleep(0.1), say('bye'))); say('here'); wait()"
    terminal = terminals.supervise(
        infra=[{"name": "infra", "code": bye}],
        apps=[{"name": "web", "code": bye}, {"name": "worker", "code": bye}],
    )
    terminal.wait_for("here", times=3)
    family = terminal.family()
    terminal.press(number)
    assert terminal.ended() == 0
    said = [line.split("|")[0].split()[1] for line in terminal.text.splitlines() if "bye" in line]
    assert sorted(said[:2]) == ["web", "worker"]
    assert said[2:] == ["infra"]
    assert gone(family)


def test_a_process_that_does_not_stop_is_killed_with_its_children(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        apps=[
            {
                "name": "app",
                "code": f"subprocess.Popen(['sleep', '600']); {STUBBORN}",
                "grace": 0.2,
            }
        ]
    )
    terminal.wait_for("I stay")
    family = terminal.family()
    assert len(family) == 3
    assert terminal.stopped() == 0
    assert "app did not stop within 0.2 s: killed" in terminal.text
    wait_until(lambda: gone(family))


def test_a_second_ctrl_c_kills_at_once(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        infra=[{"name": "infra", "code": STUBBORN, "grace": 600}],
        apps=[{"name": "app", "code": STUBBORN, "grace": 600}],
    )
    terminal.wait_for("I stay", times=2)
    family = terminal.family()
    assert kept_pressing(terminal) == 128 + signal.SIGINT
    assert gone(family)


def test_the_echo_of_a_signal_is_no_second_one(terminals: Terminals) -> None:
    slow = "on_stop(lambda: (time.sleep(0.2), say('bye'))); say('here'); wait()"
    terminal = terminals.supervise(apps=[{"name": "app", "code": slow}])
    terminal.wait_for("here")
    terminal.press(signal.SIGINT)
    terminal.press(signal.SIGTERM)  # as `make` and `uv run` pass it on
    assert terminal.ended() == 0
    assert "bye" in terminal.text


def test_ctrl_c_during_the_preparation_stops_it(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        infra=[{"name": "infra", "code": "wait()"}],
        prepare="say('preparing'); wait()",
        apps=[{"name": "app", "code": "say('app is here'); wait()"}],
    )
    terminal.wait_for("preparing")
    family = terminal.family()
    assert terminal.stopped() == 0
    assert "app is here" not in terminal.text
    assert gone(family)


def test_ctrl_c_while_infra_is_not_ready_yet_stops_it(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        infra=[{"name": "infra", "code": "wait()", "ready_when": "/never", "ready_within": 600}]
    )
    terminal.wait_for("my pid is")
    assert terminal.stopped() == 0


def test_a_process_that_waits_to_be_started_again_does_not_delay_the_stop(
    terminals: Terminals,
) -> None:
    terminal = terminals.supervise(
        apps=[{"name": "app", "code": "sys.exit(1)", "backoff": {"first": 600}}]
    )
    terminal.wait_for("again in 600 s")
    assert terminal.stopped() == 0


def test_kill_9_leaves_no_process(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        infra=[{"name": "infra", "code": STUBBORN}],
        apps=[{"name": "web", "code": STUBBORN}, {"name": "worker", "code": STUBBORN}],
    )
    terminal.wait_for("I stay", times=3)
    family = terminal.family()
    assert len(family) == 4
    terminal.process.kill()
    terminal.ended()
    wait_until(lambda: gone(family))


def test_kill_9_during_the_preparation_leaves_no_process(terminals: Terminals) -> None:
    terminal = terminals.supervise(prepare=STUBBORN)
    terminal.wait_for("I stay")
    family = terminal.family()
    terminal.process.kill()
    terminal.ended()
    wait_until(lambda: gone(family))


def test_started_with_nohup_it_outlives_the_terminal(terminals: Terminals) -> None:
    terminal = terminals.supervise(
        apps=[{"name": "app", "code": "say('here'); wait()"}],
        popen={"python": ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", sys.executable]},
    )
    terminal.wait_for("here")
    terminal.press(signal.SIGHUP)
    terminal.press(signal.SIGTERM)
    terminal.wait_for("SIGTERM: stopping everything")
    assert terminal.ended() == 0
    assert "SIGHUP" not in terminal.text
