"""The weekly log: its name tells the week, its addresses never leave the door."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest
from pydantic import SecretStr

from contracts.cities.profile import City
from contracts.gate import Split, split
from contracts.sources.renovation_coach import CONTRACT, DOSSIERS, MEASURES
from contracts.vocabulary import TableContract
from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.door import REDACTED, KeyRing, admit
from ingestion.errors import UnreadableFileError
from ingestion.protocols.spreadsheet import workbook_bytes
from ingestion.sources.renovation_coach import SOURCE
from tests.ingestion.conftest import SUPPLIED_AT

_HEADER = "dossier;team;adres;sector;woningtype;intake_op;fase;fase_op;huisbezoek_op;plan_op;naam;telefoon"
_LINE = "KOR-1;Kortrijk;Grote Markt 54;34022A00-;rijwoning;02/11/2026;advies;20-11-2026;2026-11-10;;Jan;0478 12 34 56"
_NAME = "renovatie_2026-W47_kortrijk.csv"

_Drop = Callable[[str, bytes | str], DroppedFile]


@pytest.mark.parametrize(
    ("name", "end"),
    [
        (_NAME, datetime(2026, 11, 22, 23, tzinfo=UTC)),
        ("renovatie_2026-W30_leiedal.CSV", datetime(2026, 7, 26, 22, tzinfo=UTC)),
        ("Renovatie_2020-w53_energiehuis.csv", datetime(2021, 1, 3, 23, tzinfo=UTC)),
        ("renovatie_2026-W43_kortrijk (1).csv", datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_a_file_speaks_until_the_local_end_of_its_week(kortrijk: City, drop: _Drop, name: str, end: datetime) -> None:
    delivery = SOURCE.read(drop(name, f"{_HEADER}\n{_LINE}\n"), Context(kortrijk))
    assert delivery.complete_until == end


@pytest.mark.parametrize("name", ["renovatie.csv", "renovatie_2026-W54_kortrijk.csv", "renovatie_2027-W53_x.csv"])
def test_a_name_without_a_week_is_refused_with_the_name_it_should_have(kortrijk: City, drop: _Drop, name: str) -> None:
    with pytest.raises(UnreadableFileError, match=r"tells no ISO week; name it renovatie_YYYY-Www_<team>\.csv"):
        SOURCE.read(drop(name, f"{_HEADER}\n{_LINE}\n"), Context(kortrijk))


def test_the_delivery_carries_its_time_and_its_bytes(kortrijk: City, drop: _Drop) -> None:
    file = drop(_NAME, f"{_HEADER}\n{_LINE}\n")
    delivery = SOURCE.read(file, Context(kortrijk))
    assert (delivery.origin, delivery.supplied_at) == (_NAME, file.supplied_at)
    assert delivery.original == file.path.read_bytes()
    assert SOURCE.reread(delivery.original, _NAME, Context(kortrijk))["dossiers"].equals(delivery.tables["dossiers"])


def test_a_dossier_passes_door_and_gate_without_a_person(kortrijk: City, drop: _Drop) -> None:
    delivery = SOURCE.read(drop(_NAME, f"{_HEADER}\n{_LINE}\n"), Context(kortrijk))
    admitted = admit(delivery, CONTRACT, KeyRing((SecretStr("key"),)))
    assert admitted.dropped_columns["dossiers"] == ("naam", "telefoon")
    found = split(admitted.tables["dossiers"], DOSSIERS, kortrijk)
    dossier = found.accepted.row(0, named=True)
    assert (dossier["team"], dossier["phase"], dossier["delivery_week"]) == ("kortrijk", "advies", "2026-W47")
    assert len(dossier["dwelling_key"]) == len(dossier["dossier_id"]) == 64
    written = admitted.tables["dossiers"].write_json() + found.accepted.write_json()
    assert not [secret for secret in ("Markt", "KOR-1") if secret in written]


def test_a_person_typed_into_a_code_column_reaches_quarantine_redacted(kortrijk: City, drop: _Drop) -> None:
    line = _LINE.replace("advies", "bel 0478 12 34 56")
    admitted = admit(
        SOURCE.read(drop(_NAME, f"{_HEADER}\n{line}\n"), Context(kortrijk)), CONTRACT, KeyRing((SecretStr("key"),))
    )
    found = split(admitted.tables["dossiers"], DOSSIERS, kortrijk)
    (kept,) = found.quarantined["fase"].to_list()
    assert kept.endswith(f" {REDACTED}")
    assert "bel" not in kept, "a stranger's word where one of a list belongs"
    assert admitted.redactions == 1


def test_a_totals_row_is_no_dossier(kortrijk: City, drop: _Drop) -> None:
    delivery = SOURCE.read(drop(_NAME, f"{_HEADER}\n{_LINE}\nTotaal;;;;;;;1;;;;\n"), Context(kortrijk))
    found = split(delivery.tables["dossiers"], DOSSIERS, kortrijk)
    assert (found.accepted.height, found.quarantined.height) == (1, 0)


_MEASURES_HEADER = "dossier;team;regelnr;maatregel;status;status_op;uitgevoerd_op"
_MEASURE_LINE = "KOR-1;kortrijk;1;dak;uitgevoerd;2026-11-18;2026-11-18"
_MEASURES_NAME = "renovatie_2026-W47_kortrijk_maatregelen.csv"
_RING = KeyRing((SecretStr("key"),))


def _gated(delivery: Delivery, city: City, table: TableContract = DOSSIERS) -> Split:
    """What the gate makes of one table of a delivery after the door."""
    return split(admit(delivery, CONTRACT, _RING).tables[table.name], table, city, delivery.supplied_at)


def test_two_files_of_a_week_join_over_the_same_pseudonym(kortrijk: City, drop: _Drop) -> None:
    dossiers = SOURCE.read(drop(_NAME, f"{_HEADER}\n{_LINE}\n"), Context(kortrijk))
    measures = SOURCE.read(drop(_MEASURES_NAME, f"{_MEASURES_HEADER}\n{_MEASURE_LINE}\n"), Context(kortrijk))
    assert (dossiers.tables["measures"].height, measures.tables["dossiers"].height) == (0, 0)
    assert (dossiers.is_full, measures.is_full) == ({"dossiers": False}, {"measures": False})
    ids = [_gated(dossiers, kortrijk).accepted, _gated(measures, kortrijk, MEASURES).accepted]
    assert ids[0]["dossier_id"].to_list() == ids[1]["dossier_id"].to_list()


def test_one_workbook_holds_both_tables(kortrijk: City, drop: _Drop) -> None:
    sheets = {
        "Uitleg": [["Lees eerst dit"]],
        "Maatregelen": [_MEASURES_HEADER.split(";"), _MEASURE_LINE.split(";")],
        "Dossiers": [["Logboek week 47"], _HEADER.split(";"), _LINE.split(";"), ["Totaal", 1]],
    }
    delivery = SOURCE.read(drop("renovatie_2026-W47_kortrijk.xlsx", workbook_bytes(sheets)), Context(kortrijk))
    assert (_gated(delivery, kortrijk).accepted.height, _gated(delivery, kortrijk, MEASURES).accepted.height) == (1, 1)


def test_a_sheet_beside_the_log_is_told_and_a_second_log_is_refused(kortrijk: City, drop: _Drop) -> None:
    log = [_HEADER.split(";"), _LINE.split(";")]
    name = "renovatie_2026-W47_kortrijk.xlsx"
    lists = [["fase", "team"], ["advies", "Kortrijk"]]
    delivery = SOURCE.read(drop(name, workbook_bytes({"Dossiers": log, "Lijsten": lists})), Context(kortrijk))
    assert delivery.withheld == {"blad 2 heeft niet de kolommen van het sjabloon": 2}
    with pytest.raises(UnreadableFileError, match="sheets 1 and 2 both hold rows"):
        SOURCE.read(drop(name, workbook_bytes({"Jan Peeters": log, "An Maes": log})), Context(kortrijk))


def test_zeros_that_a_spreadsheet_forgot_change_no_dossier(kortrijk: City, drop: _Drop) -> None:
    context = Context(kortrijk)
    files = [
        drop(f"renovatie_2026-W{week}_kortrijk.csv", f"{_HEADER}\n{_LINE.replace('KOR-1', number)}\n")
        for week, number in (("47", "00042"), ("48", "42"))
    ]
    first, second = (_gated(SOURCE.read(file, context), kortrijk).accepted["dossier_id"].to_list() for file in files)
    assert first == second


def test_an_old_spreadsheet_s_file_is_read(kortrijk: City, drop: _Drop) -> None:
    content = f"{_HEADER};kwetsbaar\n{_LINE};x\n".replace("Jan", "Ren\u00e9e").encode("cp1252")
    assert _gated(SOURCE.read(drop(_NAME, content), Context(kortrijk)), kortrijk).accepted[
        "is_vulnerable"
    ].to_list() == [True]


def test_another_team_in_the_file_is_refused_row_by_row(kortrijk: City, drop: _Drop) -> None:
    other = _LINE.replace("KOR-1;Kortrijk", "LEI-1;leiedal")
    found = _gated(SOURCE.read(drop(_NAME, f"{_HEADER}\n{_LINE}\n{other}\n"), Context(kortrijk)), kortrijk)
    assert (found.accepted.height, found.quarantined["reasons"].to_list()) == (
        1,
        [["team: is another than that in the name of the file"]],
    )


def test_a_name_with_an_unknown_team_is_refused(kortrijk: City, drop: _Drop) -> None:
    with pytest.raises(UnreadableFileError, match="names no team that delivers; the teams are kortrijk, leiedal"):
        SOURCE.read(drop("renovatie_2026-W47_gent.csv", f"{_HEADER}\n{_LINE}\n"), Context(kortrijk))


def _vouched(drop: _Drop, content: str, **said: object) -> DroppedFile:
    file = drop(_NAME, content)
    file.path.with_name(f"{_NAME}.manifest.json").write_text(json.dumps(said), encoding="utf-8")
    return file


def test_a_manifest_that_agrees_changes_nothing(kortrijk: City, drop: _Drop) -> None:
    content = f"{_HEADER}\n{_LINE}\n"
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    delivery = SOURCE.read(_vouched(drop, content, sha256=sha256.upper(), rows={"dossiers": 1}), Context(kortrijk))
    assert delivery.tables["dossiers"].height == 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"sha256": "0" * 64}, "is not the file of which"),
        ({"rows": {"dossiers": 2}}, "table dossiers holds 1 rows, its manifest says 2"),
        ({"rows": 3}, "holds 1 rows, its manifest says 3"),
        ({"rows": {"Jan 0471234567": 85073003328}}, r"csv: holds 1 rows, its manifest says \[verwijderd\]; deliver"),
        ({"rows": {"dossiers": "veel"}}, "is no manifest"),
        ({"sha256": "0" * 64, "rows": ["x"]}, "is no manifest"),
    ],
)
def test_a_file_that_its_manifest_does_not_vouch_for_is_refused(
    kortrijk: City, drop: _Drop, said: dict[str, object], reason: str
) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        SOURCE.read(_vouched(drop, f"{_HEADER}\n{_LINE}\n", **said), Context(kortrijk))


def test_a_full_file_says_so_in_its_name_or_its_manifest(kortrijk: City, drop: _Drop) -> None:
    content = f"{_HEADER}\n{_LINE}\n"
    named = SOURCE.read(drop("renovatie_2026-W47_kortrijk_volledig.csv", content), Context(kortrijk))
    vouched = SOURCE.read(_vouched(drop, content, volledig=True), Context(kortrijk))
    changes = SOURCE.read(drop("renovatie_2026-W46_kortrijk.csv", content), Context(kortrijk))
    full = [_gated(one, kortrijk).accepted["is_snapshot"].to_list() for one in (named, vouched)]
    assert full == [[True], [True]]
    assert set(changes.tables["dossiers"]["volledig"]) == {"nee"}


def _with_known(city: City, *weeks: tuple[str, bool, int]) -> Context:
    """A context in which the team delivered files before: week, whether full, and how many dossiers."""
    rows = [
        {
            "dossier_id": f"{number}",
            "line_no": 1,
            "file_team": "kortrijk",
            "delivery_week": week,
            "is_snapshot": is_full,
            "supplied_at": SUPPLIED_AT,
            "content_sha256": week,
        }
        for week, is_full, count in weeks
        for number in range(count)
    ]
    return Context(city, rows=lambda *_: pl.DataFrame(rows))


def _file_of(drop: _Drop, count: int, name: str = "renovatie_2026-W47_kortrijk_volledig.csv") -> DroppedFile:
    return drop(name, "\n".join([_HEADER, *(_LINE.replace("KOR-1", f"KOR-{n}") for n in range(count))]))


def test_a_full_file_from_which_more_than_a_tenth_vanished_is_refused(kortrijk: City, drop: _Drop) -> None:
    context = _with_known(kortrijk, ("2026-W40", True, 30), ("2026-W45", True, 20))
    with pytest.raises(UnreadableFileError, match="holds 17 dossiers where earlier deliveries had 20"):
        SOURCE.read(_file_of(drop, 17), context)
    assert SOURCE.read(_file_of(drop, 18), context).tables["dossiers"].height == 18


def test_what_came_after_the_last_full_file_must_be_in_the_next(kortrijk: City, drop: _Drop) -> None:
    context = _with_known(kortrijk, ("2026-W45", True, 20), ("2026-W46", False, 30), ("2026-W48", False, 90))
    with pytest.raises(UnreadableFileError, match="earlier deliveries had 30"):
        SOURCE.read(_file_of(drop, 20), context)


def test_a_week_delivered_again_must_hold_that_week(kortrijk: City, drop: _Drop) -> None:
    context = _with_known(kortrijk, ("2026-W47", False, 10), ("2026-W46", False, 50))
    with pytest.raises(UnreadableFileError, match="holds 1 dossiers where earlier deliveries had 10"):
        SOURCE.read(_file_of(drop, 1, _NAME), context)


def test_fewer_may_be_right_when_somebody_says_so(kortrijk: City, drop: _Drop) -> None:
    file = _file_of(drop, 1, _NAME)
    file.path.with_name(f"{_NAME}.manifest.json").write_text('{"minder_is_juist": true}', encoding="utf-8")
    context = _with_known(kortrijk, ("2026-W47", False, 10))
    assert SOURCE.read(file, context).tables["dossiers"].height == 1


def test_rows_of_a_contract_without_weeks_ask_for_nothing(kortrijk: City, drop: _Drop) -> None:
    older = Context(kortrijk, rows=lambda *_: pl.DataFrame({"dossier_id": ["1"] * 50}))
    assert SOURCE.read(_file_of(drop, 1), older).tables["dossiers"].height == 1
