"""Canaries: what must never be found again, and how they get into what suppliers send."""

import copy
import csv
import io
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from openpyxl import Workbook, load_workbook

from contracts.registry import all_contracts

TOKEN = "kanarie-5d1f-token"
NATIONAL_NUMBER = "85.07.30-033.28"
PHONE = "0471/23.45.67"
E_MAIL = "kanarie.vogel@mail.be"
IDENTIFIERS = (
    NATIONAL_NUMBER,
    PHONE,
    E_MAIL,
    "85073003328",
    "0471234567",
    "056277840",
    "32471234567",
    "BE71-0961-2345-6769",
    "https://x.be/0471234567/85073003328.pdf",
    "85.07.30\u2013033.28",
)
"""As a person writes them, and bare."""
PERSON = ("Annelies", "Vandekanarie")
"""A name, which no list holds and no pattern finds."""
FORMS = (
    *(TOKEN, *IDENTIFIERS, "kanarie.vogel", "mail.be", "BE71096123456769"),
    *(spelt(name) for name in PERSON for spelt in (str, str.lower, str.upper)),
    IDENTIFIERS[-1].encode("unicode_escape").decode(),
)
"""Every form in which one may turn up."""
PER_FILE = 4
"""One more would make the door refuse a small file whole."""
_TITLES = [
    (title, wire in table.listed)
    for contract in all_contracts().values()
    for table in contract.tables
    for wire in table.received.columns
    if table.received.is_filled(wire)
    for title in (wire, table.received.spelling(wire))
]
LISTED = {title for title, is_listed in _TITLES if is_listed} - {title for title, is_listed in _TITLES if not is_listed}
"""The columns in which only words of a list may stand."""


def planted(content: bytes) -> Iterator[bytes]:
    """Copies of a table, each with four rows that name a person, and with a column nobody asked for.

    First one cell in each of these rows, until every column had one beside what it holds and one instead of it; then
    all cells of a row at once, until every column had every form, in both ways.
    """
    rows = _rows(content)
    width = len(rows[0])
    for is_alone in (False, True):
        for start in range(0, width, PER_FILE):
            columns = range(start, min(start + PER_FILE, width))
            cells = {(1 + at, column): _form(column + is_alone) for at, column in enumerate(columns)}
            yield _planted(rows, cells, content, is_alone=is_alone)
    for is_alone in (True, False):
        for start in range(0, len(IDENTIFIERS), PER_FILE):
            forms = enumerate(IDENTIFIERS[start : start + PER_FILE])
            cells = {(1 + at, column): form for at, form in forms for column in range(width)}
            yield _planted(rows, cells, content, is_alone=is_alone)


def _form(number: int) -> str:
    return IDENTIFIERS[number % len(IDENTIFIERS)]


def _planted(rows: list[list[Any]], cells: Mapping[tuple[int, int], str], like: bytes, *, is_alone: bool) -> bytes:
    """The table with these cells beside what was there, or instead of it."""
    table = [[*row, _everything() if at else f"{' '.join(PERSON)} {NATIONAL_NUMBER}"] for at, row in enumerate(rows)]
    listed = [column for column, title in enumerate(rows[0]) if title in LISTED]
    for row, column in enumerate(listed, 1 + PER_FILE):
        # one cell of a row, so that it is refused for that alone
        table[row % len(table) or 1][column] = " ".join(PERSON)
    for (row, column), form in cells.items():
        table[row][column] = form if is_alone else f"{table[row][column] or ''} {form}".strip()
    return _written(table, like)


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
    """The objects, of which each has one leaf that names a person, until every leaf of the first had every form."""
    paths = list(_leaves(objects[0]))
    found = copy.deepcopy(objects)
    for each, (form, path) in zip(found, product(IDENTIFIERS, paths), strict=False):
        _put(each, path, form)
    for each in found[:50]:
        # it must be able to be the name of an XML element too
        each["kanarie_0471234567"] = _everything()
        each["_".join(PERSON)] = "x"
    listed = [path for path in paths if path[-1] in LISTED]
    for at, path in enumerate(listed * 2):
        _put(found[-1 - at % len(found)], path, " ".join(PERSON))
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
        book.worksheets[0].title = " ".join(PERSON)
        for row in rows:
            book.worksheets[0].append([cell if not isinstance(cell, str) else cell[:32_767] for cell in row])
        book.save(packed)
        return packed.getvalue()
    text = io.StringIO()
    csv.writer(text, delimiter=_separator(_text(like)), lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8-sig")
