"""How long to wait for a database at the other end of a network."""

from __future__ import annotations

from typing import Any

#: Who neither answers nor acknowledges anything for so long is gone, in seconds: 10 + 3 × 5.
_IDLE, _INTERVAL, _COUNT = 10, 5, 3
_GONE_AFTER = _IDLE + _INTERVAL * _COUNT

#: How long connecting may take, in seconds.
_TO_CONNECT = 3


def waits(answer_within: float, given: dict[str, Any]) -> dict[str, Any]:
    """The database's OPTIONS, with an end to each wait. What is `given` (in DATABASE_URL) wins.

    `answer_within` is in seconds, 0 for no limit. With one, the server gives a statement up a
    little earlier than we give up the server: then the connection stays, and the outcome is known.

    The server is to look out for us as well: the locks of a process whose host has vanished would
    otherwise be held for as long as its own settings say, mostly two hours.
    """
    server = {
        "tcp_keepalives_idle": _IDLE,
        "tcp_keepalives_interval": _INTERVAL,
        "tcp_keepalives_count": _COUNT,
        "tcp_user_timeout": _GONE_AFTER * 1000,
    }
    if answer_within:
        server["statement_timeout"] = round(answer_within * 800)
        server["lock_timeout"] = round(answer_within * 600)
    options = [f"-c {name}={value}" for name, value in server.items()]
    return {
        "connect_timeout": _TO_CONNECT,
        "keepalives_idle": _IDLE,
        "keepalives_interval": _INTERVAL,
        "keepalives_count": _COUNT,
        "tcp_user_timeout": _GONE_AFTER * 1000,
        "answer_within": answer_within or None,
        **given,
        "options": " ".join([*options, given.get("options", "")]).strip(),
    }
