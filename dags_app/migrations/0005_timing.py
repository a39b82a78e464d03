"""A schedule is one JSON document, of any kind; what overlaps and how late it may be made up for."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

MOVE = """
UPDATE skytrail_dag SET
  schedule = CASE
    WHEN cron IS NOT NULL THEN jsonb_build_object('cron', cron)
    WHEN interval_seconds IS NOT NULL
      THEN jsonb_build_object('interval_seconds', interval_seconds) END,
  schedule_since = created_at
"""

# What had no column of its own is lost on the way back; it stands in the version.
MOVE_BACK = """
UPDATE skytrail_dag SET
  cron = CASE WHEN jsonb_typeof(schedule -> 'cron') = 'string' THEN schedule ->> 'cron' END,
  interval_seconds = (schedule ->> 'interval_seconds')::int
"""


class Migration(migrations.Migration):

    dependencies = [
        ('dags_app', '0004_shapes'),
    ]

    operations = [
        migrations.AddField(
            model_name='dag',
            name='schedule',
            field=models.JSONField(blank=True, help_text='When it runs by itself, in the canonical form.', null=True),
        ),
        migrations.AddField(
            model_name='dag',
            name='schedule_since',
            field=models.DateTimeField(editable=False, help_text='Since when it has had this schedule.', null=True),
        ),
        migrations.RunSQL(MOVE, MOVE_BACK),
        migrations.RemoveConstraint(
            model_name='dag',
            name='dag_has_one_schedule',
        ),
        migrations.RemoveField(
            model_name='dag',
            name='cron',
        ),
        migrations.RemoveField(
            model_name='dag',
            name='interval_seconds',
        ),
        migrations.AddField(
            model_name='dag',
            name='waits_for',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=250), blank=True, default=list, editable=False, help_text='The assets that its schedule names.', size=None),
        ),
        migrations.AddIndex(
            model_name='dag',
            index=django.contrib.postgres.indexes.GinIndex(fields=['waits_for'], name='dag_waits_for'),
        ),
        migrations.AddField(
            model_name='dag',
            name='catchup_window_seconds',
            field=models.PositiveIntegerField(blank=True, help_text='What was missed longer ago is not made up for.', null=True),
        ),
        migrations.AddField(
            model_name='dag',
            name='overlap_policy',
            field=models.CharField(choices=[('allow', 'allow'), ('skip', 'skip'), ('buffer_one', 'buffer_one'), ('buffer_all', 'buffer_all'), ('cancel_other', 'cancel_other')], default='allow', max_length=20),
        ),
        migrations.AddField(
            model_name='dag',
            name='runs_at_once',
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(overlap_policy__in=['buffer_all', 'buffer_one', 'cancel_other'], then=models.Value(1)),
                    default=models.F('max_active_runs'),
                    output_field=models.PositiveIntegerField(),
                ),
                help_text='How many of its runs may be running at once, all considered.',
                output_field=models.PositiveIntegerField(),
            ),
        ),
    ]
