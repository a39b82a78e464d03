"""`from skytrail.sdk import Connection, Variable`: secrets, by name, in a task's code.

    shop = Connection.get("shop")
    client = httpx.Client(base_url=f"https://{shop.host}", auth=(shop.login, shop.password))
    region = Variable.get("region", default="north")

What is handed out is masked in the task's log from then on.
"""

from __future__ import annotations

import json
from typing import Any

from runs_app.at_work.here import here
from skytrail.errors import NotFound
from skytrail.security.secrets.values import ConnectionValue

_ABSENT: Any = object()


class Connection:
    """Connections, by name."""

    @staticmethod
    def get(conn_id: str) -> ConnectionValue:
        """The connection of this name, from the environment, a mounted file or the database.

        Raises `NotFound` where there is none, and `NotAtWork` where no task is executed.
        """
        return here("Connection.get()").secrets.connection(conn_id)


class Variable:
    """Variables, by name."""

    @staticmethod
    def get(key: str, default: Any = _ABSENT, *, deserialize_json: bool = False) -> Any:
        """The text of the variable of this name, or `default` where there is none.

        With `deserialize_json` what the text says as JSON. Raises `NotFound` where there is neither
        variable nor default, `ValueError` where it is no JSON, and `NotAtWork` where no task is
        executed.
        """
        secrets = here("Variable.get()").secrets
        try:
            text = secrets.variable(key).value
        except NotFound:
            if default is _ABSENT:
                raise
            return default
        return json.loads(text) if deserialize_json else text
