"""Who of those that wait for a slot gets one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runs_app.domain.limits import Candidate, admit

gates = st.sampled_from(["pool:db", "pool:api", "dag:x"])
needs = st.dictionaries(gates, st.integers(1, 4), max_size=3)
waiting = st.lists(needs).map(
    lambda all_needs: [Candidate(id=index, needs=each) for index, each in enumerate(all_needs)]
)
free_slots = st.dictionaries(gates, st.integers(-2, 8))


def ids(admitted: list[Candidate]) -> list[object]:
    return [candidate.id for candidate in admitted]


@given(waiting, free_slots)
def test_no_gate_gives_more_than_it_has(candidates: list[Candidate], free: dict[str, int]) -> None:
    used: dict[str, int] = {}
    for candidate in admit(candidates, free):
        for gate, slots in candidate.needs.items():
            used[gate] = used.get(gate, 0) + slots
    assert all(slots <= free.get(gate, 0) for gate, slots in used.items())


@given(waiting, free_slots)
def test_whoever_is_left_out_found_too_little_left(
    candidates: list[Candidate], free: dict[str, int]
) -> None:
    left, admitted = dict(free), ids(admit(candidates, free))
    for candidate in candidates:
        fits = all(left.get(gate, 0) >= slots for gate, slots in candidate.needs.items())
        assert fits is (candidate.id in admitted)
        for gate, slots in candidate.needs.items() if fits else ():
            left[gate] -= slots


@given(waiting, free_slots)
def test_what_is_free_is_not_changed(candidates: list[Candidate], free: dict[str, int]) -> None:
    before = dict(free)
    first = admit(candidates, free)
    assert free == before
    assert admit(candidates, free) == first


def test_the_first_in_line_goes_first() -> None:
    line = [Candidate(name, {"pool:db": 1}) for name in "abc"]
    assert ids(admit(line, {"pool:db": 2})) == ["a", "b"]


def test_one_that_wants_the_whole_pool_holds_up_nobody() -> None:
    line = [Candidate("large", {"pool:db": 4}), Candidate("small", {"pool:db": 1})]
    assert ids(admit(line, {"pool:db": 3})) == ["small"]
    assert ids(admit(line, {"pool:db": 4})) == ["large"]


def test_all_gates_must_be_open_at_once() -> None:
    line = [Candidate("both", {"pool:db": 1, "dag:x": 1}), Candidate("one", {"pool:db": 1})]
    assert ids(admit(line, {"pool:db": 1, "dag:x": 0})) == ["one"]


def test_an_unknown_gate_is_shut() -> None:
    assert admit([Candidate("a", {"pool:gone": 1})], {}) == []
