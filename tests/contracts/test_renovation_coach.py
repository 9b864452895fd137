"""What a coach's dossier and its measures must honour."""

from datetime import date

import polars as pl
import pytest

from contracts.gate import Split, split
from contracts.registry import city_named
from contracts.sources.renovation_coach import CONTRACT, DOSSIERS, MEASURES
from contracts.vocabulary import TableContract

Row = dict[str, str | None]

_WEEK: Row = {"week": "2026-W47", "bestand_team": "kortrijk", "volledig": "nee"}
_DOSSIER: Row = {
    "dossier": "a0" * 32,
    "team": "Kortrijk",
    "adres": "d0" * 32,
    "sector": "34022a00-",
    "woningtype": "Rijwoning",
    "intake_op": "02/11/2026",
    "fase": "Advies",
    "fase_op": "20-11-2026",
    "huisbezoek_op": "2026-11-10",
    **_WEEK,
}
_MEASURE: Row = {
    "dossier": "a0" * 32,
    "team": "kortrijk",
    "regelnr": "1",
    "maatregel": "Ramen deuren",
    "status": "Uitgevoerd",
    "status_op": "2026-11-20",
    "kost_eur": "12400,5",
    "uitgevoerd_op": "2026-11-19",
    **_WEEK,
}
_PROJECT: Row = {
    "project": "BUREN-2025-03",
    "project_naam": "Burenproject Demostraat",
    "project_straat": "Demostraat",
    "project_inschrijvingen": "14",
    "project_wooneenheden": "14",
    "project_type": "fossielvrij",
    "project_opgeleverd_op": "2026-11-19",
    "project_bewijs": "https://kortrijk.example/bewijs/3.pdf",
}


def _split(table: TableContract, whole: Row, *changes: Row) -> Split:
    schema = dict.fromkeys(table.received.columns, pl.String)
    rows = pl.DataFrame([whole | change for change in changes], schema=schema)
    return split(rows.with_row_index("line", offset=1).cast({"line": pl.Int64}), table, city_named("kortrijk"))


def _reasons(table: TableContract, whole: Row, change: Row) -> list[str]:
    found: list[str] = _split(table, whole, change).quarantined["reasons"].explode().to_list()
    return found


def test_a_dossier_is_read_whatever_way_its_dates_are_written() -> None:
    row = _split(DOSSIERS, _DOSSIER, {}).accepted.row(0, named=True)
    assert (row["team"], row["dwelling_type"], row["phase"]) == ("kortrijk", "rijwoning", "advies")
    assert (row["intake_date"], row["phase_date"]) == (date(2026, 11, 2), date(2026, 11, 20))
    assert (row["house_visit_date"], row["plan_delivered_date"]) == (date(2026, 11, 10), None)
    assert (row["delivery_week"], row["is_snapshot"], row["sector_id"]) == ("2026-W47", False, "34022A00-")


def test_a_date_that_lost_its_format_is_still_that_date() -> None:
    # 46328 days after 30 December 1899
    row = _split(DOSSIERS, _DOSSIER, {"intake_op": "46328", "huisbezoek_op": "46336.0"}).accepted.row(0, named=True)
    assert (row["intake_date"], row["house_visit_date"]) == (date(2026, 11, 2), date(2026, 11, 10))


@pytest.mark.parametrize(("written", "means"), [("ja", True), ("Nee", False), ("x", True), ("J", True), (None, None)])
def test_a_tick_is_read_as_people_tick(written: str | None, means: bool | None) -> None:  # noqa: FBT001 - the expected value
    assert _split(DOSSIERS, _DOSSIER, {"kwetsbaar": written}).accepted["is_vulnerable"].to_list() == [means]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"team": "gent"}, "team: is none of kortrijk, leiedal, energiehuis"),
        ({"team": "leiedal"}, "team: is another than that in the name of the file"),
        ({"adres": None}, "adres: is missing"),
        ({"dossier": None}, "dossier: is missing"),
        ({"fase": "pauze"}, "fase: is none of aanmelding"),
        ({"sector": "Overleie"}, "sector: does not look like"),
        ({"intake_op": "11/22/2026"}, "intake_op: cannot be read"),
        ({"fase_op": "2026-11-01"}, "fase_op: lies before intake_op"),
        ({"huisbezoek_op": "2026-11-01"}, "huisbezoek_op: lies before intake_op"),
        ({"plan_op": "2026-11-01"}, "plan_op: lies before intake_op"),
        ({"plan_op": "2026-11-09"}, "plan_op: lies before huisbezoek_op"),
        ({"plan_op": "2026-11-23"}, "plan_op: lies after the week of the file"),
        ({"fase_op": "2062-11-20"}, "fase_op: lies after the week of the file"),
        ({"stopreden": "verhuis"}, "stopreden: stands beside a phase that is not stopgezet"),
        ({"epc_voor": "433", "epc_label_voor": "D"}, "epc_label_voor: does not match epc_voor"),
        ({"epc_na": "-201"}, "epc_na: is below -200"),
        ({"bouwjaar": "19050"}, "bouwjaar: is above 2100"),
        ({"wooneenheden": "0"}, "wooneenheden: is below 1"),
        ({"inkomenscategorie": "rijk"}, "inkomenscategorie: is none of laagste"),
    ],
)
def test_a_dossier_that_breaks_its_promise_is_refused(change: Row, reason: str) -> None:
    assert any(found.startswith(reason) for found in _reasons(DOSSIERS, _DOSSIER, change))


