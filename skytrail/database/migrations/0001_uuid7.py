"""`skytrail_uuid7()`: a UUID of version 7 (RFC 9562 §5.7) from the database's own clock.

PostgreSQL has `uuidv7()` from version 18 on; Skytrail runs on 14 and later.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION skytrail_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  -- A random version 4 UUID whose first 48 bits become the time in milliseconds and whose
  -- version nibble goes from 4 to 7 (bits 52 and 53 set).
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
              PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
              FROM 1 FOR 6),
      52, 1), 53, 1),
    'hex')::uuid
$$;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION skytrail_uuid7();")]
