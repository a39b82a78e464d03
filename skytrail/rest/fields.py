"""Serializers that leave out what there is not."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers


class Sparse(serializers.Serializer[Any]):
    """Leaves the fields named in `sparse` out of the answer while they are null."""

    sparse: ClassVar[tuple[str, ...]] = ("finished_at",)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {
            name: value
            for name, value in shown.items()
            if value is not None or name not in self.sparse
        }
