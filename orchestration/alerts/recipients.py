"""Who reads for a department, and who reads in their place: a file the city keeps outside the repository.

It names people. What it holds goes into the address of a message and nowhere else: no mart, no published file, no
log. What is wrong with it is told in Dutch, for whoever keeps the file, and takes nothing from the lines that are
right: only the messages of that line, or of that file, wait.
"""

import csv
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Self

from orchestration.alerts.policy import deputy_of

_COLUMNS = ("department_id", "email")
_LEAVE = ("absent_from", "absent_until", "deputy_email")
# RFC 2606: no mail server can ever own it.
_NOWHERE = ".example"


class RecipientFileError(Exception):
    """The file with recipients, or the line of a department, cannot be used; says where and what to do, in Dutch."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Addresses by department, on one day.

    Attributes:
        city: name of the city profile, for the address of a department that has none.
        faults: by department what is wrong with its line.
        fault: what is wrong with the whole file.
    """

    addresses: Mapping[str, str]
    city: str
    faults: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None

    def address(self, department_id: str) -> str:
        """The department's address; without one, an address that can be written on but never delivered to.

        Raises:
            RecipientFileError: its line, or the file, cannot be used.
        """
        known = self.addresses.get(department_id)
        fault = self.faults.get(department_id, self.fault)
        if known is None and fault is not None:
            raise RecipientFileError(fault)
        return known or self.placeholder(department_id)

    def placeholder(self, department_id: str) -> str:
        """The address of a department that has none."""
        return f"{department_id}@{self.city}{_NOWHERE}"

    def reads(self, name: str) -> bool:
        """Whether somebody stands in the file under a name."""
        return name in self.addresses

    def with_reader(self, name: str, address: str | None) -> Self:
        """The same, with somebody who stands in no file: at this address, or at none."""
        return replace(self, addresses={**self.addresses, name: address or self.placeholder(name)})

    @property
    def told(self) -> list[str]:
        """Everything that is wrong with the file."""
        return [*self.faults.values(), *([self.fault] if self.fault else [])]


def is_deliverable(address: str) -> bool:
    """Whether a mail server may be asked to deliver there."""
    return not address.endswith(_NOWHERE)


def recipients(path: Path | None, city: str, on: date) -> Recipients:
    """Read the addresses; what is wrong with a line or with the file is in the answer.

    Args:
        path: CSV (comma or semicolon, UTF-8) with department_id and email, and where wanted name, absent_from,
            absent_until (the first and the last day away, YYYY-MM-DD) and deputy_email; None when the city has no
            file. A name is only for whoever keeps the file; it is not read. Beside the departments, `coordinator` and
            `general_director` may have a line: they read what departments do not answer.
        city: name of the city profile.
        on: the day on which the mail goes out; a deputy gets it while the head is away.
    """
    if path is None:
        return Recipients({}, city)
    try:
        rows = _rows(path)
    except RecipientFileError as fault:
        return Recipients({}, city, fault=str(fault))
    lines = Counter(bare(row["department_id"]) for _, row in rows)
    addresses: dict[str, str] = {}
    faults: dict[str, str] = {}
    for number, row in rows:
        department, where = bare(row["department_id"]), f"{path}: regel {number}"
        if lines[department] > 1:
            # which of them is right nobody knows
            faults[department] = f"{where} noemt de afdeling {department} een tweede keer; hou één regel over"
            continue
        try:
            addresses[department] = _reader(row, where, on)
            if deputy := bare(row.get("deputy_email")):
                addresses[deputy_of(department)] = address_of(deputy, where)
        except RecipientFileError as fault:
            faults[department] = str(fault)
    return Recipients(addresses, city, faults)


def _rows(path: Path) -> list[tuple[int, Mapping[str, str | None]]]:
    """The lines of the file with their numbers.

    Raises:
        RecipientFileError: nothing of it can be used.
    """
    try:
        # a name in another encoding is not read, and an address in it is refused with its line
        lines = path.read_bytes().decode("utf-8-sig", "replace").splitlines()
    except OSError as fault:
        raise RecipientFileError(
            f"{path}: het bestand met de ontvangers kan niet gelezen worden ({fault.strerror}); zet het terug op "
            "zijn plaats, of maak de map weer bereikbaar"
        ) from fault
    rows = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise RecipientFileError(
            f"{path}: in regel 1 ontbreekt de kolom {', '.join(missing)}; zet ze in de eerste regel, en bewaar het "
            "bestand als CSV in UTF-8"
        )
    try:
        return [(rows.line_num, row) for row in rows]
    except csv.Error as fault:
        raise RecipientFileError(f"{path}: regel {rows.line_num} is geen CSV ({fault}); bewaar het opnieuw") from fault


def _reader(row: Mapping[str, str | None], where: str, on: date) -> str:
    """Who reads on that day: the head, or the deputy of a head who is away."""
    # cells past the last column: a second address, written with the sign that separates the columns
    head = address_of(" ".join([row["email"] or "", *(row.get(None) or ())]), where)  # type: ignore[call-overload]
    first, last, deputy = (bare(row.get(name)) for name in _LEAVE)
    if not (first or last):
        return head
    start, end = _day(first, where), _day(last, where)
    if end < start:
        raise RecipientFileError(f"{where}: de laatste dag van het verlof ligt voor de eerste; draai ze om")
    # a deputy without an address is a mistake that must not wait for the first day of the leave
    stand_in = address_of(deputy, where)
    return stand_in if start <= on <= end else head


def _day(written: str, where: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        fault = (
            f"{where}: het verlof heeft geen eerste en laatste dag; vul absent_from en absent_until in als 2026-11-23"
        )
    raise RecipientFileError(fault)


def address_of(text: str | None, where: str) -> str:
    """The one plain address in a text.

    Raises:
        RecipientFileError: there is none, more than one, or one that a mail server does not take.
    """
    address = bare(text)
    name, at, host = address.partition("@")
    if not (name and at and host) or "@" in host or any(sign.isspace() or sign in "<>,;" for sign in address):
        raise RecipientFileError(f"{where} heeft geen mailadres, of meer dan één; verbeter het of haal de regel weg")
    if not (address.isascii() and address.isprintable()):
        raise RecipientFileError(
            f"{where}: in het mailadres staat een teken dat daar niet mag (een letter met een accent, of een teken dat "
            "niemand ziet); tik het adres opnieuw in, en bewaar het bestand als CSV in UTF-8"
        )
    return address


def bare(text: str | None) -> str:
    """A text without the blanks around it, those without a width (as Outlook pastes them) included."""
    signs = text or ""
    kept = [at for at, sign in enumerate(signs) if not (sign.isspace() or unicodedata.category(sign) == "Cf")]
    return signs[kept[0] : kept[-1] + 1] if kept else ""