@pytest.mark.parametrize(
    ("score", "label"),
    [("-10", "A+"), ("0", "A+"), ("100", "A"), ("100,5", "B"), ("300", "C"), ("433", "E"), ("500", "E"), ("501", "F")],
)
def test_a_label_follows_from_the_score(score: str, label: str) -> None:
    found = _split(DOSSIERS, _DOSSIER, {"epc_voor": score, "epc_label_voor": label.lower()})
    assert found.accepted["epc_label_before"].to_list() == [label]


def test_two_teams_may_use_the_same_number() -> None:
    other = {"team": "leiedal", "bestand_team": "leiedal"}
    assert _split(DOSSIERS, _DOSSIER, {}, other).accepted.height == 2


def test_of_two_lines_of_a_dossier_the_later_phase_stays() -> None:
    later = {"fase": "studie", "fase_op": "2026-11-21"}
    found = _split(DOSSIERS, _DOSSIER, later, {})
    assert (found.accepted["phase"].to_list(), found.superseded) == (["studie"], 1)


def test_a_measure_is_read_with_its_decimal_comma() -> None:
    row = _split(MEASURES, _MEASURE, {}).accepted.row(0, named=True)
    assert (row["measure"], row["status"], row["cost_eur"]) == ("ramen_deuren", "uitgevoerd", 12400.5)


def test_a_thousand_and_a_bit_over_one_are_not_guessed_at() -> None:
    found = _split(MEASURES, _MEASURE, {}, {"regelnr": "2", "kost_eur": "1.234"})
    assert found.quarantined["reasons"].to_list() == [["kost_eur: cannot be read"]]


def test_a_point_is_decimal_where_no_comma_stands() -> None:
    found = _split(MEASURES, _MEASURE, {"kost_eur": "1.234"}, {"regelnr": "2", "kost_eur": "99.5"})
    assert found.accepted["cost_eur"].to_list() == [1.234, 99.5]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"uitgevoerd_op": None}, "uitgevoerd_op: is missing beside status uitgevoerd"),
        ({"status": "besteld"}, "uitgevoerd_op: stands beside a status that is not uitgevoerd"),
        ({"uitgevoerd_op": "2026-11-24"}, "uitgevoerd_op: lies after the week of the file"),
        ({"maatregel": "zwembad"}, "maatregel: is none of dak"),
        ({"offertes": "21"}, "offertes: is above 20"),
        ({"kost_eur": "500001"}, "kost_eur: is above 500000"),
        ({"premie_eur": "100"}, "premie_type: is missing beside premie_eur"),
        ({"regelnr": None}, "regelnr: is missing"),
        (_PROJECT | {"project_naam": None}, "project_naam: is missing beside project"),
        (_PROJECT | {"project_inschrijvingen": None}, "project_inschrijvingen: is missing beside project"),
        (_PROJECT | {"project_wooneenheden": None}, "project_wooneenheden: is missing beside project"),
        (_PROJECT | {"project_type": None}, "project_type: is missing beside project"),
        (_PROJECT | {"project_bewijs": "in de kast"}, "project_bewijs: does not look like"),
    ],
)
def test_a_measure_that_breaks_its_promise_is_refused(change: Row, reason: str) -> None:
    assert any(found.startswith(reason) for found in _reasons(MEASURES, _MEASURE, change))


def test_a_project_is_not_done_before_it_is() -> None:
    done = {**_PROJECT, "project_opgeleverd_op": "2026-11-22"}
    assert _split(MEASURES, _MEASURE, done).accepted["project_completed_date"].to_list() == [date(2026, 11, 22)]
    to_come = {**_PROJECT, "project_opgeleverd_op": "2031-01-01"}
    assert _reasons(MEASURES, _MEASURE, to_come) == ["project_opgeleverd_op: lies after the week of the file"]


def test_every_field_of_the_pacts_form_can_be_filled_from_a_measure_line() -> None:
    row = _split(MEASURES, _MEASURE, _PROJECT | {"project_opmerking": "fase 2 volgt"}).accepted.row(0, named=True)
    form = {
        "name": row["project_name"],
        "street": row["project_street"],
        "completed on": row["project_completed_date"],
        "dwelling units": row["project_dwelling_units"],
        "type": row["project_type"],
        "file or address": row["project_evidence"],
        "remark": row["project_remark"],
    }
    assert None not in form.values()
    assert (form["completed on"], form["dwelling units"]) == (date(2026, 11, 19), 14)


@pytest.mark.parametrize("table", CONTRACT.tables, ids=lambda table: table.name)
def test_every_column_and_every_reason_is_explained_in_dutch(table: TableContract) -> None:
    assert set(table.received.meaning_nl) == set(table.received.columns)
    assert [rule.name for rule in table.rules if not rule.reason_nl] == []
    assert set(table.received.added) == {"week", "bestand_team", "volledig"}


@pytest.mark.parametrize("table", CONTRACT.tables, ids=lambda table: table.name)
def test_the_team_s_own_number_never_passes_the_door_as_it_is(table: TableContract) -> None:
    assert table.received.pseudonyms["dossier"] == "dossier"
