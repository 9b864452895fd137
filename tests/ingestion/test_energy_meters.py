"""Mijn Fluvius exports in every dialect and every state of disrepair."""

import gzip
import io
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.cities.profile import City
from contracts.gate import Split, split
from contracts.sources.energy_meters import READINGS
from ingestion.delivery import Context, DroppedFile
from ingestion.errors import UnreadableFileError
from ingestion.protocols.fluvius_csv import read_export
from ingestion.protocols.spreadsheet import workbook_bytes
from ingestion.registered_meters import UNKNOWN
from ingestion.sources.energy_meters import SOURCE
from tests.ingestion.conftest import SUPPLIED_AT

_NL_NOW = (
    "Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Meter;Metertype;Register;Volume;Eenheid;"
    "Validatiestatus;Omschrijving"
)
_NL_OLD = "Van datum;Van tijdstip;Tot datum;Tot tijdstip;EAN;Meter;Metertype;Register;Volume;Eenheid;Validatiestatus"
_NL_GAS = _NL_NOW.replace("Omschrijving", "Calorische bovenwaarde;Omschrijving")
_EN_NOW = (
    "From (date);From (time);Until (date);Until (time);EAN code;Meter;Meter type;Register;Volume;Unit;"
    "Validation status;Description"
)
_NL_LINE = (
    '26-10-2025;00:00:00;26-10-2025;00:15:00;="541448800000000004";1SAG0000000000;Digitale meter;Afname Nacht;0,520;'
    "kWh;Uitgelezen"
)
_EN_LINE = (
    '22/10/2023;00:15:00;22/10/2023;00:30:00;="123456879123456789";1SAG1234567890;Digital meter;Offtake Night;0,173;'
    "kWh;Read;"
)
_GAS_LINE = (
    '26-10-2025;00:00:00;26-10-2025;01:00:00;="541448800000000011";7FLO0000000000;Digitale meter;Afname;0,239;kWh;'
    "Uitgelezen;Definitief;"
)

_Drop = Callable[[str, bytes | str], DroppedFile]


_REGISTERED = pl.DataFrame(
    {"ean": ["541448800000000004"], "is_dwelling": [False], "content_sha256": ["a"]},
).with_columns(
    valid_from_date=pl.lit(date(2019, 1, 1)), valid_to_date=pl.lit(None, pl.Date), supplied_at=pl.lit(SUPPLIED_AT)
)


def _context(city: City) -> Context:
    return Context(city, rows=lambda *_: _REGISTERED)


def _rows(content: str | bytes, _: City) -> pl.DataFrame:
    return read_export(content if isinstance(content, bytes) else content.encode(), "export.csv")[0]


def _gated(content: str | bytes, city: City) -> Split:
    return split(_rows(content, city), READINGS, city)


