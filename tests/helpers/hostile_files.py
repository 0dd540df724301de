"""Mutations of files: cut, flipped, zeroed, repeated, and made of the worst that a syntax allows. All are small."""

import copy
import json
import random
import re

DIGITS = b"9" * 5_000
DEEP = 60_000

WORST_VALUES = (
    None,
    True,
    -1,
    1.5,
    10**400,
    "",
    "x" * 5_000,
    "../" * 100,
    [],
    {},
    [[]],
    ["x"],
    {"x": {}},
    float("nan"),
)
_WORST_TEXTS = (
    *(b"", b"\0", b"\n", b"\xff\xfe\xff", b"{", b"[" * DEEP, b'{"a":' * DEEP, b"(" * DEEP),
    *(DIGITS, b"x = " + b"[" * DEEP, b"x = " + DIGITS, b"a,b\n" + DIGITS + b"," + DIGITS, b'"' + b"a" * 5_000),
)


def of_bytes(content, seed, count=12):
    """Yield name and content of damaged versions of any file."""
    chance = random.Random(seed)
    for length in (0, 1, 9, len(content) // 3, len(content) - 1):
        yield f"cut to {length}", content[:length]
    yield "followed by itself", content + content
    yield "followed by a byte", content + b"x"
    yield "bytes replaced by zeros", bytes(len(content))
    for _ in range(count):
        at, bit = chance.randrange(len(content)), chance.randrange(8)
        yield f"bit {bit} of byte {at} flipped", _with(content, at, bytes([content[at] ^ 1 << bit]))
    for _ in range(count):
        at = chance.randrange(len(content)) // 64 * 64
        yield f"64 bytes from {at} zeroed", _with(content, at, bytes(64))
    for _ in range(count // 4):
        at = chance.randrange(len(content)) // 512 * 512
        yield f"512 bytes from {at} zeroed", _with(content, at, bytes(512))
        yield f"8 bytes from {at} set", _with(content, at, b"\xff" * 8)


def of_text(content, seed, count=20):
    """Yield damaged versions of a text: other tokens, and texts that are nothing but trouble."""
    for number, worst in enumerate(_WORST_TEXTS):
        yield f"replaced by worst text {number}", worst
    chance = random.Random(seed)
    tokens = list(re.finditer(rb"[0-9.]+|\"[^\"\n]*\"|[A-Za-z_]+", content))
    for token in chance.sample(tokens, min(count, len(tokens))):
        for worst in (DIGITS, b"1e999", b"[" * 2_000, b"\xff", b'"' + b"a/" * 3_000 + b'"'):
            changed = content[: token.start()] + worst + content[token.end() :]
            yield f"token {token[0][:20]!r} at {token.start()} is {worst[:8]!r}", changed


def of_json(content, seed, count=60):
    """Yield versions of a JSON document without a member, or with the worst value for it."""
    document = json.loads(content)
    chance = random.Random(seed)
    changes = [(place, worst) for place in _places(document) for worst in (_GONE, *WORST_VALUES)]
    for place, worst in chance.sample(changes, min(count, len(changes))):
        changed = copy.deepcopy(document)
        target = changed
        for key in place[:-1]:
            target = target[key]
        if worst is _GONE:
            del target[place[-1]]
        else:
            target[place[-1]] = worst
        yield f"{'.'.join(map(str, place))} is {str(worst)[:20]}", json.dumps(changed).encode()


_GONE = object()


def _places(document, before=()):
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        yield (*before, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*before, key))


def _with(content, at, part):
    return content[:at] + part[: len(content) - at] + content[at + len(part) :]
