"""Every night: an invoice for each open order, their sum, and two who are told. As a DAG."""

from __future__ import annotations

from datetime import timedelta

from skytrail.sdk import DAG, Celery

TASKS = "examples.coming_from.celery_tasks"

with DAG(
    "nightly_invoices",
    schedule="0 2 * * *",
    timezone="Europe/Berlin",
    is_paused_upon_creation=True,
):
    orders = Celery("open_orders", task=f"{TASKS}.open_orders", args=["{{ ds }}"])
    invoices = Celery(
        "invoice",
        task=f"{TASKS}.invoice",
        kwargs={"day": "{{ ds }}"},
        expand={"order": orders.output},
        retries=3,
        retry_delay=timedelta(seconds=1),
        retry_exponential_backoff=2,
    )
    total = Celery("add_up", task=f"{TASKS}.add_up", args=[invoices.output])
    for whom in ("accounting", "sales"):
        Celery(f"tell_{whom}", task=f"{TASKS}.tell", args=[total.output, whom])