@pytest.mark.parametrize(
    "dialect",
    [
        (_NL_NOW, _NL_LINE + ";", "electricity", 0.52),
        (_NL_OLD, _NL_LINE, "electricity", 0.52),
        (_EN_NOW, _EN_LINE, "electricity", 0.173),
        (_NL_GAS, _GAS_LINE, "gas", 0.239),
        (_NL_GAS.upper(), _GAS_LINE, "gas", 0.239),
    ],
    ids=["Dutch", "older Dutch", "English", "gas", "capitals"],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_every_dialect_gives_the_same_columns(
    kortrijk: City, dialect: tuple[str, str, str, float], line_end: str, encoding: str
) -> None:
    header, line, carrier, value = dialect
    found = _gated(line_end.join([header, line, ""]).encode(encoding), kortrijk)
    reading = found.accepted.row(0, named=True)
    assert (reading["carrier"], reading["value"], reading["direction"]) == (carrier, value, "offtake")
    assert reading["line"] == 2
    assert found.quarantined.height == 0


def test_columns_are_found_by_name_in_any_order(kortrijk: City) -> None:
    titles, cells = _NL_OLD.split(";"), _NL_LINE.split(";")
    found = _gated(";".join(reversed(titles)) + "\n" + ";".join(reversed(cells)), kortrijk)
    assert found.accepted["value"].to_list() == [0.52]


def test_a_cubic_metre_survives_a_windows_encoding(kortrijk: City) -> None:
    line = _GAS_LINE.replace("kWh", "m³").replace("Definitief", "")
    assert _gated(f"{_NL_GAS}\n{line}\n".encode("cp1252"), kortrijk).accepted["unit"].to_list() == ["m3"]


def test_the_ean_stays_as_the_file_has_it_and_the_contract_strips_it(kortrijk: City) -> None:
    content = f"{_NL_OLD}\n{_NL_LINE}\n"
    assert _rows(content, kortrijk)["ean"].to_list() == ['="541448800000000004"']
    assert _gated(content, kortrijk).accepted["ean"].to_list() == ["541448800000000004"]


def test_an_ean_that_excel_mangled_is_refused_with_its_reason(kortrijk: City) -> None:
    mangled = _NL_LINE.replace('="541448800000000004"', "5,41449E+17")
    found = _gated(f"{_NL_OLD}\n{mangled}\n", kortrijk)
    assert found.accepted.height == 0
    assert found.quarantined["reasons"].to_list() == [["ean: was rounded by a spreadsheet"]]


@pytest.mark.parametrize(
    "broken",
    ["26-10-2025;00:00:00", _NL_LINE + ";a;b", "garbage", _NL_LINE.replace("0,520", "0;520"), '"' + _NL_LINE[:40]],
)
def test_a_ragged_line_is_refused_alone(kortrijk: City, broken: str) -> None:
    later = _NL_LINE.replace("00:15:00", "00:30:00").replace("00:00:00", "00:15:00")
    found = _gated(f"{_NL_OLD}\n{_NL_LINE}\n{broken}\n{later}\n", kortrijk)
    assert (found.received, found.accepted.height) == (3, 2)
    assert found.quarantined["line"].to_list() == [3]


def test_lines_are_numbered_as_in_the_file_and_empty_lines_are_no_rows(kortrijk: City) -> None:
    rows = _rows(f"\n{_NL_OLD}\r\n\r\n{_NL_LINE}\r\n  \r\n{_NL_LINE}\r\n", kortrijk)
    assert rows["line"].to_list() == [4, 6]


def test_an_unknown_column_comes_along_under_its_own_name(kortrijk: City) -> None:
    rows = _rows(f"{_NL_OLD};Line;Contactpersoon\n{_NL_LINE};7;Jan\n", kortrijk)
    assert "Contactpersoon" in rows.columns
    assert _gated(f"{_NL_OLD};line;carrier\n{_NL_LINE};7;steam\n", kortrijk).accepted["carrier"][0] == "electricity"


def test_a_missing_column_is_named_as_the_file_would_have_it(kortrijk: City) -> None:
    with pytest.raises(UnreadableFileError, match=r"export\.csv: line 1: lacks the column 'Volume'.*found: Van datum"):
        _rows(_NL_OLD.replace("Volume", "Verbruik") + "\n", kortrijk)


def test_a_column_that_stands_twice_is_refused(kortrijk: City) -> None:
    with pytest.raises(UnreadableFileError, match="twice: EAN, EAN-code"):
        _rows(f"{_NL_OLD};EAN-code\n", kortrijk)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        (b"PK\x03\x04 a workbook", "damaged"),
        (b"Van\nTot\n\x00\x01\x02", "line 3 holds binary"),
        (b"Van\n\x81\x8d", "line 2 is neither UTF-8"),
        (b"  <!DOCTYPE html><html>", "web page"),
        (b"Van (datum),Van (tijdstip)\n", "lacks the column 'Van \\(datum\\)'"),
        (b"%PDF-1.7 nothing to see", "lacks the column"),
    ],
)
def test_what_is_no_export_is_refused_and_says_why(kortrijk: City, content: bytes, says: str) -> None:
    with pytest.raises(UnreadableFileError, match=says):
        _rows(content, kortrijk)


def test_a_header_alone_is_a_delivery_of_nothing(kortrijk: City) -> None:
    assert _rows(_NL_NOW, kortrijk).height == 0


def test_a_dropped_file_keeps_its_name_and_its_time(kortrijk: City, drop: _Drop) -> None:
    file = drop("Verbruikshistoriek.csv", f"{_NL_OLD}\n{_NL_LINE}\n")
    delivery = SOURCE.read(file, _context(kortrijk))
    assert delivery.origin == "Verbruikshistoriek.csv"
    assert delivery.supplied_at == file.supplied_at
    assert delivery.complete_until is None
    assert delivery.withheld == {}
    # a dwelling may be in it, so the file itself is never kept
    assert delivery.original is None


def test_what_was_kept_of_an_older_contract_is_read_again_past_the_register_of_today(kortrijk: City) -> None:
    stranger = _NL_LINE.replace("541448800000000004", "541448890000000919")
    original = f"{_NL_OLD}\n{_NL_LINE}\n{stranger}\n".encode()
    rows = SOURCE.reread(original, "Verbruikshistoriek.csv", _context(kortrijk))["readings"]
    assert rows["line"].to_list() == [2]


