"""Keys on disk, outside the lake, readable by their owner only."""

import os
import secrets
from pathlib import Path

from ingestion.delivery import Secret


class EmptyKeyError(OSError):
    """A key file without a key."""


def read_or_create_key(path: Path) -> Secret:
    """The key in a file; a new random one (256 bits, hexadecimal) when there is no file yet.

    Raises:
        EmptyKeyError: the file is there and holds nothing: pseudonyms would be made without a key.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path, secrets.token_hex(32))
    key = path.read_text("ascii").strip()
    if not key:
        raise EmptyKeyError(f"{path} is empty; restore the key from its copy, or remove the file for a new one")
    return Secret(key)


def _create(path: Path, key: str) -> None:
    """Writes the key unless another process was first: two keys would split the pseudonyms."""
    # a leftover of a killed writer, or another thread, never has the same name
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)
    except FileExistsError:
        return
    finally:
        partial.unlink()
