"""Ticks that an overlap policy has passed over are remembered."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import skytrail.database.fields


class Migration(migrations.Migration):

    dependencies = [
        ('dags_app', '0005_timing'),
        ('runs_app', '0008_waiting_in_vain'),
    ]

    operations = [
        migrations.CreateModel(
            name='SkippedTick',
            fields=[
                ('id', skytrail.database.fields.KeyField(db_default=skytrail.database.fields.UUID7(), editable=False, primary_key=True, serialize=False)),
                ('logical_date', models.DateTimeField()),
                ('reason', models.CharField(max_length=100)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('dag', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='skipped_ticks', to='dags_app.dag')),
            ],
            options={
                'db_table': 'skytrail_skipped_tick',
                'ordering': ['-logical_date'],
                'indexes': [models.Index(fields=['at'], name='skipped_tick_at')],
                'constraints': [models.UniqueConstraint(fields=('dag', 'logical_date'), name='one_skip_per_tick')],
            },
        ),
    ]
