"""Which file of a folder a DAG comes from, and which DAGs come from none any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Who has what.

    `keeper` says for each DAG which file it comes from; `repeated` for each file which of its DAGs
    it does not get, for another file has them; `gone` are the DAGs that no file makes any more.
    """

    keeper: Mapping[str, str]
    repeated: Mapping[str, Mapping[str, str]]
    gone: frozenset[str]


def settle(*, owners: Mapping[str, str], claims: Mapping[str, Collection[str] | None]) -> Settled:
    """Settles who has what.

    `owners` says for each DAG from which file it came until now; `claims` for each file that is
    there which DAGs it makes, or None where it cannot be read: such a file keeps what it had.
    A file keeps its DAGs also where an earlier one makes one of the same name.
    """
    makers: dict[str, list[str]] = {}
    for file in sorted(claims):
        made = claims[file]
        for dag in made if made is not None else _had(owners, file):
            makers.setdefault(dag, []).append(file)
    keeper = {
        dag: owners[dag] if owners.get(dag) in files else files[0] for dag, files in makers.items()
    }
    repeated: dict[str, dict[str, str]] = {}
    for dag, files in makers.items():
        for file in files:
            if file != keeper[dag]:
                repeated.setdefault(file, {})[dag] = keeper[dag]
    return Settled(keeper=keeper, repeated=repeated, gone=frozenset(owners.keys() - makers.keys()))


def _had(owners: Mapping[str, str], file: str) -> list[str]:
    return [dag for dag, owner in owners.items() if owner == file]
