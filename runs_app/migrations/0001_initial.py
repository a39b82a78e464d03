import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import runs_app.domain.states
import skytrail.database.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("skytrail_database", "0001_uuid7"),
        ('dags_app', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pool',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=250, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9_.-]+$', 'Use letters, digits and the characters _ . - only.')])),
                ('slots', models.PositiveIntegerField(help_text='0 holds back every task of the pool.')),
                ('description', models.TextField(blank=True, default='')),
                ('created_at', skytrail.database.fields.CreatedAtField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'db_table': 'skytrail_pool',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Tick',
            fields=[
                ('name', models.CharField(max_length=50, primary_key=True, serialize=False)),
                ('ran_at', models.DateTimeField()),
                ('memory', models.JSONField(default=dict)),
            ],
            options={
                'db_table': 'skytrail_tick',
            },
        ),
        migrations.CreateModel(
            name='Worker',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=250, unique=True)),
                ('hostname', models.CharField(max_length=250)),
                ('pid', models.PositiveIntegerField()),
                ('queues', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=250), default=list, size=None)),
                ('concurrency', models.PositiveIntegerField()),
                ('started_at', skytrail.database.fields.CreatedAtField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_heartbeat', models.DateTimeField()),
                ('stopped_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'skytrail_worker',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='DagRun',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('run_id', models.CharField(max_length=250)),
                ('run_type', models.CharField(choices=[('scheduled', 'Scheduled'), ('manual', 'Manual'), ('backfill', 'Backfill')], max_length=20)),
                ('triggered_by', models.CharField(blank=True, default='', max_length=250)),
                ('state', models.CharField(choices=[(runs_app.domain.states.RunState['QUEUED'], runs_app.domain.states.RunState['QUEUED']), (runs_app.domain.states.RunState['RUNNING'], runs_app.domain.states.RunState['RUNNING']), (runs_app.domain.states.RunState['CANCELLING'], runs_app.domain.states.RunState['CANCELLING']), (runs_app.domain.states.RunState['SUCCESS'], runs_app.domain.states.RunState['SUCCESS']), (runs_app.domain.states.RunState['FAILED'], runs_app.domain.states.RunState['FAILED']), (runs_app.domain.states.RunState['CANCELLED'], runs_app.domain.states.RunState['CANCELLED'])], max_length=20)),
                ('logical_date', models.DateTimeField(null=True)),
                ('data_interval_start', models.DateTimeField(null=True)),
                ('data_interval_end', models.DateTimeField(null=True)),
                ('conf', models.JSONField(default=dict)),
                ('idempotency_key', models.CharField(max_length=250, null=True)),
                ('queued_at', skytrail.database.fields.CreatedAtField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('planned_at', models.DateTimeField(help_text='When its whole graph was last planned; recovery looks at the oldest.', null=True)),
                ('replan_wanted', models.BooleanField(default=False, help_text='A task did not succeed, and the dispatcher has been told.')),
                ('degraded', models.BooleanField(default=False, help_text="Recovery has touched it: from then on every task's end calls the dispatcher.")),
                ('dag', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='dags_app.dag')),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dags_app.dagversion')),
            ],
            options={
                'verbose_name': 'DAG run',
                'db_table': 'skytrail_dag_run',
            },
        ),
        migrations.CreateModel(
            name='TaskRun',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('task_id', models.CharField(max_length=250)),
                ('position', models.IntegerField(help_text="The task's place in the version.")),
                ('map_index', models.IntegerField(default=-1)),
                ('state', models.CharField(choices=[(runs_app.domain.states.TaskState['WAITING'], runs_app.domain.states.TaskState['WAITING']), (runs_app.domain.states.TaskState['QUEUED'], runs_app.domain.states.TaskState['QUEUED']), (runs_app.domain.states.TaskState['RUNNING'], runs_app.domain.states.TaskState['RUNNING']), (runs_app.domain.states.TaskState['UP_FOR_RETRY'], runs_app.domain.states.TaskState['UP_FOR_RETRY']), (runs_app.domain.states.TaskState['UP_FOR_RESCHEDULE'], runs_app.domain.states.TaskState['UP_FOR_RESCHEDULE']), (runs_app.domain.states.TaskState['DEFERRED'], runs_app.domain.states.TaskState['DEFERRED']), (runs_app.domain.states.TaskState['CANCELLING'], runs_app.domain.states.TaskState['CANCELLING']), (runs_app.domain.states.TaskState['RESTARTING'], runs_app.domain.states.TaskState['RESTARTING']), (runs_app.domain.states.TaskState['SUCCESS'], runs_app.domain.states.TaskState['SUCCESS']), (runs_app.domain.states.TaskState['FAILED'], runs_app.domain.states.TaskState['FAILED']), (runs_app.domain.states.TaskState['SKIPPED'], runs_app.domain.states.TaskState['SKIPPED']), (runs_app.domain.states.TaskState['UPSTREAM_FAILED'], runs_app.domain.states.TaskState['UPSTREAM_FAILED']), (runs_app.domain.states.TaskState['CANCELLED'], runs_app.domain.states.TaskState['CANCELLED']), (runs_app.domain.states.TaskState['REMOVED'], runs_app.domain.states.TaskState['REMOVED'])], max_length=20)),
                ('attempt', models.PositiveIntegerField(default=0, help_text='Which try this is, from 1; losing a worker does not count.')),
                ('max_attempts', models.PositiveIntegerField(default=1)),
                ('epoch', models.PositiveIntegerField(default=0, help_text='The fencing token: raised by every new execution, recovery and clear.')),
                ('lost_count', models.PositiveIntegerField(default=0)),
                ('chosen', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=250), help_text='The tasks that a branch went on with.', null=True, size=None)),
                ('queue', models.CharField(max_length=250)),
                ('pool', models.CharField(max_length=250, null=True)),
                ('pool_slots', models.PositiveIntegerField(default=1)),
                ('is_gated', models.BooleanField(default=False, help_text="It needs a slot: of a pool, or of its DAG's max_active_tasks.")),
                ('priority', models.IntegerField(default=0)),
                ('worker', models.CharField(blank=True, default='', max_length=250)),
                ('ready_at', models.DateTimeField(help_text='Since when only a free slot is missing (gated tasks).', null=True)),
                ('queued_at', models.DateTimeField(null=True)),
                ('published_at', models.DateTimeField(null=True)),
                ('publish_count', models.PositiveIntegerField(default=0)),
                ('wake_at', models.DateTimeField(null=True)),
                ('lease_expires_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('dag', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dags_app.dag')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='task_runs', to='runs_app.dagrun')),
                ('version_task', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dags_app.versiontask')),
            ],
            options={
                'db_table': 'skytrail_task_run',
            },
        ),
        migrations.CreateModel(
            name='Output',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('epoch', models.PositiveIntegerField(help_text='The execution it is from.')),
                ('name', models.CharField(default='return_value', max_length=250)),
                ('value', models.JSONField()),
                ('created_at', skytrail.database.fields.CreatedAtField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('task_run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='outputs', to='runs_app.taskrun')),
            ],
            options={
                'db_table': 'skytrail_output',
            },
        ),
        migrations.CreateModel(
            name='LogChunk',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('epoch', models.PositiveIntegerField(help_text='The execution it is from.')),
                ('sequence', models.PositiveIntegerField()),
                ('text', models.TextField()),
                ('written_at', skytrail.database.fields.CreatedAtField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('task_run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='log_chunks', to='runs_app.taskrun')),
            ],
            options={
                'db_table': 'skytrail_log_chunk',
                'ordering': ['epoch', 'sequence'],
            },
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('epoch', models.PositiveIntegerField()),
                ('number', models.PositiveIntegerField(help_text='Which try it was, from 1.')),
                ('worker', models.CharField(max_length=250)),
                ('state', models.CharField(choices=[(runs_app.domain.states.TaskState['WAITING'], runs_app.domain.states.TaskState['WAITING']), (runs_app.domain.states.TaskState['QUEUED'], runs_app.domain.states.TaskState['QUEUED']), (runs_app.domain.states.TaskState['RUNNING'], runs_app.domain.states.TaskState['RUNNING']), (runs_app.domain.states.TaskState['UP_FOR_RETRY'], runs_app.domain.states.TaskState['UP_FOR_RETRY']), (runs_app.domain.states.TaskState['UP_FOR_RESCHEDULE'], runs_app.domain.states.TaskState['UP_FOR_RESCHEDULE']), (runs_app.domain.states.TaskState['DEFERRED'], runs_app.domain.states.TaskState['DEFERRED']), (runs_app.domain.states.TaskState['CANCELLING'], runs_app.domain.states.TaskState['CANCELLING']), (runs_app.domain.states.TaskState['RESTARTING'], runs_app.domain.states.TaskState['RESTARTING']), (runs_app.domain.states.TaskState['SUCCESS'], runs_app.domain.states.TaskState['SUCCESS']), (runs_app.domain.states.TaskState['FAILED'], runs_app.domain.states.TaskState['FAILED']), (runs_app.domain.states.TaskState['SKIPPED'], runs_app.domain.states.TaskState['SKIPPED']), (runs_app.domain.states.TaskState['UPSTREAM_FAILED'], runs_app.domain.states.TaskState['UPSTREAM_FAILED']), (runs_app.domain.states.TaskState['CANCELLED'], runs_app.domain.states.TaskState['CANCELLED']), (runs_app.domain.states.TaskState['REMOVED'], runs_app.domain.states.TaskState['REMOVED'])], help_text='How the execution ended; running while it has not.', max_length=20)),
                ('reason', models.CharField(blank=True, default='', max_length=50)),
                ('message', models.TextField(blank=True, default='')),
                ('exit_code', models.IntegerField(null=True)),
                ('started_at', skytrail.database.fields.CreatedAtField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('finished_at', models.DateTimeField(null=True)),
                ('task_run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='runs_app.taskrun')),
            ],
            options={
                'db_table': 'skytrail_attempt',
                'ordering': ['epoch'],
            },
        ),
        migrations.CreateModel(
            name='Transition',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('from_state', models.CharField(blank=True, max_length=20)),
                ('to_state', models.CharField(max_length=20)),
                ('epoch', models.PositiveIntegerField(default=0)),
                ('reason', models.CharField(max_length=250)),
                ('actor', models.CharField(max_length=250)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='transitions', to='runs_app.dagrun')),
                ('task_run', models.ForeignKey(db_constraint=False, db_index=False, help_text='Null for a move of the run itself.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='transitions', to='runs_app.taskrun')),
            ],
            options={
                'db_table': 'skytrail_transition',
                'ordering': ['at', 'id'],
            },
        ),
        migrations.AddIndex(
            model_name='dagrun',
            index=models.Index(fields=['-queued_at', '-id'], name='run_newest'),
        ),
        migrations.AddIndex(
            model_name='dagrun',
            index=models.Index(fields=['dag', '-queued_at', '-id'], name='run_newest_of_dag'),
        ),
        migrations.AddIndex(
            model_name='dagrun',
            index=models.Index(condition=models.Q(('state__in', ['queued', runs_app.domain.states.RunState['CANCELLING'], runs_app.domain.states.RunState['RUNNING']])), fields=['dag', 'state', 'queued_at'], name='run_unfinished'),
        ),
        migrations.AddIndex(
            model_name='dagrun',
            index=models.Index(condition=models.Q(('state__in', [runs_app.domain.states.RunState['CANCELLING'], runs_app.domain.states.RunState['RUNNING']])), fields=['planned_at'], name='run_least_recently_planned'),
        ),
        migrations.AddConstraint(
            model_name='dagrun',
            constraint=models.UniqueConstraint(fields=('dag', 'run_id'), name='one_run_per_run_id'),
        ),
        migrations.AddConstraint(
            model_name='dagrun',
            constraint=models.UniqueConstraint(condition=models.Q(('run_type__in', ['scheduled', 'backfill'])), fields=('dag', 'logical_date'), name='one_run_per_logical_date'),
        ),
        migrations.AddConstraint(
            model_name='dagrun',
            constraint=models.UniqueConstraint(condition=models.Q(('idempotency_key__isnull', False)), fields=('dag', 'idempotency_key'), name='one_run_per_idempotency_key'),
        ),
        migrations.AddConstraint(
            model_name='dagrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', [runs_app.domain.states.RunState['CANCELLED'], runs_app.domain.states.RunState['FAILED'], runs_app.domain.states.RunState['SUCCESS']])), models.Q(models.Q(('state__in', [runs_app.domain.states.RunState['CANCELLED'], runs_app.domain.states.RunState['FAILED'], runs_app.domain.states.RunState['SUCCESS']]), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='run_finished_iff_final'),
        ),
        migrations.AddIndex(
            model_name='taskrun',
            index=models.Index(condition=models.Q(('state', runs_app.domain.states.TaskState['QUEUED'])), fields=['queue', 'published_at'], name='task_run_queued'),
        ),
        migrations.AddIndex(
            model_name='taskrun',
            index=models.Index(condition=models.Q(('state__in', [runs_app.domain.states.TaskState['CANCELLING'], runs_app.domain.states.TaskState['RESTARTING'], runs_app.domain.states.TaskState['RUNNING']])), fields=['lease_expires_at'], name='task_run_leased'),
        ),
        migrations.AddIndex(
            model_name='taskrun',
            index=models.Index(condition=models.Q(('state__in', [runs_app.domain.states.TaskState['DEFERRED'], runs_app.domain.states.TaskState['UP_FOR_RESCHEDULE'], runs_app.domain.states.TaskState['UP_FOR_RETRY']])), fields=['wake_at'], name='task_run_sleeping'),
        ),
        migrations.AddIndex(
            model_name='taskrun',
            index=models.Index(condition=models.Q(('is_gated', True), models.Q(('state__in', [runs_app.domain.states.TaskState['CANCELLING'], runs_app.domain.states.TaskState['QUEUED'], runs_app.domain.states.TaskState['RESTARTING'], runs_app.domain.states.TaskState['RUNNING']]), models.Q(('ready_at__isnull', False), ('state', runs_app.domain.states.TaskState['WAITING'])), _connector='OR')), fields=['pool', 'dag'], name='task_run_gated'),
        ),
        migrations.AddConstraint(
            model_name='taskrun',
            constraint=models.UniqueConstraint(fields=('run', 'position', 'map_index'), name='one_task_run_per_place'),
        ),
        migrations.AddConstraint(
            model_name='taskrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', [runs_app.domain.states.TaskState['CANCELLED'], runs_app.domain.states.TaskState['FAILED'], runs_app.domain.states.TaskState['REMOVED'], runs_app.domain.states.TaskState['SKIPPED'], runs_app.domain.states.TaskState['SUCCESS'], runs_app.domain.states.TaskState['UPSTREAM_FAILED']])), models.Q(models.Q(('state__in', [runs_app.domain.states.TaskState['CANCELLED'], runs_app.domain.states.TaskState['FAILED'], runs_app.domain.states.TaskState['REMOVED'], runs_app.domain.states.TaskState['SKIPPED'], runs_app.domain.states.TaskState['SUCCESS'], runs_app.domain.states.TaskState['UPSTREAM_FAILED']]), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='task_run_finished_iff_final'),
        ),
        migrations.AddConstraint(
            model_name='taskrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_expires_at__isnull', False), ('state__in', [runs_app.domain.states.TaskState['CANCELLING'], runs_app.domain.states.TaskState['RESTARTING'], runs_app.domain.states.TaskState['RUNNING']])), models.Q(models.Q(('state__in', [runs_app.domain.states.TaskState['CANCELLING'], runs_app.domain.states.TaskState['RESTARTING'], runs_app.domain.states.TaskState['RUNNING']]), _negated=True), ('lease_expires_at__isnull', True)), _connector='OR'), name='task_run_leased_iff_running'),
        ),
        migrations.AddConstraint(
            model_name='output',
            constraint=models.UniqueConstraint(fields=('task_run', 'epoch', 'name'), name='one_output_per_name'),
        ),
        migrations.AddConstraint(
            model_name='logchunk',
            constraint=models.UniqueConstraint(fields=('task_run', 'epoch', 'sequence'), name='one_log_chunk_per_place'),
        ),
        migrations.AddConstraint(
            model_name='attempt',
            constraint=models.UniqueConstraint(fields=('task_run', 'epoch'), name='one_attempt_per_epoch'),
        ),
        migrations.AddIndex(
            model_name='transition',
            index=models.Index(fields=['run', 'at'], name='transition_of_run'),
        ),
    ]
