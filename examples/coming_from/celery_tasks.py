"""What a project with Celery has already: tasks that know nothing of Skytrail."""

from __future__ import annotations

from celery import shared_task

#: A real project asks its database.
ORDERS = {"2026-01-31": {101: 20, 102: 35, 103: 7}}


@shared_task
def open_orders(day: str) -> list[int]:
    return sorted(ORDERS.get(day, {}))


@shared_task(autoretry_for=(ConnectionError,), max_retries=3, retry_backoff=True, time_limit=60)
def invoice(order: int, day: str) -> int:
    return ORDERS[day][order]


@shared_task
def add_up(amounts: list[int]) -> int:
    return sum(amounts)


@shared_task
def tell(total: int, whom: str) -> str:
    return f"{whom}: {total} have been invoiced"
