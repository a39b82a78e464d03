"""The database refuses what must never happen, whoever asks.

A state moves only along the table in `runs_app/domain/states.py` (as it stood when this was written;
a test compares the two), a final state of a task run is left only with a higher epoch, an epoch
never falls, and history is only ever added to, but for retention.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION skytrail_task_may_move(from_state text, to_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE from_state
    WHEN 'cancelled' THEN to_state IN ('waiting')
    WHEN 'cancelling' THEN to_state IN ('cancelled', 'restarting', 'success')
    WHEN 'deferred' THEN to_state IN ('cancelled', 'failed', 'queued', 'skipped', 'waiting')
    WHEN 'failed' THEN to_state IN ('waiting')
    WHEN 'queued' THEN to_state IN ('cancelled', 'running', 'waiting')
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

CREATE FUNCTION skytrail_run_may_move(from_state text, to_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE from_state
    WHEN 'cancelled' THEN to_state IN ('queued', 'running')
    WHEN 'cancelling' THEN to_state IN ('cancelled')
    WHEN 'failed' THEN to_state IN ('queued', 'running')
    WHEN 'queued' THEN to_state IN ('cancelled', 'running')
    WHEN 'running' THEN to_state IN ('cancelled', 'cancelling', 'failed', 'success')
    WHEN 'success' THEN to_state IN ('queued', 'running')
    ELSE false END
$$;

CREATE FUNCTION skytrail_guard_task_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.epoch < OLD.epoch THEN
    RAISE EXCEPTION 'the epoch of task run % may not fall from % to %', OLD.id, OLD.epoch, NEW.epoch
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.state <> OLD.state THEN
    IF NOT skytrail_task_may_move(OLD.state, NEW.state) THEN
      RAISE EXCEPTION 'task run % may not move from % to %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.finished_at IS NOT NULL AND NEW.epoch = OLD.epoch THEN
      RAISE EXCEPTION 'task run % may leave % only with a new epoch', OLD.id, OLD.state
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER guard BEFORE UPDATE ON skytrail_task_run FOR EACH ROW
  WHEN (NEW.state <> OLD.state OR NEW.epoch <> OLD.epoch)
  EXECUTE FUNCTION skytrail_guard_task_run();

CREATE FUNCTION skytrail_guard_dag_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT skytrail_run_may_move(OLD.state, NEW.state) THEN
    RAISE EXCEPTION 'run % may not move from % to %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER guard BEFORE UPDATE ON skytrail_dag_run FOR EACH ROW
  WHEN (NEW.state <> OLD.state)
  EXECUTE FUNCTION skytrail_guard_dag_run();

CREATE FUNCTION skytrail_guard_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('skytrail.retention', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'history is only added to'
    USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE ON skytrail_transition
  FOR EACH ROW EXECUTE FUNCTION skytrail_guard_history();
"""

DROP = """
DROP TRIGGER only_added_to ON skytrail_transition;
DROP FUNCTION skytrail_guard_history();
DROP TRIGGER guard ON skytrail_dag_run;
DROP FUNCTION skytrail_guard_dag_run();
DROP TRIGGER guard ON skytrail_task_run;
DROP FUNCTION skytrail_guard_task_run();
DROP FUNCTION skytrail_run_may_move(text, text);
DROP FUNCTION skytrail_task_may_move(text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("runs_app", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
