"""How durations and times are put into words."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def duration(seconds: float | None) -> str:
    """Seconds as people say them: `0.42 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds is None:
        return "–"
    seconds = max(seconds, 0.0)
    if seconds < 10:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from `start` to `end`, or until now; None where it has not begun."""
    if start is None:
        return None
    return ((end or timezone.now()) - start).total_seconds()


def moment(value: datetime, *, now: datetime) -> str:
    """A time in the reader's zone, as short as it can be told apart: today only the time of day."""
    local, today = timezone.localtime(value), timezone.localtime(now)
    if local.date() == today.date():
        return f"{local:%H:%M:%S}"
    if local.year == today.year:
        return f"{local.day} {local:%b %H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"


def in_full(value: datetime) -> str:
    """The same to the second, with its zone, and in UTC where that is another one."""
    local, utc = timezone.localtime(value), value.astimezone(UTC)
    text = f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    if local.utcoffset() == utc.utcoffset():
        return text
    return f"{local:%Y-%m-%d %H:%M:%S %Z} = {text}"


def distance(value: datetime, *, now: datetime) -> str:
    """How far away a time is: `in 5 min`, `3 h ago`."""
    seconds = (value - now).total_seconds()
    if abs(seconds) < 1:
        return "now"
    text = _roughly(abs(seconds))
    return f"in {text}" if seconds > 0 else f"{text} ago"


def _roughly(seconds: float) -> str:
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
