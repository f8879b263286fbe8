"""Bar charts as SVG, without a library: ratios to `ssl`, and where the time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _LEFT, _RIGHT = 920, 300, 90
_BAR, _GAP, _HEAD = 16, 6, 54
_PLOT = _WIDTH - _LEFT - _RIGHT
_INK, _FAINT = "#1f2933", "#cbd2d9"
PALETTE = ("#3b6ea5", "#e08e45", "#5b9a5b", "#b5547a", "#7d6bb0", "#c9a227", "#4ba3a3", "#8a8f98")
_OURS, _OURS_LIGHT, _BASE, _OTHER = "#3b6ea5", "#8fb3d9", "#8a8f98", "#d6b37c"


class Ratio(NamedTuple):
    """A bar: what it is of, how long, and the goal that is wanted of it."""

    label: str
    value: float
    goal: float | None = None


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{_INK}">{escape(text)}</text>'
    )


def _rect(x: float, y: float, width: float, height: float, fill: str, title: str = "") -> str:
    shape = f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height}" fill="{fill}"'
    return f"{shape}><title>{escape(title)}</title></rect>" if title else f"{shape}/>"


def _line(x: float, top: float, bottom: float, colour: str, dash: str = "", width: int = 1) -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"{dashes}/>'
    )


def _page(height: float, title: str, below: str, body: Sequence[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height:.0f}" '
            f'viewBox="0 0 {_WIDTH} {height:.0f}" font-family="sans-serif" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{_WIDTH}" height="{height:.0f}" fill="white"/>',
            _text(16, 24, title, size=16, weight="bold"),
            _text(16, 42, below, size=12),
            *body,
            "</svg>",
            "",
        ]
    )


def ratios(title: str, below: str, groups: Mapping[str, Sequence[Ratio]]) -> str:
    """Return bars of ratios by group, with a line at 1. A bar that is too long ends at the edge, with its number.

    A short upright line in a bar's row is its goal.
    """
    limit = 2.0
    scale = _PLOT / limit
    body, y = [], float(_HEAD)
    for group, bars in groups.items():
        y += 14
        body.append(_text(16, y + 2, group, weight="bold"))
        y += _GAP + 2
        for bar in bars:
            body.append(_text(_LEFT - 8, y + _BAR - 4, bar.label, anchor="end"))
            width = min(bar.value, limit) * scale
            body.append(_rect(_LEFT, y, width, _BAR, _colour(bar.label), f"{bar.label}: {bar.value:.3f}"))
            over = " →" if bar.value > limit else ""
            body.append(_text(_LEFT + width + 5, y + _BAR - 4, f"{bar.value:.2f}{over}"))
            if bar.goal is not None:
                body.append(_line(_LEFT + bar.goal * scale, y - 2, y + _BAR + 2, "#c0392b", width=2))
            y += _BAR + _GAP
        y += _GAP
    grid = [_line(_LEFT + mark * scale, _HEAD, y, _FAINT, "2 3") for mark in (0.5, 1.5, 2.0)]
    return _page(y + 10, title, below, [*grid, _line(_LEFT + scale, _HEAD, y, _INK, "4 3"), *body])


def _colour(label: str) -> str:
    if label.startswith("fasttls"):
        return _OURS_LIGHT if "cold" in label else _OURS
    return _BASE if label == "ssl" else _OTHER


def stacked(title: str, below: str, bars: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """Return bars made of parts, each part of one colour, the whole beside the bar."""
    parts = list(dict.fromkeys(part for bar in bars.values() for part in bar))
    colours = dict(zip(parts, PALETTE, strict=False))
    scale = _PLOT / max((sum(bar.values()) for bar in bars.values()), default=1)
    body, x, y = [], 16.0, float(_HEAD)
    for part, colour in colours.items():
        body += [_rect(x, y, 12, 12, colour), _text(x + 17, y + 11, part)]
        x += 32 + 7 * len(part)
        if x > _WIDTH - 150:
            x, y = 16.0, y + 20
    y += 28
    for name, bar in bars.items():
        body.append(_text(_LEFT - 8, y + _BAR - 2, name, anchor="end"))
        at = float(_LEFT)
        for part, value in bar.items():
            body.append(_rect(at, y, value * scale, _BAR + 4, colours[part], f"{part}: {value:.0f} {unit}"))
            if value * scale > 30:
                body.append(_text(at + value * scale / 2, y + _BAR - 1, f"{value:.0f}", anchor="middle", size=11))
            at += value * scale
        body.append(_text(at + 5, y + _BAR - 2, f"{sum(bar.values()):.0f} {unit}"))
        y += _BAR + 4 + 2 * _GAP
    return _page(y + 10, title, below, body)
