"""Who reads for a department: a file the city keeps, outside the repository because it names people."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_COLUMNS = ("department_id", "email")
# RFC 2606: no mail server can ever own it.
_NOWHERE = ".example"


class RecipientFileError(Exception):
    """The file with recipients cannot be used; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Addresses by department.

    Attributes:
        city: name of the city profile, for the address of a department that has none.
    """

    addresses: Mapping[str, str]
    city: str

    def address(self, department_id: str) -> str:
        """The department's address; without one, an address that can be written on but never delivered to."""
        return self.addresses.get(department_id) or f"{department_id}@{self.city}{_NOWHERE}"


def is_deliverable(address: str) -> bool:
    """Whether a mail server may be asked to deliver there."""
    return not address.endswith(_NOWHERE)


def recipients(path: Path | None, city: str) -> Recipients:
    """Read the addresses.

    Args:
        path: CSV (comma or semicolon, UTF-8) with department_id and email; None when the city has no file.
        city: name of the city profile.

    Raises:
        RecipientFileError: the file is unreadable, misses a column, or a line holds no address.
    """
    return Recipients(_read(path) if path else {}, city)


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise RecipientFileError(f"recipients: {path} cannot be read ({fault}); give a CSV file in UTF-8") from fault
    rows = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise RecipientFileError(f"recipients: {path} line 1 misses {', '.join(missing)}; add it to the header")
    return {row["department_id"].strip(): _address(row["email"], path, rows.line_num) for row in rows}


def _address(text: str | None, path: Path, line: int) -> str:
    address = (text or "").strip()
    if address.count("@") != 1 or any(sign.isspace() or sign in "<>,;" for sign in address):
        raise RecipientFileError(f"recipients: {path} line {line} holds no single mail address; correct or remove it")
    return address
