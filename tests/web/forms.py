"""Filling in forms without a browser: what the page holds, changed in a few places."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.test import Client


class _Fields(HTMLParser):
    """The values of a form's fields, as a browser would send them."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.found: dict[str, str] = {}
        self._inside = self._templates = 0
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = values.get("id") == self.form_id
        if tag == "template":
            self._templates += 1
        if not self._inside or self._templates or "disabled" in values:
            return
        name = values.get("name", "")
        if tag == "input" and values.get("type") in {"checkbox", "radio"}:
            if "checked" in values:
                self.found[name] = values.get("value", "on")
        elif tag == "input":
            self.found[name] = values.get("value", "")
        elif tag == "textarea":
            self._area = name
            self.found[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in values:
            self.found[self._select] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "template":
            self._templates -= 1
        elif tag == "textarea":
            # The first line break after the tag does not belong to the text.
            if self._area is not None:
                self.found[self._area] = self.found[self._area].removeprefix("\n")
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.found[self._area] += data


def fields_of(client: Client, page: str, *, form: str = "dag_form") -> dict[str, str]:
    """What a browser would send from `page` if nobody touched anything."""
    answer = client.get(page)
    assert answer.status_code == 200
    reader = _Fields(form)
    reader.feed(answer.content.decode())
    return reader.found


def new_dag(*tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What a browser sends for a new DAG with these task cards."""
    sent = {"name": "story", "timezone": "UTC", "max_active_runs": "16", **fields}
    sent |= {"tasks-TOTAL_FORMS": len(tasks), "tasks-INITIAL_FORMS": 0}
    for index, task in enumerate(tasks):
        # The box that is checked at first.
        card = {"type": "empty", "retries": "0", "rerun_on_worker_loss": "on", **task}
        sent |= {f"tasks-{index}-{name}": value for name, value in card.items()}
    return sent
