"""Canaries: what must never be found again, and how they get into what suppliers send."""

import copy
import csv
import io
from collections.abc import Iterator
from typing import Any

from openpyxl import Workbook, load_workbook

TOKEN = "kanarie-5d1f-token"
NATIONAL_NUMBER = "85.07.30-033.28"
PHONE = "0471/23.45.67"
E_MAIL = "kanarie.vogel@mail.be"
IDENTIFIERS = (NATIONAL_NUMBER, PHONE, E_MAIL, NATIONAL_NUMBER.translate({46: None, 45: None}))
"""As a person writes them; the last is the bare national number."""
FORMS = (TOKEN, *IDENTIFIERS, "85073003328", "0471234567", "kanarie.vogel", "mail.be")
"""Every form in which one may turn up."""
PER_FILE = 4
"""One more would make the door refuse a small file whole."""


def planted(content: bytes) -> Iterator[bytes]:
    """Copies of a table, each with four cells that name a person, until every column had one.

    Each has a column nobody asked for as well.
    """
    rows = _rows(content)
    width = len(rows[0])
    for start in range(0, width, PER_FILE):
        table = [[*row, _everything() if at else f"Kanarie {NATIONAL_NUMBER}"] for at, row in enumerate(rows)]
        for offset, column in enumerate(range(start, min(start + PER_FILE, width))):
            table[1 + offset][column] = f"{table[1 + offset][column] or ''} {IDENTIFIERS[column % 4]}".strip()
        yield _written(table, content)


def over_long(content: bytes) -> bytes:
    """The table with a cell longer than any workbook takes, and the person at its end."""
    rows = [list(row) for row in _rows(content)]
    rows[1][-1] = "x" * 40_000 + E_MAIL
    rows[2][-1] = ("x" * 30_000) + f" {PHONE} "
    return _written(rows, content)


def full_of_them(content: bytes) -> bytes:
    """The table with a mail address in every row."""
    rows = _rows(content)
    return _written([rows[0], *([*row[:-1], E_MAIL] for row in rows[1:])], content)


def planted_objects(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects, of which each has one leaf that names a person, until every leaf of the first had one."""
    paths = list(_leaves(objects[0]))
    found = copy.deepcopy(objects)
    for at, path in enumerate(paths):
        if at < len(found):
            _put(found[at], path, IDENTIFIERS[at % 4])
    for each in found[:50]:
        # it must be able to be the name of an XML element too
        each["kanarie_0471234567"] = _everything()
    return found


def _everything() -> str:
    return " ".join((TOKEN, *IDENTIFIERS))


def _leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, (*path, name))
    elif isinstance(value, list):
        for at, below in enumerate(value[:1]):
            yield from _leaves(below, (*path, at))
    elif not _is_moment(value):
        # the demo's suppliers sort by their moments, so those must stay moments
        yield path


def _is_moment(value: object) -> bool:
    return isinstance(value, str) and "T" in value and value[:4].isdecimal()


def _put(value: Any, path: tuple[str | int, ...], canary: str) -> None:  # noqa: ANN401 - JSON
    for step in path[:-1]:
        try:
            value = value[step]
        except (KeyError, IndexError):
            return
    if isinstance(value, dict):
        value[path[-1]] = canary


def _is_workbook(content: bytes) -> bool:
    return content.startswith(b"PK")


def _rows(content: bytes) -> list[list[Any]]:
    if _is_workbook(content):
        return [list(row) for row in load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)]
    text = _text(content)
    return list(csv.reader(io.StringIO(text), delimiter=_separator(text)))


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _separator(text: str) -> str:
    return ";" if ";" in text.partition("\n")[0] else ","


def _written(rows: list[list[Any]], like: bytes) -> bytes:
    if _is_workbook(like):
        book, packed = Workbook(), io.BytesIO()
        for row in rows:
            book.worksheets[0].append([cell if not isinstance(cell, str) else cell[:32_767] for cell in row])
        book.save(packed)
        return packed.getvalue()
    text = io.StringIO()
    csv.writer(text, delimiter=_separator(_text(like)), lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8-sig")
