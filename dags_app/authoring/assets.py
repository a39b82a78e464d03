"""Assets: data that tasks bring up to date, and whose change starts DAGs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AssetAll:
    """All of these assets: a DAG with this schedule runs when each has changed."""

    assets: tuple[Asset, ...]

    def __and__(self, other: Asset | AssetAll) -> AssetAll:
        return AssetAll(self.assets + _assets(other))


@dataclass(frozen=True, slots=True)
class AssetAny:
    """Any of these assets: a DAG with this schedule runs when one of them has changed."""

    assets: tuple[Asset, ...]

    def __or__(self, other: Asset | AssetAny) -> AssetAny:
        return AssetAny(self.assets + _assets(other))


@dataclass(frozen=True, slots=True)
class Asset:
    """Data with a name: `outlets=[Asset("orders")]`, and elsewhere `schedule=Asset("orders")`."""

    name: str

    def __and__(self, other: Asset | AssetAll) -> AssetAll:
        return AssetAll((self, *_assets(other)))

    def __or__(self, other: Asset | AssetAny) -> AssetAny:
        return AssetAny((self, *_assets(other)))


def _assets(value: Asset | AssetAll | AssetAny) -> tuple[Asset, ...]:
    return (value,) if isinstance(value, Asset) else value.assets
