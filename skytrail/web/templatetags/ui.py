"""What the templates of pages are written with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import template
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from skytrail.web import shown
from skytrail.web.paging import with_parameters

register = template.Library()


@register.simple_tag
def state(value: str, key: UUID | None = None, word: str = "") -> SafeString:
    """A state by shape, word and colour; with `key`, of a (task) run, it is kept up to date."""
    text = word or value.replace("_", " ")
    which = format_html(' data-key="{}"', key) if key else ""
    return format_html(
        '<span class="state" data-state="{}"{}><span class="word">{}</span></span>',
        value, which, text,
    )  # fmt: skip


@register.simple_tag
def when(value: datetime | None, form: str = "short") -> SafeString:
    """A time in the reader's zone, UTC on hover; `form` is short, full or ago."""
    if value is None:
        return mark_safe('<span class="quiet">–</span>')
    now = timezone.now()
    if form == "ago":
        text = shown.distance(value, now=now)
    elif form == "full":
        text = f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"
    else:
        text = shown.moment(value, now=now)
    return format_html(
        '<time datetime="{}" title="{}" data-form="{}">{}</time>',
        value.isoformat(), shown.in_full(value), form, text,
    )  # fmt: skip


@register.simple_tag
def took(start: datetime | None, end: datetime | None) -> SafeString:
    """How long it took; of what has not ended how long it has taken, which goes on counting."""
    seconds = shown.between(start, end)
    if start is not None and end is None:
        return format_html(
            '<span class="number" data-since="{}">{}</span>',
            start.isoformat(), shown.duration(seconds),
        )  # fmt: skip
    return format_html('<span class="number">{}</span>', shown.duration(seconds))


@register.filter
def seconds(value: float | None) -> str:
    """Seconds in words."""
    return shown.duration(value)


@register.filter
def as_json(value: Any) -> str:
    """A value as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def code(text: str) -> SafeString:
    """Text in which what stands in backticks is a name."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return conditional_escape(text)
    pieces = [
        format_html("<code>{}</code>", part) if place % 2 else conditional_escape(part)
        for place, part in enumerate(parts)
    ]
    return format_html_join("", "{}", ((piece,) for piece in pieces))


@register.filter
def plain(value: float) -> str:
    """A number as SVG writes it, whatever the language of the page."""
    return f"{value:g}"


@register.filter
def words(value: str) -> str:
    """A name of the vocabulary as people say it: `upstream failed`."""
    return value.replace("_", " ")


@register.filter
def as_text(value: Any) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else as_json(value)


@register.simple_tag(takes_context=True)
def parameters(context: Mapping[str, Any], **changes: Any) -> str:
    """The query string of this page with changes; an empty value takes a parameter away."""
    given = {
        name: str(value) if value not in {None, ""} else None for name, value in changes.items()
    }
    return with_parameters(context["request"], given)


@register.inclusion_tag("skytrail/web/nav_item.html", takes_context=True)
def nav(context: Mapping[str, Any], path: str, text: str, keys: str = "") -> dict[str, Any]:
    """An entry of the menu, marked on its own pages and those below."""
    here = context["request"].path
    is_here = here == path or (path != "/" and here.startswith(path))
    return {"path": path, "text": text, "keys": keys, "is_here": is_here}
