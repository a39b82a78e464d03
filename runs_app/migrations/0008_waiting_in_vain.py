"""One more way to fail: a task that waits for what cannot come."""

from django.db import migrations

_TABLE = """
CREATE OR REPLACE FUNCTION skytrail_task_may_move(from_state text, to_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE from_state
    WHEN 'cancelled' THEN to_state IN ('waiting')
    WHEN 'cancelling' THEN to_state IN ('cancelled', 'restarting', 'success')
    WHEN 'deferred' THEN to_state IN ('cancelled', 'failed', 'queued', 'skipped', 'waiting')
    WHEN 'failed' THEN to_state IN ('waiting')
    WHEN 'queued' THEN to_state IN ('cancelled', 'failed', 'running', 'up_for_retry', 'waiting')
    WHEN 'removed' THEN to_state IN ('waiting')
    WHEN 'restarting' THEN to_state IN ('cancelling', 'waiting')
    WHEN 'running' THEN to_state IN ('cancelling', 'deferred', 'failed', 'queued', 'restarting', 'skipped', 'success', 'up_for_reschedule', 'up_for_retry')
    WHEN 'skipped' THEN to_state IN ('waiting')
    WHEN 'success' THEN to_state IN ('waiting')
    WHEN 'up_for_reschedule' THEN to_state IN ('cancelled', 'queued', 'waiting')
    WHEN 'up_for_retry' THEN to_state IN ('cancelled', 'queued', 'waiting')
    WHEN 'upstream_failed' THEN to_state IN ('waiting')
    WHEN 'waiting' THEN to_state IN ({waiting})
    ELSE false END
$$;
"""

_MOVES = "'cancelled', {failed}'queued', 'removed', 'running', 'skipped', 'upstream_failed'"
BEFORE = _TABLE.format(waiting=_MOVES.format(failed=""))
AFTER = _TABLE.format(waiting=_MOVES.format(failed="'failed', "))


class Migration(migrations.Migration):
    dependencies = [("runs_app", "0007_map_length")]
    operations = [migrations.RunSQL(AFTER, BEFORE)]
