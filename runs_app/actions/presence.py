"""Whether the database has been there all along.

After an absence every lease looks lost: workers could not renew them either. Recovery then takes
nothing from anybody until each worker has had the time of a lease to report itself again. Everybody
who renews leases notes that the database was there; whoever comes first after a gap sees it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from skytrail.database.statement import Statement


@dataclass(frozen=True)
class _Noted:
    settling: float


# Gap and grace are reckoned by the database's clock, the one by which leases run out.
_NOTE = Statement(
    "note_presence",
    """
INSERT INTO skytrail_tick AS t (name, ran_at, memory)
VALUES ('presence', clock_timestamp(),
  jsonb_build_object('settled_at', clock_timestamp() + %(lease)s::float8 * interval '1 second'))
ON CONFLICT (name) DO UPDATE SET
  ran_at = clock_timestamp(),
  memory = CASE
    WHEN t.ran_at < clock_timestamp() - %(lease)s::float8 * interval '0.5 second'
    THEN excluded.memory ELSE t.memory END
RETURNING greatest(
  0, extract(epoch FROM (memory ->> 'settled_at')::timestamptz - clock_timestamp())
)::float8 AS settling
""",
    _Noted,
)


#: As a condition: leases are to be left alone. For statements that take them over.
UNSETTLED = """EXISTS (
      SELECT FROM skytrail_tick p WHERE p.name = 'presence' AND (
        p.ran_at < statement_timestamp() - %(lease)s::float8 * interval '0.5 second'
        OR (p.memory ->> 'settled_at')::timestamptz > statement_timestamp()
      )
    )"""


def note() -> float:
    """Notes that the database is there; for how many seconds leases are still to be left alone.

    Workers renew every sixth of a lease, so a gap of half a lease lets none run out unseen.
    """
    noted = _NOTE.one(lease=settings.SKYTRAIL_LEASE_SECONDS)
    assert noted is not None
    return noted.settling
