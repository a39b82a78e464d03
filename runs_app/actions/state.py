"""The state store: writing and forgetting what tasks keep for later runs.

Each write is one statement. One that a task makes holds the row of its task run for that moment: so
it comes before whoever overtakes it, or is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from runs_app.actions.transitions import sql_list
from runs_app.domain.executions import Execution
from runs_app.domain.state import Overtaken, Place, Write
from runs_app.domain.states import LEASED
from runs_app.models import StateEntry
from runs_app.models.state_entry import Owner
from skytrail.database.keys import new_key
from skytrail.database.statement import Statement
from skytrail.security import vault

#: Rows that one sweep's statement forgets at most.
BATCH = 1000

# Who writes: an execution that counts, whose row nobody moves meanwhile; or somebody at a door.
_BY_TRY = f"""
  SELECT t.dag_id, t.task_id::text AS task_id FROM skytrail_task_run t
  WHERE t.id = %(try)s::uuid AND t.epoch = %(epoch)s AND t.state IN {sql_list(LEASED)}
  FOR SHARE
"""
_BY_PERSON = "SELECT %(dag)s::uuid AS dag_id, %(task_id)s::text AS task_id"

#: A key's place in one text. `place_of` says the same.
_PLACE = """CASE %(scope)s::text
    WHEN 'task' THEN 'task:' || w.dag_id || ':' || w.task_id
    WHEN 'dag' THEN 'dag:' || w.dag_id
    ELSE 'asset:' || %(asset)s::text END"""

_NEW = """%(value)s::jsonb AS value, %(sealed)s::text AS sealed,
    nextval('skytrail_state_version') AS version, %(write)s::uuid AS write_key,
    clock_timestamp() + %(ttl)s::float8 * interval '1 second' AS expires_at,
    %(actor)s::text AS written_by, clock_timestamp() AS written_at"""
_COLUMNS = "value, sealed, version, write_key, expires_at, written_by, written_at"
_IS_OVER = "s.expires_at <= clock_timestamp()"


@dataclass(frozen=True)
class _Written:
    held: bool
    version: int | None


@dataclass(frozen=True)
class _Gone:
    held: bool
    gone: bool


def _set(name: str, who: str) -> Statement[_Written]:
    """Whatever is there; or only where nothing is, with `anew`."""
    return Statement(
        name,
        f"""
WITH who AS ({who}), written AS (
  INSERT INTO skytrail_state_entry AS s (place, scope, dag_id, task_id, asset, key, {_COLUMNS})
  SELECT {_PLACE}, %(scope)s,
    CASE WHEN %(scope)s::text <> 'asset' THEN w.dag_id END,
    CASE WHEN %(scope)s::text = 'task' THEN w.task_id ELSE '' END, %(asset)s, %(key)s, {_NEW}
  FROM who w
  ON CONFLICT (place, key) DO UPDATE SET ({_COLUMNS}) = (
    excluded.value, excluded.sealed, excluded.version, excluded.write_key, excluded.expires_at,
    excluded.written_by, excluded.written_at
  ) WHERE NOT %(anew)s OR {_IS_OVER} OR s.write_key = %(write)s::uuid
  RETURNING s.version
)
SELECT EXISTS (SELECT FROM who) AS held, (SELECT version FROM written) AS version
""",
        _Written,
    )


def _replace(name: str, who: str) -> Statement[_Written]:
    """Only where the expected version is there."""
    return Statement(
        name,
        f"""
WITH who AS ({who}), written AS (
  UPDATE skytrail_state_entry s SET ({_COLUMNS}) = (SELECT {_NEW}) FROM who w
  WHERE s.place = {_PLACE} AND s.key = %(key)s
    AND (s.version = %(expected)s::bigint OR s.write_key = %(write)s::uuid)
    AND NOT coalesce({_IS_OVER}, false)
  RETURNING s.version
)
SELECT EXISTS (SELECT FROM who) AS held, (SELECT version FROM written) AS version
""",
        _Written,
    )


def _delete(name: str, who: str) -> Statement[_Gone]:
    return Statement(
        name,
        f"""
