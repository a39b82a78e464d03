"""What is not there and what is not yours answer alike, to the letter."""

from __future__ import annotations

import pytest

from tests.api.checking import CheckedClient
from tests.api.stories import told

ADDRESSES = [
    ("GET", "dags/{dag}"),
    ("PUT", "dags/{dag}"),
    ("PATCH", "dags/{dag}"),
    ("DELETE", "dags/{dag}"),
    ("GET", "dags/{dag}/status"),
    ("GET", "dags/{dag}/versions"),
    ("GET", "dags/{dag}/versions/1"),
    ("GET", "dags/{dag}/runs"),
    ("POST", "dags/{dag}/runs"),
    ("GET", "dags/{dag}/runs/first"),
    ("POST", "dags/{dag}/runs/first/cancel"),
    ("POST", "dags/{dag}/runs/first/clear"),
    ("GET", "dags/{dag}/runs/first/tasks"),
    ("GET", "dags/{dag}/runs/first/tasks/extract"),
    ("GET", "dags/{dag}/runs/first/tasks/extract/logs"),
    ("GET", "dags/{dag}/runs/first/tasks/extract/output"),
    ("POST", "dags/{dag}/runs/first/tasks/extract/cancel"),
]


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_a_dag(method: str, address: str, as_charlie: CheckedClient) -> None:
    told()
    not_yours = as_charlie.generic(method, address.format(dag="story"))
    not_there = as_charlie.generic(method, address.format(dag="stork"))
    assert not_yours.status_code == not_there.status_code == 404
    assert not_yours.content.replace(b"story", b"stork") == not_there.content
    assert not_yours.headers.items() == not_there.headers.items()


def test_lists_and_filters_show_nothing_of_it(as_charlie: CheckedClient) -> None:
    told(tags=["secret"])
    for address in ("dags", "dags?tag=secret", "runs", "runs?dag_id=story"):
        assert as_charlie.get(address).json() == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize(
    "address",
    [
        "dags/story/versions/2",
        "dags/story/versions/99999999999999999999",
        f"dags/story/versions/{'9' * 5000}",
        "dags/story/runs/second",
        "dags/story/runs/second/tasks",
        "dags/story/runs/first/tasks/lod",
        "dags/story/runs/first/tasks/extract?map_index=3",
        f"dags/{'n' * 251}",
        "dags/st%C3%B6ry",
        "dags/%F0%9F%9A%82",
        "dags/..",
        "dags/story/",
        "nothing",
    ],
)
def test_what_is_not_there_says_so(address: str, as_bob: CheckedClient) -> None:
    told()
    answer = as_bob.get(address)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]