@pytest.mark.parametrize("column", ["granularity", "start_at", "source", "part", "line", "carrier", ""])
def test_a_column_that_bears_a_name_of_ours_is_not_taken_for_it(kortrijk: City, column: str) -> None:
    (reading,) = _gated(f"{_NL_OLD};{column}\n{_NL_LINE};P1M\n", kortrijk).accepted.iter_rows(named=True)
    assert (reading["granularity"], reading["source"], reading["carrier"]) == ("PT15M", "fluvius_csv", "electricity")


@pytest.mark.parametrize("title", ["Submeter", "SUB-EAN", "EAN-code submeter"])
def test_a_submeter_has_a_series_of_its_own(kortrijk: City, title: str) -> None:
    content = f"{_NL_OLD};{title}\n{_NL_LINE};001\n{_NL_LINE};\n"
    assert _gated(content, kortrijk).accepted["sub_ean"].sort().to_list() == ["", "001"]


def test_gas_without_its_calorific_column_is_known_by_its_cubic_metres(kortrijk: City) -> None:
    line = _NL_LINE.replace("Afname Nacht", "Afname").replace("00:15:00", "01:00:00")
    other = line.replace("541448800000000004", "541448800000000011")
    content = "\n".join([_NL_OLD, line, line.replace("kWh", "m³"), other])
    assert sorted(_gated(content, kortrijk).accepted.select("carrier", "unit").iter_rows()) == [
        ("electricity", "kWh"),
        ("gas", "kWh"),
        ("gas", "m3"),
    ]


def test_a_gzipped_export_is_the_export(kortrijk: City) -> None:
    packed = gzip.compress(f"{_NL_OLD}\n{_NL_LINE}\n".encode())
    assert _gated(packed, kortrijk).accepted["value"].to_list() == [0.52]


def _zip(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _night(since: str, until: str, kwh: int) -> str:
    times = f"25-10-2026;{since};25-10-2026;{until}"
    return f'{times};="541448800000000004";1S;Digitale meter;Afname Nacht;{kwh};kWh;Uitgelezen'


def test_the_exports_in_a_zip_keep_their_own_granularity_and_order(kortrijk: City) -> None:
    pair = [_night("02:45:00", "02:00:00", 1), _night("02:45:00", "03:00:00", 2)]
    # the same quarters twice in one zip are no third and fourth of a pair
    quarters = "\n".join([_NL_OLD, _night("01:45:00", "02:00:00", 3), *pair])
    day = f"{_NL_OLD}\n{_night('00:00:00', '23:00:00', 9)}\n"
    found = _gated(_zip({"a.csv": quarters, "b.csv": quarters, "sub/c.csv": day}), kortrijk)
    assert (found.received, found.duplicate, found.quarantined.height) == (7, 3, 0)
    assert dict(found.accepted.group_by("granularity").len().iter_rows()) == {"PT15M": 3, "P1D": 1}


def test_a_line_in_a_zip_is_counted_on_through_its_files(kortrijk: City) -> None:
    rows = _rows(_zip({"a.csv": f"{_NL_OLD}\n{_NL_LINE}\n", "b.csv": f"{_NL_OLD}\n{_NL_LINE}\n"}), kortrijk)
    assert rows["line"].to_list() == [2, 4]


def test_a_file_in_a_zip_that_is_no_export_is_named(kortrijk: City) -> None:
    with pytest.raises(UnreadableFileError, match=r"export\.csv: leesmij\.txt: line 1: lacks the column"):
        _rows(_zip({"a.csv": f"{_NL_OLD}\n{_NL_LINE}\n", "leesmij.txt": "hallo"}), kortrijk)


def _workbook(rows: Iterable[Sequence[str | float]]) -> bytes:
    return workbook_bytes({"Afname": rows})


def test_a_workbook_with_one_cell_per_row_is_the_export(kortrijk: City) -> None:
    line = _NL_LINE.replace('="541448800000000004"', "=541448800000000004")
    found = _gated(_workbook([[_NL_OLD], [line]]), kortrijk)
    assert found.accepted.select("ean", "value", "line").rows() == [("541448800000000004", 0.52, 2)]


def _quarters(day: str) -> list[list[str]]:
    line = _NL_LINE.replace('="', "").replace('"', "").replace("26-10-2025", day)
    return [_NL_OLD.split(";"), line.split(";")]


def test_every_sheet_of_a_workbook_is_a_part_of_its_own(kortrijk: City) -> None:
    sheets: dict[str, list[list[str]]] = {"leeg": [], "a": _quarters("26-10-2025"), "b": [[], *_quarters("27-10-2025")]}
    found = _gated(workbook_bytes(sheets), kortrijk)
    assert found.accepted.sort("line").select("line", "reading_date").rows() == [
        (2, date(2025, 10, 26)),
        # counted on through the sheets, as through the files of a zip
        (5, date(2025, 10, 27)),
    ]
    assert _rows(workbook_bytes(sheets), kortrijk)["part"].to_list() == ["1", "2"]


def test_the_repeated_hour_on_two_sheets_is_no_third_and_fourth_of_a_pair(kortrijk: City) -> None:
    pair = [_night("02:45:00", "02:00:00", 1), _night("02:45:00", "03:00:00", 2)]
    sheet = [line.replace('"', "").replace("=", "").split(";") for line in (_NL_OLD, *pair)]
    found = _gated(workbook_bytes({"a": sheet, "b": sheet}), kortrijk)
    assert (found.accepted.height, found.duplicate, found.quarantined.height) == (2, 2, 0)


def test_a_sheet_that_is_no_export_is_named(kortrijk: City) -> None:
    sheets = {"a": _quarters("26-10-2025"), "Blad2": [["Toelichting"]]}
    with pytest.raises(UnreadableFileError, match=r"export\.csv: sheet 2 \(Blad2\): line 1: lacks the column"):
        _rows(workbook_bytes(sheets), kortrijk)


def test_workbooks_in_a_zip_are_read_sheet_by_sheet(kortrijk: City) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, days in (("a.xlsx", ("26-10-2025", "27-10-2025")), ("b.xlsx", ("28-10-2025",))):
            archive.writestr(name, workbook_bytes({day: _quarters(day) for day in days}))
    rows = _rows(packed.getvalue(), kortrijk)
    assert rows.select("line", "part", "from_date").rows() == [
        (2, "1", "26-10-2025"),
        (4, "2", "27-10-2025"),
        (6, "3", "28-10-2025"),
    ]


def test_a_workbook_with_a_cell_per_column_is_read_too(kortrijk: City) -> None:
    found = _gated(_workbook([_NL_OLD.split(";"), _NL_LINE.replace('="', "").replace('"', "").split(";")]), kortrijk)
    assert found.accepted["ean"].to_list() == ["541448800000000004"]


def test_an_ean_that_excel_rounded_to_another_does_not_come_in(kortrijk: City, drop: _Drop) -> None:
    cells: list[str | float] = [*_NL_LINE.split(";")]
    cells[4] = 541448800000000004
    delivery = SOURCE.read(drop("a.xlsx", _workbook([_NL_OLD.split(";"), cells])), _context(kortrijk))
    assert delivery.tables["readings"].height == 0
    assert delivery.withheld == {UNKNOWN: 1}


def test_an_empty_workbook_is_refused(kortrijk: City) -> None:
    with pytest.raises(UnreadableFileError, match="empty"):
        _rows(_workbook([[""]]), kortrijk)


def _deflated(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, _deflated])
def test_a_bomb_is_refused_before_it_unpacks(kortrijk: City, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"0" * 60_000_000)
    started = time.process_time()
    with pytest.raises(UnreadableFileError, match="unpacks to"):
        _rows(bomb, kortrijk)
    assert time.process_time() - started < 5


