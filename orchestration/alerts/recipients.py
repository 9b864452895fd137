"""Who reads for a department, and who reads in their place: a file the city keeps outside the repository.

It names people. What it holds goes into the address of a message and nowhere else: no mart, no published file, no
log. Its messages are in Dutch, for whoever keeps the file.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

_COLUMNS = ("department_id", "email")
_LEAVE = ("absent_from", "absent_until", "deputy_email")
# RFC 2606: no mail server can ever own it.
_NOWHERE = ".example"


class RecipientFileError(Exception):
    """The file with recipients cannot be used; the message says where and what to do, in Dutch."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Addresses by department, on one day.

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


def recipients(path: Path | None, city: str, on: date) -> Recipients:
    """Read the addresses.

    Args:
        path: CSV (comma or semicolon, UTF-8) with department_id and email, and where wanted name, absent_from,
            absent_until (the first and the last day away, YYYY-MM-DD) and deputy_email; None when the city has no
            file. A name is only for whoever keeps the file; it is not read.
        city: name of the city profile.
        on: the day on which the mail goes out; a deputy gets it while the head is away.

    Raises:
        RecipientFileError: the file is unreadable, misses a column, names a department twice, or a line holds no
            address or no usable leave.
    """
    return Recipients(_read(path, on) if path else {}, city)


def _read(path: Path, on: date) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise RecipientFileError(
            f"{path}: het bestand met de ontvangers kan niet gelezen worden; bewaar het als CSV in UTF-8"
        ) from fault
    rows = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise RecipientFileError(
            f"{path}: in regel 1 ontbreekt de kolom {', '.join(missing)}; zet ze in de eerste regel"
        )
    addresses: dict[str, str] = {}
    for row in rows:
        where = f"{path}: regel {rows.line_num}"
        department = (row["department_id"] or "").strip()
        if department in addresses:
            raise RecipientFileError(f"{where} noemt de afdeling {department} een tweede keer; hou één regel over")
        addresses[department] = _reader(row, where, on)
    return addresses


def _reader(row: Mapping[str, str | None], where: str, on: date) -> str:
    """Who reads on that day: the head, or the deputy of a head who is away."""
    head = _address(row["email"], where)
    first, last, deputy = ((row.get(name) or "").strip() for name in _LEAVE)
    if not (first or last):
        return head
    start, end = _day(first, where), _day(last, where)
    if end < start:
        raise RecipientFileError(f"{where}: de laatste dag van het verlof ligt voor de eerste; draai ze om")
    # a deputy without an address is a mistake that must not wait for the first day of the leave
    stand_in = _address(deputy, where)
    return stand_in if start <= on <= end else head


def _day(written: str, where: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        fault = (
            f"{where}: het verlof heeft geen eerste en laatste dag; vul absent_from en absent_until in als 2026-11-23"
        )
    raise RecipientFileError(fault)


def _address(text: str | None, where: str) -> str:
    address = (text or "").strip()
    if address.count("@") != 1 or any(sign.isspace() or sign in "<>,;" for sign in address):
        raise RecipientFileError(f"{where} heeft geen mailadres, of meer dan één; verbeter het of haal de regel weg")
    return address
