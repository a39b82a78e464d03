"""Small charts as SVG, to be put into a page: lines over a shared axis, and bars below them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 760
_LEFT, _RIGHT, _TOP = 54, 14, 26
_LINES_HEIGHT = 210
_BARS_HEIGHT = 80
_GAP = 22
_BOTTOM = 28


@dataclass(frozen=True)
class Line:
    """Values of one kind, with the word for them and a CSS class that gives their colour."""

    name: str
    style: str
    values: Sequence[float]


@dataclass(frozen=True)
class _Scale:
    """From values to pixels, between two edges."""

    lowest: float
    highest: float
    bottom: float
    top: float

    def y(self, value: float) -> float:
        share = (value - self.lowest) / (self.highest - self.lowest)
        return round(self.bottom - share * (self.bottom - self.top), 1)


def draw(
    *,
    title: str,
    unit: str,
    lines: Sequence[Line],
    labels: Sequence[str],
    bars: Line | None = None,
    bars_unit: str = "",
) -> str:
    """The chart. `labels` has one text per value, empty where the axis is to stay bare."""
    below = _TOP + _LINES_HEIGHT + (_GAP + _BARS_HEIGHT if bars else 0)
    values = [value for line in lines for value in line.values]
    scale = _Scale(
        lowest=5 * (min(values) // 5),
        highest=5 * -(-max(values) // 5),
        bottom=_TOP + _LINES_HEIGHT,
        top=_TOP,
    )
    parts = [*_grid(scale, unit), *_legend(lines if bars is None else [*lines, bars])]
    parts += [_polyline(line, scale) for line in lines]
    if bars:
        parts += _columns(bars, bars_unit, bottom=below)
    parts += _axis(labels, below)
    return (
        f'<svg viewBox="0 0 {WIDTH} {below + _BOTTOM}" role="img" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def _x(index: int, count: int) -> float:
    """The middle of the place for one of `count` values."""
    return round(_LEFT + (index + 0.5) * (WIDTH - _LEFT - _RIGHT) / count, 1)


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def _rule(y: float) -> str:
    return f'<path class="rule" d="M{_LEFT} {y}H{WIDTH - _RIGHT}"/>'


def _grid(scale: _Scale, unit: str) -> list[str]:
    parts = []
    for value in range(int(scale.lowest), int(scale.highest) + 1, 5):
        y = scale.y(value)
        word = f"{value} {unit}" if value == scale.highest else str(value)
        parts += [_rule(y), _text(_LEFT - 6, y + 4, word.replace("-", "−"), "end")]
    return parts


def _legend(lines: Sequence[Line]) -> list[str]:
    parts, x = [], float(_LEFT)
    for line in lines:
        parts.append(f'<rect class="{line.style}" x="{x}" y="6" width="12" height="4"/>')
        parts.append(_text(x + 17, 12, line.name, "start"))
        x += 34 + 6.4 * len(line.name)
    return parts


def _polyline(line: Line, scale: _Scale) -> str:
    count = len(line.values)
    points = " ".join(f"{_x(i, count)},{scale.y(value)}" for i, value in enumerate(line.values))
    return f'<polyline class="{line.style}" points="{points}"/>'


def _columns(bars: Line, unit: str, *, bottom: float) -> list[str]:
    count = len(bars.values)
    highest = 50 * -(-max(bars.values) // 50)
    scale = _Scale(lowest=0, highest=highest, bottom=bottom, top=bottom - _BARS_HEIGHT)
    width = round(0.7 * (WIDTH - _LEFT - _RIGHT) / count, 1)
    parts = [
        _text(_LEFT - 6, scale.top + 4, f"{scale.highest:.0f} {unit}", "end"),
        _text(_LEFT - 6, bottom + 4, "0", "end"),
        _rule(bottom),
    ]
    for index, value in enumerate(bars.values):
        x, y = round(_x(index, count) - width / 2, 1), scale.y(value)
        height = round(bottom - y, 1)
        parts.append(
            f'<rect class="{bars.style}" x="{x}" y="{y}" width="{width}" height="{height}"/>'
        )
    return parts


def _axis(labels: Sequence[str], y: float) -> list[str]:
    count = len(labels)
    return [_text(_x(i, count), y + 18, label) for i, label in enumerate(labels) if label]
