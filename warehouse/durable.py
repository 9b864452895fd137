"""Writing so that a crash leaves the old or the new, never a part.

Belongs here: fsync and the one rename, the hash of what was written, and the refusal to start what will not fit. Does
not belong here: what the files mean.
"""

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# a batch, the checkpoint of its rows and the build made of them, each about its size
_COPIES = 3
_RESERVE_BYTES = 64 * 1024 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT)
# engines tell it in words only: the system's, or SQLite's own, which says the last of a disk that fails too
_FULL_IN_WORDS = (*map(os.strerror, _FULL), "database or disk is full", "disk I/O error")


class DiskFullError(OSError):
    """There is not enough free space to write safely; nothing was written."""


def require_free(folder: Path, payload: int, what: str) -> None:
    """Refuses before the first byte rather than in the middle.

    Args:
        folder: an existing folder on the file system to be written.
        payload: bytes about to be written.
        what: what would be written, for the message.

    Raises:
        DiskFullError: less than three times the payload and 64 MiB is free.
    """
    needed = _COPIES * payload + _RESERVE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFullError(
            f"{what}: {free // 2**20} MiB free, {needed // 2**20 + 1} MiB needed; "
            "nothing was written. Make room, then run it again"
        )


def is_disk_full(fault: BaseException) -> bool:
    """Whether an engine or the system says that nothing more can be written, itself or as the cause."""
    said = getattr(fault, "errno", None) in _FULL or any(words in str(fault) for words in _FULL_IN_WORDS)
    return said or (fault.__cause__ is not None and is_disk_full(fault.__cause__))


@contextmanager
def telling_when_full(what: str) -> Iterator[None]:
    """Makes whatever says that the disk is full one error that says what to do.

    Args:
        what: what is being written; all of it is undone by whoever writes it.

    Raises:
        DiskFullError: the disk filled up meanwhile.
    """
    try:
        yield
    except Exception as fault:
        if isinstance(fault, DiskFullError) or not is_disk_full(fault):
            raise
        raise DiskFullError(
            f"{what}: the disk is full, or cannot be written; nothing of it was kept. Make room, then run it again"
        ) from fault


def sync(path: Path) -> None:
    """Forces a file or a folder's entries to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Forces a folder and everything in it to disk, the deepest first."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(Path(parent, name))
        sync(Path(parent))


def write_synced(path: Path, content: bytes) -> None:
    """Writes a file and forces it to disk."""
    path.write_bytes(content)
    sync(path)


def write_beside(path: Path, content: bytes, mode: int = 0o666) -> Path:
    """Writes a new file beside the one it will be, on disk; whoever asked for it gives it its name.

    Args:
        path: what it will be.
        content: of the file.
        mode: who may read it, as far as the process lets others do so.
    """
    # a leftover of a killed writer, or another thread, never has the same name
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return beside


def replace_synced(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Puts a file in the place of the one that was there: a reader, and a crash, find the old or the new."""
    write_beside(path, content, mode).replace(path)
    sync(path.parent)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of_files(paths: Iterable[Path], root: Path) -> str:
    """One SHA-256 for what files hold and where they lie below a folder, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def replace_derived(path: Path, content: bytes) -> None:
    """Writes a file that spares somebody work and can be made again: a full disk or a closed folder stops nobody."""
    with suppress(OSError):
        replace_synced(path, content)


def make_synced(folder: Path) -> None:
    """Makes a folder so that its own name survives a power cut."""
    if not folder.is_dir():
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        sync(folder.parent)


def move_into_place(staged: Path, final: Path) -> None:
    """One rename makes it exist.

    Raises:
        OSError: something with content already lies at `final`.
    """
    make_synced(final.parent)
    os.rename(staged, final)  # noqa: PTH104  # the one call that must refuse an existing folder with content
    sync(final.parent)
