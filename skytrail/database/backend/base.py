"""The backend that the setting DATABASES names as its ENGINE."""

from __future__ import annotations

import time
from typing import Any

from django.db.backends.postgresql import base

from skytrail.database.backend import dbapi

#: What is left for a statement, at least, of the time that went by until there was a connection.
_AT_LEAST = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, over `BoundedConnection`.

    The option `answer_within` says how many seconds an answer may take; without, none is too many.
    """

    Database = dbapi

    @property
    def pool(self) -> Any:
        if options := self.settings_dict["OPTIONS"].get("pool"):
            options.setdefault("connection_class", dbapi.BoundedConnection)
        return super().pool

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection; from the pool, one that was alive when it was given out."""
        if self.pool is None:
            return super().get_new_connection(conn_params)
        began = time.monotonic()
        while True:
            connection = super().get_new_connection(conn_params)
            if not connection.has_ended():
                break
            connection.close()
            self.pool.putconn(connection)  # which makes another in its place
        if limit := conn_params.get("answer_within"):
            # Whoever waited for a connection has waited for the database.
            waited = time.monotonic() - began
            connection.answer_within = max(_AT_LEAST, limit - waited)
        return connection
