"""Settings and fonts for drawing: the same figure whatever the user's matplotlibrc says, with names in any script.

A font of the figures (DejaVu Sans) comes with matplotlib. Characters that it lacks, such as Chinese ones, are taken
from other installed fonts. Where there is none, figures show boxes, and one warning says so.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nasbench_lab.errors import MissingFontWarning

if TYPE_CHECKING:
    from matplotlib.font_manager import FontEntry, FontProperties

FONT = "DejaVu Sans"
"""The font of all figures."""

_PREFERRED = (
    "Noto Sans CJK",
    "Noto Sans SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans",
    "PingFang",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Sans",
    "Droid Sans Fallback",
    "Arial Unicode MS",
)
"""Beginnings of the names of fonts that are tried first for characters that the font of the figures lacks."""

_UPRIGHT: Any = {"style": "normal", "variant": "normal", "weight": "normal", "stretch": "normal"}
_NOT_FOR_TEXT = ("cm", "STIX", "Last", ".")
"""Beginnings of the names of fonts for formulas, and of the fonts that have a box for every character."""
_WEIGHTS = range(350, 501)  # of fonts that are not bold


@contextlib.contextmanager
def drawing(settings: Any, texts: Iterable[str] = ()) -> Iterator[None]:
    """Draw with given settings of matplotlib, with defaults for all others, and with fonts for given texts.

    Text is never read as a formula, so names may contain dollar signs.

    Args:
        settings: of matplotlib, a dictionary.
        texts: names that the figure shows.
    """
    import matplotlib as mpl

    families, lacking = _families(frozenset("".join(texts)))
    with mpl.rc_context(), without_glyph_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update({**settings, "font.family": list(families), "text.parse_math": False})
        yield
    if lacking:
        _warn_of_boxes()


def lacks_glyphs(text: str) -> bool:
    """Return whether no installed font has some character of a text."""
    return bool(_families(frozenset(text))[1])


def font_of(text: str, size: float) -> FontProperties:
    """Return the font of a text, with others for characters that it lacks; the same whatever the user's settings."""
    from matplotlib.font_manager import FontProperties

    families = list(_families(frozenset(text))[0])
    return FontProperties(family=families, size=size, math_fontfamily="dejavusans", **_UPRIGHT)


@contextlib.contextmanager
def without_glyph_warnings() -> Iterator[None]:
    """Ignore matplotlib's warnings of every single character that no font has."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ ", UserWarning)
        yield


@functools.cache
def _families(characters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the names of fonts for some characters, and the characters that no installed font has."""
    families, lacking = [FONT], frozenset(c for c in characters if not c.isascii() and c.isprintable())
    if lacking:
        lacking -= _in_file(_own_file(), lacking)
    if lacking:
        for entry in _other_fonts():
            found = _in_file(entry.fname, lacking)
            if found:
                families.append(entry.name)
                lacking -= found
            if not lacking:
                break
    if lacking:
        families.append("sans-serif")  # in an SVG, what another machine takes
    return tuple(families), lacking


def _own_file() -> str:
    from matplotlib.font_manager import FontProperties, fontManager

    return str(fontManager.findfont(FontProperties(family=[FONT], **_UPRIGHT)))


def _in_file(path: str, characters: frozenset[str]) -> frozenset[str]:
    """Return the characters that a font has."""
    from matplotlib.font_manager import get_font

    try:
        font = get_font(path)
        found = frozenset(each for each in characters if font.get_char_index(ord(each)))
        font.set_size(10.0, 72.0)
        for each in sorted(found)[:1]:
            font.load_char(ord(each))
    except (OSError, RuntimeError, ValueError):  # the file is gone, or it is a font that cannot be drawn, as of bitmaps
        return frozenset()
    return found


def _other_fonts() -> list[FontEntry]:
    """Return installed fonts in their usual style, those first that have many characters."""
    from matplotlib.font_manager import fontManager

    def place(entry: FontEntry) -> tuple[int, str]:
        known = (place for place, name in enumerate(_PREFERRED) if entry.name.startswith(name))
        return next(known, len(_PREFERRED)), entry.name

    usual = (entry for entry in fontManager.ttflist if entry.style == "normal" and entry.weight in _WEIGHTS)
    return sorted((entry for entry in usual if not entry.name.startswith((FONT, *_NOT_FOR_TEXT))), key=place)


@functools.cache
def _warn_of_boxes() -> None:
    """Warn once per process."""
    warnings.warn(
        "no installed font has some characters of these names: figures show boxes, except SVG files, which keep the "
        "text; install a font that has them, such as Noto Sans CJK",
        MissingFontWarning,
        stacklevel=2,
    )
