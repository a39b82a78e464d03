"""Who asks, as far as deciding needs to know."""

from __future__ import annotations

from typing import Protocol


class Subject(Protocol):
    """Has permissions: Django's users, anonymous ones too, and the operator."""

    def has_perm(self, perm: str) -> bool:
        """Whether it has a permission, like `dags_app.run_dag`."""


class Operator:
    """Whoever can read the database's password, and so may do everything anyway."""

    def has_perm(self, perm: str) -> bool:
        return True
