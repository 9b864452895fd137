"""JSON from a stranger: what it takes in memory is reckoned before it is read.

Two bytes of text may become a hundred in memory, so a limit on the text alone bounds nothing.
"""

import json
import re

_MOST_MEMORY = 448 * 1024 * 1024
# measured (CPython 3.11): the dearest value is a text under a name of its own in one large object
_BYTES_OF_A_VALUE = 256
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ASTRAL = re.compile(rb"[\xf0-\xff]|\\u[dD][89a-fA-F]")
_WIDE = re.compile(rb"[\xc4-\xff]|\\u")


class UnreadableJsonError(ValueError):
    """What came is no JSON, or too much of it; the text says why and quotes nothing."""


def read_json(body: bytes) -> object:
    """A JSON text in UTF-8.

    Half a character (a lone surrogate) becomes a question mark: no table or file can hold one.

    Raises:
        UnreadableJsonError: it is none, or would take more than 448 MB.
    """
    if (needed := _memory(body)) > _MOST_MEMORY:
        raise UnreadableJsonError(
            f"answered JSON that takes {needed // 2**20} MB to read, over {_MOST_MEMORY // 2**20}; ask for it in parts"
        )
    try:
        said = json.loads(body.decode("utf-8-sig"))
        return _whole_text(said) if _SURROGATE.search(body) else said
    except (ValueError, RecursionError) as broken:
        where = _where(broken)
    # raised outside the handler: the exception of the parser holds the whole body
    raise UnreadableJsonError(f"answered {len(body)} bytes that are not JSON ({where}); ask the supplier")


def _memory(body: bytes) -> int:
    """At most so many bytes are needed: the body, its text, its texts once more, and what holds the values."""
    least = 3 * len(body)
    if least > _MOST_MEMORY:
        return least
    # one character outside a range makes each of a text as wide
    width = 4 if _ASTRAL.search(body) else 2 if _WIDE.search(body) else 1
    return len(body) * (1 + 2 * width) + _BYTES_OF_A_VALUE * sum(map(body.count, (b"{", b"[", b",")))


def _whole_text(said: object) -> object:
    """The same, with a question mark for half a character; in place, for a copy would take as much again."""
    if isinstance(said, str):
        return said.encode("utf-8", "replace").decode()
    if isinstance(said, list):
        for place, each in enumerate(said):
            said[place] = _whole_text(each)
    elif isinstance(said, dict):
        for name in list(said):
            said[_whole_text(name)] = _whole_text(said.pop(name))
    return said


def _where(broken: Exception) -> str:
    if isinstance(broken, json.JSONDecodeError):
        return f"line {broken.lineno}, column {broken.colno}: {broken.msg}"
    return type(broken).__name__
