"""Who of those that wait for a slot gets one: pools and per-DAG limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A ready task run, and how many slots it needs at which gates (`pool:db`, `dag:<id>`)."""

    id: object
    needs: Mapping[str, int]


def admit(candidates: Iterable[Candidate], free: Mapping[str, int]) -> list[Candidate]:
    """Those that fit, in the order given (highest priority first).

    One that does not fit is passed over, and smaller ones behind it may go: a task that wants the
    whole pool waits until it is empty, without holding up the rest.
    """
    left = dict(free)
    admitted = []
    for candidate in candidates:
        if all(left.get(gate, 0) >= slots for gate, slots in candidate.needs.items()):
            for gate, slots in candidate.needs.items():
                left[gate] -= slots
            admitted.append(candidate)
    return admitted
