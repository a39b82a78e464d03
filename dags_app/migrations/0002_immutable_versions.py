"""Versions and commands are never changed: the database sees to it."""

from django.db import migrations

CREATE = """
CREATE FUNCTION skytrail_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER never_changed BEFORE UPDATE ON skytrail_dag_version
  FOR EACH ROW EXECUTE FUNCTION skytrail_refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE ON skytrail_version_task
  FOR EACH ROW EXECUTE FUNCTION skytrail_refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE ON skytrail_command
  FOR EACH ROW EXECUTE FUNCTION skytrail_refuse_change();
"""

DROP = """
DROP TRIGGER never_changed ON skytrail_dag_version;
DROP TRIGGER never_changed ON skytrail_version_task;
DROP TRIGGER never_changed ON skytrail_command;
DROP FUNCTION skytrail_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("dags_app", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
