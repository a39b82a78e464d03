"""Two more ways to fail: a task while it is queued for too long, a run whose time is up."""

from django.db import migrations

_TABLE = """
CREATE OR REPLACE FUNCTION skytrail_task_may_move(from_state text, to_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE from_state
    WHEN 'cancelled' THEN to_state IN ('waiting')
    WHEN 'cancelling' THEN to_state IN ('cancelled', 'restarting', 'success')
    WHEN 'deferred' THEN to_state IN ('cancelled', 'failed', 'queued', 'skipped', 'waiting')
    WHEN 'failed' THEN to_state IN ('waiting')
    WHEN 'queued' THEN to_state IN ({queued})
    WHEN 'removed' THEN to_state IN ('waiting')
    WHEN 'restarting' THEN to_state IN ('cancelling', 'waiting')
    WHEN 'running' THEN to_state IN ('cancelling', 'deferred', 'failed', 'queued', 'restarting', 'skipped', 'success', 'up_for_reschedule', 'up_for_retry')
    WHEN 'skipped' THEN to_state IN ('waiting')
    WHEN 'success' THEN to_state IN ('waiting')
    WHEN 'up_for_reschedule' THEN to_state IN ('cancelled', 'queued', 'waiting')
    WHEN 'up_for_retry' THEN to_state IN ('cancelled', 'queued', 'waiting')
    WHEN 'upstream_failed' THEN to_state IN ('waiting')
    WHEN 'waiting' THEN to_state IN ('cancelled', 'queued', 'removed', 'running', 'skipped', 'upstream_failed')
    ELSE false END
$$;

CREATE OR REPLACE FUNCTION skytrail_run_may_move(from_state text, to_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE from_state
    WHEN 'cancelled' THEN to_state IN ('queued', 'running')
    WHEN 'cancelling' THEN to_state IN ({cancelling})
    WHEN 'failed' THEN to_state IN ('queued', 'running')
    WHEN 'queued' THEN to_state IN ('cancelled', 'running')
    WHEN 'running' THEN to_state IN ('cancelled', 'cancelling', 'failed', 'success')
    WHEN 'success' THEN to_state IN ('queued', 'running')
    ELSE false END
$$;
"""

BEFORE = _TABLE.format(queued="'cancelled', 'running', 'waiting'", cancelling="'cancelled'")
AFTER = _TABLE.format(
    queued="'cancelled', 'failed', 'running', 'up_for_retry', 'waiting'",
    cancelling="'cancelled', 'failed'",
)


class Migration(migrations.Migration):
    dependencies = [("runs_app", "0003_timers")]
    operations = [migrations.RunSQL(AFTER, BEFORE)]