def test_a_file_that_vanished_is_named(kortrijk: City, drop: _Drop) -> None:
    file = drop("gone.csv", "x")
    file.path.unlink()
    with pytest.raises(UnreadableFileError, match=r"gone\.csv: cannot be opened"):
        SOURCE.read(file, _context(kortrijk))


@pytest.mark.parametrize(
    ("pattern", "rows", "long_days"),
    [
        ("*elektriciteit*.csv", 3848, ["2021-10-31"]),
        ("*electricity*.csv", 13640, ["2023-10-29"]),
        ("*gas*.csv", 116, []),
    ],
)
def test_real_exports_pass_whole(
    real_data: Path, kortrijk: City, pattern: str, rows: int, long_days: list[str]
) -> None:
    (path,) = (real_data / "energy_meters" / "fluvius_export").glob(pattern)
    found = _gated(path.read_bytes(), kortrijk)
    assert (found.received, found.accepted.height, found.quarantined.height) == (rows, rows, 0)
    per_day = found.accepted.group_by("reading_date", "direction", "unit").len()
    assert sorted(per_day.filter(pl.col("len") == 100)["reading_date"].cast(pl.String).unique()) == long_days
    assert per_day["len"].max() in (24, 100)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([_NL_OLD, _NL_LINE, _EN_NOW, "", ";", "\r", '"', "é", "\u2028", "x;y"]), max_size=12))
def test_any_pile_of_lines_is_read_or_refused_and_no_line_is_lost(lines: list[str]) -> None:
    filled = [line for line in lines if line.strip()]
    try:
        rows, _ = read_export("\n".join(lines).encode(), "export.csv")
    except UnreadableFileError:
        assert not filled or filled[0] not in (_NL_OLD, _EN_NOW)
    else:
        assert rows.height == len(filled) - 1
        assert rows["line"].is_unique().all()
