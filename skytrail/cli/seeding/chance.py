"""Luck that can be had again: the same seed makes the same installation."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

Kind = TypeVar("Kind")


class Chance(random.Random):
    """A random number generator that also makes keys, and chooses by weight."""

    def key(self, at: int) -> str:
        """A UUIDv7 of the time `at` (microseconds since 1970), as 32 hexadecimal digits.

        What is made later sorts later, as with the keys that the database makes.
        """
        bits = self.getrandbits(74)
        tail = 0x8000_0000_0000_0000 | (bits & 0x3FFF_FFFF_FFFF_FFFF)
        return f"{at // 1000:012x}7{bits >> 62:03x}{tail:016x}"

    def happens(self, probability: float) -> bool:
        """Whether something that is so probable happens this time."""
        return self.random() < probability

    def weighed(self, weights: Mapping[Kind, float]) -> Kind:
        """One of the keys, as often as its weight says."""
        return self.choices(list(weights), list(weights.values()))[0]

    def some(self, things: Sequence[Kind], least: int, most: int) -> list[Kind]:
        """`least` to `most` different ones of `things`."""
        return self.sample(things, min(len(things), self.randint(least, most)))
