"""The register of buildings, as CSV and as a workbook, and what of a dwelling is never written."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from contracts.cities.profile import City
from contracts.gate import Split, split
from contracts.sources.buildings import CONNECTIONS
from ingestion.delivery import Context, DroppedFile
from ingestion.errors import UnreadableFileError
from ingestion.protocols.spreadsheet import workbook_bytes
from ingestion.sources.buildings import SOURCE

HEADER = CONNECTIONS.received.columns
HALL = (
    *("stadhuis", "Stadhuis", "541448890000000117", "elektriciteit", "2019-01-01", "", "6400", "administratie"),
    *("gebouwen", "123", "nee", "34022A00-"),
)
HOME = ("woning_1", "Familie Peeters", "541448890000000711", "Gas", "", "", "", "woning", "", "", "ja", "")

_Drop = Callable[[str, bytes | str], DroppedFile]


def _text(*rows: tuple[str, ...]) -> str:
    return "\n".join(";".join(row) for row in (HEADER, *rows)) + "\n"


def _gated(content: str | bytes, city: City) -> Split:
    rows = SOURCE.reread(content.encode() if isinstance(content, str) else content, "register", Context(city))[
        "connections"
    ]
    return split(rows, CONNECTIONS, city)


def _changed(**cells: str) -> tuple[str, ...]:
    return tuple((dict(zip(HEADER, HALL, strict=True)) | cells).values())


def test_a_register_says_what_each_access_point_serves(kortrijk: City) -> None:
    hall, home = _gated(_text(HALL, HOME), kortrijk).accepted.sort("site_id").iter_rows(named=True)
    assert (hall["ean"], hall["carrier"], hall["floor_area_m2"]) == ("541448890000000117", "electricity", 6400)
    assert (hall["valid_from_date"], hall["valid_to_date"]) == (date(2019, 1, 1), None)
    assert (hall["department_id"], hall["building_register_id"], hall["area_id"]) == ("gebouwen", "123", "34022A00-")
    assert (home["is_dwelling"], home["carrier"], home["valid_from_date"]) == (True, "gas", date(1900, 1, 1))


def test_the_same_register_as_a_workbook_says_the_same(kortrijk: City) -> None:
    rows = [HEADER, [*HALL[:4], date(2019, 1, 1), None, 6400, *HALL[7:]], HOME]
    assert _gated(workbook_bytes({"Register": rows}), kortrijk).accepted.equals(
        _gated(_text(HALL, HOME), kortrijk).accepted
    )


def test_a_sheet_beside_the_register_is_told(kortrijk: City, drop: _Drop) -> None:
    file = drop("register.xlsx", workbook_bytes({"Register": [HEADER, HALL], "Lijst": [["gebruik"], ["school"]]}))
    delivery = SOURCE.read(file, Context(kortrijk))
    assert delivery.tables["connections"].height == 1
    assert delivery.withheld == {"blad 2 heeft niet de kolommen van het sjabloon": 2}


@pytest.mark.parametrize("said", ["ja", "JA ", "", "misschien", "x"])
def test_the_name_beside_what_may_be_a_dwelling_is_written_nowhere(kortrijk: City, drop: _Drop, said: str) -> None:
    row = (*HOME[:10], said, HOME[11])
    delivery = SOURCE.read(drop("register.csv", _text(HALL, row)), Context(kortrijk))
    names = delivery.tables["connections"]["naam"].to_list()
    assert names == ["Stadhuis", None]


def test_a_file_is_the_whole_register_until_it_was_supplied(kortrijk: City, drop: _Drop) -> None:
    file = drop("register.csv", _text(HALL))
    delivery = SOURCE.read(file, Context(kortrijk))
    assert delivery.complete_until == delivery.supplied_at == file.supplied_at
    assert delivery.original == file.path.read_bytes()


def test_a_building_without_an_access_point_is_a_building(kortrijk: City) -> None:
    (row,) = _gated(_text(_changed(ean="", drager="")), kortrijk).accepted.iter_rows(named=True)
    assert (row["ean"], row["carrier"]) == ("", None)


def test_an_ean_as_excel_writes_it_is_the_ean(kortrijk: City) -> None:
    found = _gated(_text(_changed(ean='="541448890000000117"')), kortrijk)
    assert found.accepted["ean"].to_list() == ["541448890000000117"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"ean": "5,41449E+17"}, "ean: was rounded by a spreadsheet"),
        ({"drager": ""}, "drager: is missing beside an ean"),
        ({"drager": "stoom"}, "drager: cannot be read"),
        ({"geldig_van": "ooit"}, "geldig_van: cannot be read"),
        ({"geldig_tot": "2018-12-31"}, "geldig_tot: lies before geldig_van"),
        ({"oppervlakte_m2": "0"}, "oppervlakte_m2: is below 1"),
        ({"oppervlakte_m2": "groot"}, "oppervlakte_m2: cannot be read"),
        ({"gebruik": "kasteel"}, "gebruik: is none of"),
        ({"is_woning": ""}, "is_woning: is missing"),
        ({"gebouw": "Het Stadhuis"}, "gebouw: does not look like"),
        ({"gebied": "Kortrijk"}, "gebied: does not look like"),
        ({"gebouwregister": "GRB-1"}, "gebouwregister: does not look like"),
        ({"gebouwregister": "056277840"}, "gebouwregister: does not look like"),
        ({"gebouwregister": "85073003328"}, "gebouwregister: does not look like"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_reason(kortrijk: City, cells: dict[str, str], reason: str) -> None:
    found = _gated(_text(HOME, _changed(**cells)), kortrijk)
    assert found.accepted["site_id"].to_list() == ["woning_1"]
    assert any(said.startswith(reason) for said in found.quarantined["reasons"][0]), found.quarantined["reasons"][0]
    assert all(said for said in found.quarantined["reasons_nl"][0])


def test_one_access_point_may_move_from_building_to_building(kortrijk: City) -> None:
    rows = (_changed(geldig_tot="2020-12-31"), _changed(gebouw="bib", geldig_van="2021-01-01"))
    assert _gated(_text(*rows), kortrijk).accepted.height == 2


def test_a_file_that_is_no_register_is_refused_without_its_cells(kortrijk: City) -> None:
    with pytest.raises(UnreadableFileError, match="register: no row holds the column") as refused:
        SOURCE.reread(b"Naam;Adres\nPeeters;Straat 1\n", "register", Context(kortrijk))
    assert "Peeters" not in str(refused.value)


def test_a_register_that_vanished_is_named(kortrijk: City, tmp_path: Path, drop: _Drop) -> None:
    file = drop("register.csv", "x")
    (tmp_path / "register.csv").unlink()
    with pytest.raises(UnreadableFileError, match=r"register\.csv"):
        SOURCE.read(file, Context(kortrijk))
