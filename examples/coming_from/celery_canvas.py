"""Every night: an invoice for each open order, their sum, and two who are told. As a canvas."""

from __future__ import annotations

from typing import Any

from celery import chain, chord, group, shared_task

from examples.coming_from.celery_tasks import add_up, invoice, open_orders, tell


@shared_task(bind=True)
def invoice_all(self: Any, orders: list[int], day: str) -> Any:
    # How many there are is known only now, so a task has to put the chord in its own place.
    return self.replace(chord([invoice.s(order, day) for order in orders], add_up.s()))


def nightly(day: str) -> Any:
    return chain(
        open_orders.s(day),
        invoice_all.s(day),
        group(tell.s("accounting"), tell.s("sales")),
    )
