"""Unpacks what came compressed, a file or an answer, without ever holding more than it may become.

Belongs here: deflate and gzip, and how much of it is too much. Does not belong here: what an archive holds.
"""

import re
import zlib
from collections.abc import Callable, Iterator

GZIP_START = b"\x1f\x8b"
GZIP_WINDOW = 31
RAW_WINDOW = -15
MOST_BYTES = 200 * 1024 * 1024
_MOST_RATIO = 100
# what unpacks to less is no bomb, however well it was packed
_ALWAYS_BYTES = 10 * 1024 * 1024
# each costs a new start; the tool that writes the most of them makes one of every 64 KB
_MOST_MEMBERS = 10_000
_CHUNK = 1024 * 1024
_FED = 64 * 1024
_NO_PADDING = re.compile(rb"[^\0]")


class BrokenPackingError(ValueError):
    """What came cannot be unpacked; the text says why."""


class HalfPackingError(BrokenPackingError):
    """What came ends too early."""


def most_unpacked(packed: int) -> int:
    """Into how many bytes so many packed bytes may unpack."""
    return min(MOST_BYTES, max(_ALWAYS_BYTES, _MOST_RATIO * packed))


def inflated(packed: bytes, window: int, take: Callable[[int], None]) -> Iterator[bytes]:
    """What was packed, in chunks of at most 1 MB.

    Args:
        packed: one or more members one after another, which may be padded with zeros.
        window: `GZIP_WINDOW` or `RAW_WINDOW`.
        take: is told the size of each chunk before it is given, and raises when it becomes too much.

    Raises:
        BrokenPackingError: it is damaged, something else follows it, or it has more than 10 000 members.
    """
    at = members = 0
    while at < len(packed):
        inflating = zlib.decompressobj(window)
        while not inflating.eof:
            # by piece: what is left over is copied at every step
            fed = packed[at : at + _FED]
            try:
                chunk = inflating.decompress(fed, _CHUNK)
            except zlib.error:
                raise BrokenPackingError("it cannot be unpacked") from None
            if not fed and not chunk and not inflating.eof:
                raise HalfPackingError("it ends too early")
            at += len(fed) - len(inflating.unconsumed_tail) - len(inflating.unused_data)
            take(len(chunk))
            yield chunk
        members += 1
        if members > _MOST_MEMBERS:
            raise BrokenPackingError(f"it has more than {_MOST_MEMBERS} parts")
        following = _NO_PADDING.search(packed, at)
        at = following.start() if following else len(packed)
