"""Mijn Fluvius exports in every dialect and every state of disrepair."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.cities.profile import City
from contracts.gate import Split, split
from contracts.registry import city_named
from contracts.sources.energy_meters import READINGS
from ingestion.delivery import Context, DroppedFile
from ingestion.errors import UnreadableFileError
from ingestion.sources.energy_meters import read, reread

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


def _rows(content: str | bytes, city: City) -> pl.DataFrame:
    return reread(content if isinstance(content, bytes) else content.encode(), "export.csv", Context(city))["readings"]


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
    assert found.quarantined["reasons"].to_list() == [[r"ean: does not look like ^\d{18}$"]]


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
    with pytest.raises(UnreadableFileError, match=r"export\.csv: line 1 lacks the column 'Volume'.*found: Van datum"):
        _rows(_NL_OLD.replace("Volume", "Verbruik") + "\n", kortrijk)


def test_a_column_that_stands_twice_is_refused(kortrijk: City) -> None:
    with pytest.raises(UnreadableFileError, match="twice: EAN, EAN-code"):
        _rows(f"{_NL_OLD};EAN-code\n", kortrijk)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        (b"PK\x03\x04 a workbook", "Excel workbook"),
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


def test_a_dropped_file_keeps_its_bytes_and_its_time(kortrijk: City, drop: _Drop) -> None:
    file = drop("Verbruikshistoriek.csv", f"{_NL_OLD}\n{_NL_LINE}\n")
    delivery = read(file, Context(kortrijk))
    assert delivery.origin == "Verbruikshistoriek.csv"
    assert delivery.supplied_at == file.supplied_at
    assert delivery.complete_until is None
    assert delivery.original == file.path.read_bytes()
    assert reread(delivery.original, delivery.origin, Context(kortrijk))["readings"].equals(delivery.tables["readings"])


def test_a_file_that_vanished_is_named(kortrijk: City, drop: _Drop) -> None:
    file = drop("gone.csv", "x")
    file.path.unlink()
    with pytest.raises(UnreadableFileError, match=r"gone\.csv: cannot be opened"):
        read(file, Context(kortrijk))


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
        rows = reread("\n".join(lines).encode(), "export.csv", Context(city_named("kortrijk")))["readings"]
    except UnreadableFileError:
        assert not filled or filled[0] not in (_NL_OLD, _EN_NOW)
    else:
        assert rows.height == len(filled) - 1
        assert rows["line"].is_unique().all()
