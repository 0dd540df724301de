"""Text for terminals and logs whose encoding lacks some characters, such as ASCII."""

from __future__ import annotations

import codecs
import sys
import unicodedata

_HANDLER = "nasbench_lab.spelled_out"

_SPELLED_OUT = {
    "±": "+-",
    "–": "-",  # noqa: RUF001 - a dash
    "—": "-",
    "…": "...",
    "∞": "inf",
    "×": "x",  # noqa: RUF001 - a sign of multiplication
    "≤": "<=",
    "≥": ">=",
    "‘": "'",  # noqa: RUF001 - a quotation mark
    "’": "'",  # noqa: RUF001 - a quotation mark
    "“": '"',
    "”": '"',
}


def print_anything() -> None:
    """Let standard output and standard error spell out what their encodings lack, instead of raising an error."""
    codecs.register_error(_HANDLER, _spell_out)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # streams that tests put in place have none
        if reconfigure is not None:
            reconfigure(errors=_HANDLER)


def spelled_out(text: str, encoding: str = "ascii") -> str:
    r"""Return a text with other characters, or escapes, for those that an encoding lacks.

    >>> print(spelled_out("73.2±0.4 (Moré), 随"))
    73.2+-0.4 (More), \u968f
    """
    return "".join(_character(each, encoding) for each in text)


def _character(character: str, encoding: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    for candidate in (character, _SPELLED_OUT.get(character, ""), plain):
        with_all = candidate.encode(encoding, "ignore").decode(encoding)
        if candidate and with_all == candidate:
            return candidate
    return character.encode("ascii", "backslashreplace").decode("ascii")


def _spell_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return spelled_out(error.object[error.start : error.end], error.encoding), error.end
