"""Keys on disk, outside the lake, readable by their owner only.

One file is one ring: a key per line, the oldest first. A key that was ever used stays: it is part of the chain.
"""

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from ingestion.door import KeyRing
from warehouse.durable import replace_synced, write_beside

_ONLY_ITS_OWNER = 0o600


class EmptyKeyError(OSError):
    """A key file without a key."""


def read_or_create_ring(path: Path) -> KeyRing:
    """The keys in a file; a new random one (256 bits, hexadecimal) when there is no file yet.

    Raises:
        EmptyKeyError: the file is there and holds nothing: pseudonyms would be made without a key.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path, secrets.token_hex(32) + "\n")
    keys = path.read_text("ascii").split()
    if not keys:
        raise EmptyKeyError(f"{path} is empty; restore the key from its copy, or remove the file for a new one")
    return KeyRing(tuple(map(SecretStr, keys)))


def add_key(path: Path) -> KeyRing:
    """Puts a new random key at the end of the ring; whoever calls it lets nobody else land meanwhile."""
    ring = read_or_create_ring(path)
    keys = [key.get_secret_value() for key in ring.keys] + [secrets.token_hex(32)]
    # whatever is pseudonymised from now on needs this key for ever
    replace_synced(path, ("\n".join(keys) + "\n").encode("ascii"), _ONLY_ITS_OWNER)
    return read_or_create_ring(path)


def _create(path: Path, key: str) -> None:
    """Writes a line with the key unless another process was first: two keys would split the pseudonyms."""
    partial = write_beside(path, key.encode("ascii"), _ONLY_ITS_OWNER)
    try:
        os.link(partial, path)
    except FileExistsError:
        return
    finally:
        partial.unlink()
