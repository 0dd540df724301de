"""Contrast of colours with their background, as WCAG 2.2 defines it."""

from __future__ import annotations


def contrast_ratio(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, "contrast ratio").

    >>> round(contrast_ratio("#000000", "#ffffff"), 2)
    21.0
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(color: str, background: str, least: float) -> str:
    """Return the colour, moved towards black or white only as far as the contrast with the background requires.

    >>> readable("#0072B2", "#ffffff", 3.0)
    '#0072b2'
    """
    pole = "#000000" if _luminance(background) > 0.18 else "#ffffff"  # 0.18: equally far from both
    for step in range(101):
        mixed = _mix(color, pole, step / 100)
        if contrast_ratio(mixed, background) >= least:
            return mixed
    return pole


def _mix(color: str, other: str, share: float) -> str:
    pairs = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _luminance(color: str) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(color))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
