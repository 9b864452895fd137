"""Tables that people keep, as CSV and as workbooks."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random

import openpyxl
import polars as pl
import pytest
from openpyxl.chart import BarChart

from contracts.vocabulary import Received
from ingestion.errors import UnreadableFileError
from ingestion.protocols.spreadsheet import (
    Cell,
    read_book,
    read_table,
    read_tables,
    template_columns,
    workbook_bytes,
    write_template,
)

_RECEIVED = Received(columns=("name", "day", "value", "note"), required=("name", "day", "value"))


def _workbook(*sheets: Sequence[Sequence[object]]) -> bytes:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for rows in sheets:
        sheet = workbook.create_sheet()
        for row in rows:
            sheet.append(list(row))
    packed = io.BytesIO()
    workbook.save(packed)
    return packed.getvalue()


def _table(content: str | bytes, name: str = "table.csv") -> pl.DataFrame:
    return read_table(content.encode() if isinstance(content, str) else content, name, _RECEIVED)


@pytest.mark.parametrize(
    "content",
    [
        "name;day;value\na;2026-01-02;1,5\n",
        'name,day,value\na,2026-01-02,"1,5"\n',
        " Name ;DAY;Value\r\na;2026-01-02;1,5\r\n",
        "\ufeffname;day;value\na;2026-01-02;1,5",
        '"name";"day";"value"\n"a";"2026-01-02";"1,5"\n',
    ],
    ids=["semicolon", "comma", "capitals and blanks", "byte-order mark", "quoted"],
)
def test_every_way_to_write_a_csv_gives_the_same_rows(content: str) -> None:
    assert _table(content).rows() == [(2, "a", "2026-01-02", "1,5")]


def test_a_windows_encoding_keeps_its_accents() -> None:
    assert _table("name;day;value\ncafé;x;1\n".encode("cp1252"))["name"].to_list() == ["café"]


def test_the_header_may_stand_below_a_title() -> None:
    table = _table("Export van 22 november;;\n;;\nname;day;value\na;x;1\n")
    assert table["line"].to_list() == [4]


def test_an_empty_row_is_no_row_and_lines_are_those_of_the_file() -> None:
    assert _table("name;day;value\n;;\na;x;1\n\nb;y;2\n")["line"].to_list() == [3, 5]


def test_a_cell_over_two_lines_stays_one_row() -> None:
    table = _table('name;day;value;note\na;x;1;"two\nlines"\nb;y;2;\n')
    assert table["note"].to_list() == ["two\nlines", ""]
    assert table["line"].to_list() == [2, 4]


@pytest.mark.parametrize("broken", ["b;y", "b;y;2;3;4", "b"])
def test_a_ragged_row_stays_as_a_row_without_content(broken: str) -> None:
    table = _table(f"name;day;value\na;x;1\n{broken}\nc;z;3\n")
    assert table.rows() == [(2, "a", "x", "1"), (3, None, None, None), (4, "c", "z", "3")]


def test_empty_cells_behind_the_last_column_do_no_harm() -> None:
    assert _table("name;day;value\na;x;1;;\n")["value"].to_list() == ["1"]


def test_an_open_quotation_mark_spoils_one_row_only() -> None:
    table = _table('name;day;value\n"a;x;1\nb;y;2\nc;z;3\n')
    assert table["name"].to_list() == [None, "b", "c"]


def test_other_columns_come_along_under_a_name_of_their_own() -> None:
    table = _table("name;Phone;day;value;Phone;line;\na;1;x;1;2;3;\n")
    assert table.columns == ["line", "name", "Phone", "day", "value", "Phone (5)", "line (6)", "column (7)"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("name;day\na;x\n", r"table\.csv: no row holds the column 'value'; of the template only name, day was found"),
        ("name|day|value\n", "'name', 'day', 'value'"),
        ("name;day;value;value\n", "value twice"),
        ("", "empty"),
        ("<html><body>", "web page"),
        (b"\xff\xfen\x00a\x00", "binary"),
        (b"PK\x03\x04not really", "damaged workbook"),
    ],
)
def test_what_is_no_such_table_is_refused_and_says_why(content: str | bytes, says: str) -> None:
    with pytest.raises(UnreadableFileError, match=says):
        _table(content)


def test_a_workbook_gives_text_with_its_dates_in_iso() -> None:
    rows = [["name", "day", "value", "note"], ["0042", date(2026, 11, 22), 1.5, None], [42, "22/11/2026", 2, "x"]]
    table = _table(_workbook(rows), "table.xlsx")
    assert table.rows() == [(2, "0042", "2026-11-22 00:00:00", "1.5", None), (3, "42", "22/11/2026", "2", "x")]


def test_a_workbook_keeps_the_numbers_of_its_rows() -> None:
    rows: list[list[object]] = [[], ["Titel"], [], ["name", "day", "value"], [], ["a", "x", 1], ["b", "y", 2]]
    assert _table(_workbook(rows), "table.xlsx")["line"].to_list() == [6, 7]


def test_the_sheet_with_the_header_is_found() -> None:
    content = _workbook([["Toelichting"]], [], [["name", "day", "value"], ["a", "x", 1]])
    assert _table(content, "table.xlsx")["name"].to_list() == ["a"]


def test_a_workbook_without_the_column_says_what_it_has() -> None:
    with pytest.raises(UnreadableFileError, match=r"table\.xlsx: no row holds the column 'value'.*day"):
        _table(_workbook([["name", "day"]]), "table.xlsx")


def test_a_workbook_named_csv_is_read_as_what_it_is() -> None:
    assert _table(_workbook([["name", "day", "value"], ["a", "x", 1]]), "table.csv").height == 1


def test_a_workbook_that_would_unpack_to_a_gigabyte_is_not_opened() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/worksheets/sheet1.xml", b"0" * 210_000_000)
    with pytest.raises(UnreadableFileError, match="unpacks to 200 MB"):
        _table(packed.getvalue(), "table.xlsx")


def test_a_workbook_of_thousands_of_parts_is_not_opened() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as bomb:
        for number in range(1001):
            bomb.writestr(str(number), b"x")
    with pytest.raises(UnreadableFileError, match="in 1001 parts"):
        _table(packed.getvalue(), "table.xlsx")


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        _table(packed.getvalue(), "table.xlsx")


def _damaged(content: bytes, random: Random) -> bytes:
    """The same bytes cut off, or with a few of them changed."""
    changed = bytearray(content)
    if random.random() < 0.3:
        return bytes(changed[: random.randrange(len(changed))])
    for _ in range(random.randrange(1, 6)):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def test_a_damaged_workbook_is_read_or_refused_and_nothing_else() -> None:
    content = _workbook([["name", "day", "value"], *(["a", "x", number] for number in range(50))])
    random = Random(20261122)  # noqa: S311 - the same damage at every run
    refused = 0
    for _ in range(300):
        try:
            _table(_damaged(content, random), "table.xlsx")
        except UnreadableFileError:
            refused += 1
    assert refused > 100


def test_a_damaged_csv_is_read_or_refused_and_nothing_else() -> None:
    content = b"name;day;value\n" + b'"a";x;1\n' * 30
    random = Random(20261122)  # noqa: S311 - idem
    read = 0
    for _ in range(300):
        try:
            # a changed byte may join two lines or split one, never lose the table
            assert _table(_damaged(content, random)).height <= 40
            read += 1
        except UnreadableFileError:
            continue
    assert read > 50


def test_a_zip_of_a_version_to_come_is_refused() -> None:
    content = bytearray(_workbook([["name", "day", "value"]]))
    central = content.index(b"PK\x01\x02")
    content[central + 6] = 70
    with pytest.raises(UnreadableFileError, match="damaged workbook"):
        _table(bytes(content), "table.xlsx")


def test_a_header_merged_over_two_rows_is_one_header() -> None:
    rows = [["name", "when", None, "note"], [None, "day", "value", None], ["a", "x", 1, "n"]]
    assert _table(_workbook(rows), "table.xlsx").rows() == [(3, "a", "x", "1", "n")]


def test_a_header_pasted_in_again_is_no_row() -> None:
    table = _table("name;day;value\na;x;1\n Name;DAY;value\nb;y;2\n")
    assert table.select("line", "name").rows() == [(2, "a"), (4, "b")]


@pytest.mark.parametrize("total", ["Totaal;;", "Total;;3", "SOM;;3", "Subtotaal;;\nTotaal;;3"])
def test_totals_at_the_end_are_no_rows(total: str) -> None:
    assert _table(f"name;day;value;note\na;x;1;\nb;y;2;\n{total.replace(';;', ';;;', 1)}\n")["name"].to_list() == [
        "a",
        "b",
    ]


def test_what_only_looks_like_a_total_stays_a_row() -> None:
    table = _table("name;day;value;note\nTotaalrenovatie;x;1;n\nTotaal;x;1;n\nb;y;2;n\nTotaal;x;1;n\n")
    assert table.height == 4


_OTHER = Received(columns=("name", "colour", "added"), required=("name", "colour"), added=("added",))


def test_two_tables_of_a_workbook_are_found_in_whatever_order_they_stand() -> None:
    content = _workbook([["name", "colour"], ["a", "red"]], [["name", "day", "value"], ["a", "x", 1]])
    found = read_tables(content, "table.xlsx", {"days": _RECEIVED, "colours": _OTHER})
    assert {name: table.height for name, table in found.items()} == {"days": 1, "colours": 1}
    assert found["colours"]["colour"].to_list() == ["red"]


def test_one_table_of_two_is_enough_and_none_is_refused() -> None:
    found = read_tables(b"name;colour\na;red\n", "table.csv", {"days": _RECEIVED, "colours": _OTHER})
    assert list(found) == ["colours"]
    with pytest.raises(UnreadableFileError, match="'colour'"):
        read_tables(b"name\na\n", "table.csv", {"colours": _OTHER})


_DAYS: list[list[Cell]] = [["name", "day", "value"], ["a", "x", 1]]


def test_one_table_on_two_sheets_is_refused_for_a_line_says_nothing_of_its_sheet() -> None:
    content = workbook_bytes({"2024": _DAYS, "Familie Peeters": [["leeg"]], "2025": [["Titel"], *_DAYS]})
    with pytest.raises(
        UnreadableFileError,
        match=r"^table\.xlsx: sheets 1 \(2024\) and 3 \(2025\) both hold rows of one table; put them on one sheet",
    ):
        _table(content, "table.xlsx")


@pytest.mark.parametrize("filled", [0, 1])
def test_a_sheet_with_only_the_header_is_no_second_table(filled: int) -> None:
    sheets: list[list[list[Cell]]] = [_DAYS[:1], _DAYS[:1]]
    sheets[filled] = _DAYS
    assert _table(_workbook(*sheets), "table.xlsx")["name"].to_list() == ["a"]


def test_a_sheet_whose_header_lacks_one_column_is_not_left_out() -> None:
    content = workbook_bytes({"Familie Peeters": _DAYS, "Blad2": [["name", "day", "waarde"], ["b", "y", 2]]})
    with pytest.raises(UnreadableFileError, match=r"table\.xlsx: sheet 2 \(Blad2\): no row holds the column 'value'"):
        _table(content, "table.xlsx")


def test_a_sheet_that_is_no_table_is_counted_and_named_by_its_place() -> None:
    explanation: list[list[Cell]] = [["Toelichting"], [], ["value", "een getal"]]
    content = workbook_bytes({"Familie Peeters": explanation, "Blad2": _DAYS, "Blad 3": [["x"]], "leeg": []})
    book = read_book(content, "table.xlsx", {"days": _RECEIVED})
    assert book.tables["days"]["name"].to_list() == ["a"]
    assert book.unread == {
        "blad 1 heeft niet de kolommen van het sjabloon": 2,
        "blad 3 (Blad 3) heeft niet de kolommen van het sjabloon": 1,
    }


def test_a_hidden_sheet_with_rows_is_not_left_out_and_a_chart_is_no_sheet() -> None:
    book = openpyxl.load_workbook(io.BytesIO(_workbook(_DAYS, _DAYS)))
    book.create_chartsheet("Grafiek").add_chart(BarChart())
    packed = io.BytesIO()
    book.save(packed)
    with pytest.raises(UnreadableFileError, match="both hold rows"):
        _table(packed.getvalue(), "table.xlsx")
    book.remove(book.worksheets[0])
    book.worksheets[0].sheet_state = "hidden"
    packed = io.BytesIO()
    book.save(packed)
    assert _table(packed.getvalue(), "table.xlsx").height == 1


def test_a_log_that_repeats_a_column_of_what_it_is_about_is_only_the_log() -> None:
    log = Received(columns=("name", "moment", "said"), required=("name", "moment", "said"))
    things = Received(columns=("name", "moment"), required=("name", "moment"))
    found = read_tables(b"name;moment;said\na;x;y\n", "table.csv", {"things": things, "log": log})
    assert list(found) == ["log"]


def test_a_workbook_of_empty_sheets_is_empty() -> None:
    with pytest.raises(UnreadableFileError, match=r"table\.xlsx: is empty"):
        _table(_workbook([], []), "table.xlsx")


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_an_empty_template_is_read_back_as_an_empty_table(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"template.{ending}"
    write_template(_RECEIVED, path)
    first = path.read_bytes()
    write_template(_RECEIVED, path)
    assert path.read_bytes() == first
    table = read_table(first, path.name, _RECEIVED)
    assert (table.height, table.columns) == (0, ["line", *_RECEIVED.columns])


def test_a_template_of_two_tables_has_two_sheets_and_no_column_that_the_reader_adds(tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    write_template({"Dagen": _RECEIVED, "Kleuren": _OTHER}, path)
    book = openpyxl.load_workbook(path)
    headers = {sheet.title: [cell.value for cell in sheet[1]] for sheet in book.worksheets}
    assert headers == {"Dagen": list(_RECEIVED.columns), "Kleuren": ["name", "colour"]}
    assert template_columns(_OTHER) == ["name", "colour"]


@pytest.mark.parametrize("name", ["template.csv", "template.ods"])
def test_a_template_that_cannot_be_written_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a template of 2 tables cannot be written"):
        write_template({"a": _RECEIVED, "b": _OTHER}, tmp_path / name)


def test_a_workbook_of_the_same_rows_has_the_same_bytes() -> None:
    sheets = {"a": [["x", date(2026, 11, 22), 1.5]], "b": [["y"]]}
    assert workbook_bytes(sheets) == workbook_bytes(sheets)
