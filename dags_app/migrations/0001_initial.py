import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import skytrail.database.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("skytrail_database", "0001_uuid7"),
    ]

    operations = [
        migrations.CreateModel(
            name='Command',
            fields=[
                ('digest', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('canonical', models.TextField()),
            ],
            options={
                'db_table': 'skytrail_command',
            },
        ),
        migrations.CreateModel(
            name='Dag',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('dag_id', models.CharField(max_length=250, verbose_name='name')),
                ('description', models.TextField(blank=True, default='')),
                ('owner', models.CharField(blank=True, default='', max_length=250)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None)),
                ('paused', models.BooleanField(default=False, help_text='Its schedule is held back; runs can still be triggered.')),
                ('cron', models.CharField(blank=True, help_text='Five fields (minute hour day month weekday) or a preset such as @daily.', max_length=128, null=True)),
                ('interval_seconds', models.PositiveIntegerField(blank=True, help_text='Instead of cron: so many seconds from run to run.', null=True)),
                ('timezone', models.CharField(default='UTC', max_length=100, verbose_name='time zone')),
                ('start_date', models.DateTimeField(blank=True, null=True)),
                ('end_date', models.DateTimeField(blank=True, null=True)),
                ('catchup', models.BooleanField(default=False, help_text='Make up for every missed tick, not only for the latest.')),
                ('max_active_runs', models.PositiveIntegerField(default=16)),
                ('max_active_tasks', models.PositiveIntegerField(blank=True, null=True)),
                ('params', models.JSONField(blank=True, default=dict, help_text='For each parameter a JSON Schema, with its default.')),
                ('next_run_at', models.DateTimeField(editable=False, help_text='The next tick of its schedule that has no run yet.', null=True)),
                ('last_logical_date', models.DateTimeField(editable=False, help_text='The last tick of its schedule that has a run.', null=True)),
                ('source', models.CharField(choices=[('api', 'REST API'), ('admin', 'admin'), ('file', 'file')], default='api', editable=False, max_length=10)),
                ('created_at', skytrail.database.fields.CreatedAtField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('deleted_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'DAG',
                'verbose_name_plural': 'DAGs',
                'db_table': 'skytrail_dag',
                'permissions': [('run_dag', 'Can trigger, cancel and clear runs of a DAG')],
            },
        ),
        migrations.CreateModel(
            name='DagVersion',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('format', models.PositiveIntegerField()),
                ('spec', models.JSONField(help_text='The canonical form.')),
                ('checksum', models.CharField(help_text='SHA-256 of the canonical form.', max_length=64)),
                ('author', models.CharField(blank=True, default='', max_length=250)),
                ('source', models.CharField(choices=[('api', 'REST API'), ('admin', 'admin'), ('file', 'file')], max_length=10)),
                ('commit', models.CharField(blank=True, default='', max_length=100)),
                ('effective_from', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_at', skytrail.database.fields.CreatedAtField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('dag', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='dags_app.dag')),
            ],
            options={
                'verbose_name': 'DAG version',
                'db_table': 'skytrail_dag_version',
                'ordering': ['-number'],
            },
        ),
        migrations.AddField(
            model_name='dag',
            name='version',
            field=models.ForeignKey(editable=False, help_text='The version that new runs use.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dags_app.dagversion'),
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('trigger_rule', models.CharField(choices=[('all_success', 'all_success'), ('all_failed', 'all_failed'), ('all_done', 'all_done'), ('all_done_min_one_success', 'all_done_min_one_success'), ('all_done_setup_success', 'all_done_setup_success'), ('one_success', 'one_success'), ('one_failed', 'one_failed'), ('one_done', 'one_done'), ('none_failed', 'none_failed'), ('none_failed_min_one_success', 'none_failed_min_one_success'), ('none_skipped', 'none_skipped'), ('all_skipped', 'all_skipped'), ('always', 'always')], default='all_success', max_length=50)),
                ('retries', models.PositiveIntegerField(default=0)),
                ('retry_delay_seconds', models.FloatField(default=300.0)),
                ('retry_exponential_backoff', models.FloatField(default=0.0, help_text='The factor by which the delay grows; 0 or 1 keeps it constant.')),
                ('max_retry_delay_seconds', models.FloatField(default=86400.0)),
                ('timeout_seconds', models.FloatField(blank=True, null=True)),
                ('priority', models.IntegerField(default=0)),
                ('queue', models.CharField(default='default', max_length=250)),
                ('pool', models.CharField(blank=True, max_length=250, null=True)),
                ('pool_slots', models.PositiveIntegerField(default=1)),
                ('rerun_on_worker_loss', models.BooleanField(default=True)),
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('task_id', models.CharField(max_length=250, verbose_name='id')),
                ('description', models.CharField(blank=True, default='', max_length=2000)),
                ('type', models.CharField(choices=[('empty', 'empty'), ('bash', 'bash'), ('python', 'python'), ('celery', 'celery'), ('http', 'http'), ('branch', 'branch')], default='empty', max_length=50)),
                ('parameters', models.JSONField(blank=True, default=dict, help_text='What its type needs, like {"command": "make report"}.')),
                ('position', models.PositiveIntegerField(default=0, editable=False, help_text='Its place in the order in which it was written.')),
                ('dag', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='dags_app.dag')),
            ],
            options={
                'db_table': 'skytrail_task',
                'ordering': ['position', 'task_id'],
            },
        ),
        migrations.CreateModel(
            name='TaskDependency',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('task', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='dependencies', to='dags_app.task')),
                ('upstream', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dependents', to='dags_app.task')),
            ],
            options={
                'verbose_name_plural': 'task dependencies',
                'db_table': 'skytrail_task_dependency',
            },
        ),
        migrations.CreateModel(
            name='VersionTask',
            fields=[
                ('trigger_rule', models.CharField(choices=[('all_success', 'all_success'), ('all_failed', 'all_failed'), ('all_done', 'all_done'), ('all_done_min_one_success', 'all_done_min_one_success'), ('all_done_setup_success', 'all_done_setup_success'), ('one_success', 'one_success'), ('one_failed', 'one_failed'), ('one_done', 'one_done'), ('none_failed', 'none_failed'), ('none_failed_min_one_success', 'none_failed_min_one_success'), ('none_skipped', 'none_skipped'), ('all_skipped', 'all_skipped'), ('always', 'always')], default='all_success', max_length=50)),
                ('retries', models.PositiveIntegerField(default=0)),
                ('retry_delay_seconds', models.FloatField(default=300.0)),
                ('retry_exponential_backoff', models.FloatField(default=0.0, help_text='The factor by which the delay grows; 0 or 1 keeps it constant.')),
                ('max_retry_delay_seconds', models.FloatField(default=86400.0)),
                ('timeout_seconds', models.FloatField(blank=True, null=True)),
                ('priority', models.IntegerField(default=0)),
                ('queue', models.CharField(default='default', max_length=250)),
                ('pool', models.CharField(blank=True, max_length=250, null=True)),
                ('pool_slots', models.PositiveIntegerField(default=1)),
                ('rerun_on_worker_loss', models.BooleanField(default=True)),
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('task_id', models.CharField(max_length=250)),
                ('type', models.CharField(choices=[('empty', 'empty'), ('bash', 'bash'), ('python', 'python'), ('celery', 'celery'), ('http', 'http'), ('branch', 'branch')], max_length=50)),
                ('upstream', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('is_gated', models.BooleanField(help_text="It needs a slot: of a pool, or of the DAG's max_active_tasks.")),
                ('command', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dags_app.command')),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='dags_app.dagversion')),
            ],
            options={
                'db_table': 'skytrail_version_task',
                'ordering': ['position'],
            },
        ),
        migrations.AddConstraint(
            model_name='dagversion',
            constraint=models.UniqueConstraint(fields=('dag', 'number'), name='one_version_per_number'),
        ),
        migrations.AddIndex(
            model_name='dag',
            index=models.Index(condition=models.Q(('deleted_at', None), ('next_run_at__isnull', False), ('paused', False)), fields=['next_run_at'], name='dag_due'),
        ),
        migrations.AddIndex(
            model_name='dag',
            index=django.contrib.postgres.indexes.GinIndex(fields=['tags'], name='dag_tags'),
        ),
        migrations.AddConstraint(
            model_name='dag',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('dag_id',), name='one_dag_per_name'),
        ),
        migrations.AddConstraint(
            model_name='dag',
            constraint=models.CheckConstraint(condition=models.Q(('cron', None), ('interval_seconds', None), _connector='OR'), name='dag_has_one_schedule'),
        ),
        migrations.AddConstraint(
            model_name='dag',
            constraint=models.CheckConstraint(condition=models.Q(('max_active_runs__gte', 1)), name='dag_max_active_runs_positive'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(fields=('dag', 'task_id'), name='one_task_per_id'),
        ),
        migrations.AddConstraint(
            model_name='taskdependency',
            constraint=models.UniqueConstraint(fields=('task', 'upstream'), name='one_edge_per_pair'),
        ),
        migrations.AddConstraint(
            model_name='taskdependency',
            constraint=models.CheckConstraint(condition=models.Q(('task', models.F('upstream')), _negated=True), name='no_edge_to_itself'),
        ),
        migrations.AddConstraint(
            model_name='versiontask',
            constraint=models.UniqueConstraint(fields=('version', 'position'), name='one_task_per_position'),
        ),
    ]
