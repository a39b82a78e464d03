"""The Celery application, in the safest of Celery's manners.

Messages hold ids; results are not stored but for what chords count; nothing is left to Celery that
would be lost with a message: no retries, no ETA, no revokes.
"""

from __future__ import annotations

import os
import warnings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skytrail.settings")

from django.conf import settings  # the line above has to come first

from workers.broker.application import Application

# For root, because of pickle; which is not accepted here (see accept_content).
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

_ROLE = os.environ.get("SKYTRAIL_ROLE")

#: Only workers import the modules of users: web, dispatcher and beat never run their code.
_OF_USERS = settings.SKYTRAIL_TASK_MODULES if _ROLE == "worker" else []

#: How long Redis may take to answer, in seconds. Behind web, the command line and beat somebody
#: waits, and what they cannot send is sent by recovery. Workers and dispatchers wait for a Redis
#: that is busy with itself: what Celery publishes there is found missing only by the next plan.
_PATIENCE = 5 if _ROLE in {"worker", "dispatcher"} else 1

app = Application("skytrail")

app.conf.update(
    broker_url=settings.SKYTRAIL_REDIS_URL,
    result_backend=settings.SKYTRAIL_REDIS_URL,
    include=[
        "workers.tasks",
        "workers.ticks",
        "workers.lifecycle",
        "workers.broker.mending",
        "workers.reaching.asking",
        *_OF_USERS,
    ],
    # What may come in, and what goes out: JSON only.
    accept_content=["json"],
    result_accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    # Who loses what when a process dies: see docs/guarantees.md.
    task_acks_late=True,
    task_reject_on_worker_lost=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    # The truth about a task is its row.
    task_ignore_result=True,
    task_track_started=False,
    result_expires=86_400,
    # No message waits in a worker that is busy while another one is idle.
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    # A full or restarting Redis is no reason for a worker to exit.
    broker_channel_error_retry=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_publish_retry_policy={
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.5,
    },
    broker_transport_options={
        # Recovery comes from the leases in Postgres, not from Redis giving messages out again.
        "visibility_timeout": 86_400,
        "socket_timeout": _PATIENCE,
        "socket_connect_timeout": _PATIENCE,
        "socket_keepalive": True,
        # How often whoever needs a connection at once tries to get one.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.2,
        # Also how soon a worker notices that its connection leads nowhere: in about twice this.
        "health_check_interval": 10,
        # Of the ten steps that Celery has, three: before others, normal, after others.
        "priority_steps": [0, 5, 9],
        "queue_order_strategy": "priority",
    },
    broker_pool_acquire_timeout=_PATIENCE,
    # The same for what Celery counts the parts of chords with, which it knows as results.
    redis_socket_timeout=_PATIENCE,
    redis_socket_connect_timeout=_PATIENCE,
    redis_socket_keepalive=True,
    redis_backend_health_check_interval=10,
    result_backend_transport_options={"retry_policy": {"max_retries": 1}},
    task_default_queue="default",
    task_default_priority=5,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    # Flower switches events on while it listens; nobody else pays for them.
    worker_send_task_events=False,
    beat_scheduler="workers.beat:Scheduler",
    timezone="UTC",
)
# Celery would open a database connection for each task anew. Ours looks after it itself.
app.conf["CELERY_DB_REUSE_MAX"] = 2**62
