"""For whom an event is: part of each statement that writes events."""

#: For whom an event named `e` is: present DAGs that wait for its asset, are not held back, and are
#: within their dates.
DELIVERIES = """deliveries AS (
  INSERT INTO skytrail_asset_delivery (dag_id, event_id, is_new)
  SELECT d.id, e.id, true
  FROM events e
  JOIN skytrail_dag d ON d.waits_for @> ARRAY[e.asset]
  WHERE d.deleted_at IS NULL AND NOT d.paused
    AND coalesce(d.start_date <= clock_timestamp(), true)
    AND coalesce(d.end_date >= clock_timestamp(), true)
)"""
