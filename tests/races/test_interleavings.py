"""Of two that come at the same moment, the one that commits first wins: every pair, in both orders.

What is to come of each pair stands in `interleavings.md`; here it is tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.conftest import empty_tables
from tests.races.history import check_history
from tests.races.interleaving import ROLLED_BACK, Interleaver
from tests.races.scenes import SCENES, STEPS, lead_to_its_end, save_dags

Pair = tuple[str, str, str]

TABLE = Path(__file__).with_name("interleavings.md")
NOBODY = "(nobody)"
PASSED = "~ "
ANSWER = " · "

#: What sweepers say that have found nothing they could have.
PASSED_OVER = {"took 0", "woke 0", "sent 0", "stopped 0"}

ENDS = {"success", "failed", "cancelled"}


@cache
def table() -> dict[Pair, str]:
    """The cells of the tables: by scene, first and second step."""
    cells: dict[Pair, str] = {}
    scene, seconds = "", list[str]()
    for line in TABLE.read_text().splitlines():
        if heading := re.fullmatch(r"## (.+)", line):
            scene, seconds = heading[1], []
        elif scene and line.startswith("|"):
            first, *row = (cell.strip() for cell in line.strip("|").split("|"))
            if not seconds:
                seconds = row
            elif set(first) != {"-"}:
                cells |= {
                    (scene, first, second): cell for second, cell in zip(seconds, row, strict=True)
                }
    return cells


@pytest.fixture(scope="module")
def interleaver(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Interleaver]:
    """Two connections, and the DAGs of all scenes."""
    with django_db_blocker.unblock():
        empty_tables()
        save_dags()
        made = Interleaver()
        yield made
        made.close()
        empty_tables()
        connection.close()


ROWS = [
    pytest.param(name, first, id=f"{name}, {first}")
    for name, (_, steps) in SCENES.items()
    for first in steps
]


def test_the_tables_have_every_pair() -> None:
    assert set(table()) == {
        (name, first, second)
        for name, (_, steps) in SCENES.items()
        for first in (NOBODY, *steps)
        for second in steps
    }


@pytest.mark.parametrize(("name", "first"), ROWS)
def test_who_comes_second_finds_what_the_first_has_left(
    interleaver: Interleaver, name: str, first: str
) -> None:
    make, seconds = SCENES[name]
    row = {}
    for second in seconds:
        scene = make()
        came = interleaver.interleave(partial(STEPS[first], scene), partial(STEPS[second], scene))
        standing = scene.standing()
        row[second] = f"{'' if came.waited else PASSED}{standing['it']}{ANSWER}{came.second}"
        check_history(scene.run)
        assert lead_to_its_end(scene.run) in ENDS
        check_history(scene.run)
        assert came.first == _alone(name, first).partition(ANSWER)[2], "as if it were alone"
        orders = _in_a_row(name, first, second, came.second)
        assert any(standing == order for order in orders), f"{second}: {standing}"
    assert row == {second: table()[name, first, second] for second in seconds}


@pytest.mark.parametrize(("name", "first"), ROWS)
def test_who_comes_second_does_all_if_the_first_is_rolled_back(
    interleaver: Interleaver, name: str, first: str
) -> None:
    make, seconds = SCENES[name]
    # To those who do not wait it makes no difference how the first ends.
    waiting = [s for s in seconds if not table()[name, first, s].startswith(PASSED)]
    row = {}
    for second in waiting:
        scene = make()
        came = interleaver.interleave(
            partial(STEPS[first], scene), partial(STEPS[second], scene), rolls_back=True
        )
        row[second] = f"{scene.standing()['it']}{ANSWER}{came.second}"
        if came.second in PASSED_OVER:
            del row[second]  # it had passed over the row, and waited for something else
        assert came.first == ROLLED_BACK
        check_history(scene.run)
        assert lead_to_its_end(scene.run) in ENDS
    assert row == {second: _alone(name, second) for second in row}


def _alone(name: str, step: str) -> str:
    return table()[name, NOBODY, step]


def _in_a_row(name: str, first: str, second: str, answer: str) -> Iterator[dict[str, str]]:
    """How it may end: as if one had come after the other.

    A sweeper that passes over what another holds, to come back to it, may as well not have come.
    """
    yield _one_after_the_other(name, first, second)
    yield _one_after_the_other(name, second, first)
    if answer in PASSED_OVER:
        yield _one_after_the_other(name, first)


@cache
def _one_after_the_other(name: str, *steps: str) -> dict[str, str]:
    """Where all tasks stand after these steps, each begun when the one before was over."""
    scene = SCENES[name][0]()
    for step in steps:
        STEPS[step](scene)
    standing = scene.standing()
    lead_to_its_end(scene.run)
    return standing
