"""In which format a lake is written, so that an older version of the program never misreads a newer one."""

from pathlib import Path
from typing import Final

from warehouse.durable import replace_synced
from warehouse.layout import NewerProfileError

FORMAT: Final = 2
"""The format that this program writes; a lake of before it had a number bears no file, and is read as it is."""

_FILE = "FORMAT"


def require_known_format(root: Path) -> None:
    """Refuses a lake that this program cannot read.

    Raises:
        NewerProfileError: a newer version of the program wrote it.
    """
    if _format_of(root) > FORMAT:
        raise NewerProfileError(root, _format_of(root), FORMAT)


def mark_format(root: Path) -> None:
    """Notes the format: what is written from now on, an older version of the program need not understand."""
    if _format_of(root) < FORMAT:
        replace_synced(root / _FILE, f"{FORMAT}\n".encode())


def format_file(root: Path) -> Path | None:
    """The file that tells the format, where there is one."""
    return root / _FILE if (root / _FILE).exists() else None


def _format_of(root: Path) -> int:
    file = format_file(root)
    return int(file.read_text("utf-8")) if file else 0