WITH who AS ({who}), gone AS (
  DELETE FROM skytrail_state_entry s USING who w
  WHERE s.place = {_PLACE} AND s.key = %(key)s
    AND (%(expected)s::bigint IS NULL OR s.version = %(expected)s::bigint)
  RETURNING {_IS_OVER} AS is_over
)
SELECT EXISTS (SELECT FROM who) AS held,
  EXISTS (SELECT FROM gone WHERE NOT coalesce(is_over, false)) AS gone
""",
        _Gone,
    )


@dataclass(frozen=True)
class _Door:
    set: Statement[_Written]
    replace: Statement[_Written]
    delete: Statement[_Gone]


_TRYS, _PERSONS = (
    _Door(
        _set(f"state_set_by_{name}", who),
        _replace(f"state_replace_by_{name}", who),
        _delete(f"state_delete_by_{name}", who),
    )
    for name, who in (("try", _BY_TRY), ("person", _BY_PERSON))
)


def write_by_try(
    execution: Execution, place: Place, key: str, write: Write, *, write_key: UUID
) -> int | None:
    """Keeps what a task's code gives; its version, or None where it is not as expected.

    Raises `Overtaken`. Who asks again under the same `write_key` is answered as the first time.
    """
    who = {"try": execution.task_run_id, "epoch": execution.epoch}
    actor = f"task:{execution.dag_id}.{execution.task_id}"
    row = _write(_TRYS, place, key, write, write_key, actor, who)
    if not row.held:
        raise Overtaken(task_id=execution.task_id)
    return row.version


def delete_by_try(execution: Execution, place: Place, key: str, *, expected: int | None) -> bool:
    """Forgets a key; whether there was one. Raises `Overtaken`."""
    who = {"try": execution.task_run_id, "epoch": execution.epoch}
    row = _TRYS.delete.one(**who, **_key(place, key), expected=expected)
    assert row is not None
    if not row.held:
        raise Overtaken(task_id=execution.task_id)
    return row.gone


def write(owner: Owner, key: str, write: Write, *, actor: str) -> int | None:
    """Keeps what somebody gives by a door; its version, or None where it is not as expected."""
    return _write(_PERSONS, owner.place, key, write, new_key(), actor, _who(owner)).version


def delete(owner: Owner, key: str, *, expected: int | None = None) -> bool:
    """Forgets a key; whether there was one."""
    row = _PERSONS.delete.one(**_who(owner), **_key(owner.place, key), expected=expected)
    return row is not None and row.gone


def sweep() -> int:
    """Deletes what has expired; how much that was."""
    deleted = 0
    while True:
        over = StateEntry.objects.filter(expires_at__lte=Now()).order_by("expires_at")
        keys = list(over.values_list("pk", flat=True)[:BATCH])
        # Once more by its time: one may have been written anew meanwhile.
        StateEntry.objects.filter(pk__in=keys, expires_at__lte=Now()).delete()
        deleted += len(keys)
        if len(keys) < BATCH:
            return deleted


def _write(
    door: _Door,
    place: Place,
    key: str,
    write: Write,
    write_key: UUID,
    actor: str,
    who: dict[str, Any],
) -> _Written:
    text = json.dumps(write.value)
    parameters = {
        **who,
        **_key(place, key),
        "value": None if write.secret else text,
        "sealed": vault.seal(text) if write.secret else None,
        "ttl": write.ttl.total_seconds() if write.ttl else None,
        "write": write_key,
        "actor": actor,
    }
    if write.expected:
        row = door.replace.one(**parameters, expected=write.expected)
    else:
        row = door.set.one(**parameters, anew=write.expected == 0)
    assert row is not None
    return row


def _key(place: Place, key: str) -> dict[str, Any]:
    return {"scope": place.scope.value, "asset": place.asset, "key": key}


def _who(owner: Owner) -> dict[str, Any]:
    return {"dag": owner.dag.pk if owner.dag else None, "task_id": owner.task_id}
