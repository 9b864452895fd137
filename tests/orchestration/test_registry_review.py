"""Reading and rewriting the registry on a city of two targets: what a cell means, and that nothing else moves."""

import csv
import shutil
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from orchestration.dbt_project import city_seeds
from orchestration.registry.fault import Fault
from orchestration.registry.faults import faults
from orchestration.registry.review import ADDED, REMOVED, Change, Decision, decide, differences, merged
from orchestration.registry.seeds import (
    SEEDS,
    Column,
    Registry,
    RegistryError,
    Row,
    Table,
    declared,
    read_registry,
    write_table,
)
from orchestration.registry.workbook import read_workbook, write_workbook

DECISION = Decision("gemeenteraad", date(2026, 11, 9))
BIKES = {
    "target_id": "bikes",
    "kpi_id": "bikes",
    "section": "5.4",
    "title_nl": "Fietsen, ook elektrische",
    "title_en": "Bicycles",
    "department_id": "mobiliteit",
    "data_owner_department_id": "mobiliteit",
    "unit": "bicycles",
    "direction": "increase",
    "baseline_value": "0",
    "baseline_date": "2024-01-01",
    "target_value": "1000",
    "target_date": "2030-12-31",
    "trajectory": "linear",
    "tolerance": "0",
    "cadence_days": "30",
    "publication_lag_days": "3",
    "completeness_limit": "0.95",
    "accepted_limit": "0.98",
    "is_cumulative": "true",
    "kind": "target",
    "recurrence": "none",
    "is_binding": "true",
    "is_public": "true",
    "is_contested": "false",
    "definition_version": "1",
    "registry_status": "active",
    "series_kind": "event",
    "stale_factor": "1.5",
    "scope_variant": "territory",
    "wording_source": "note",
    "min_points": "4",
    "needs_check": "false",
}
LANES = {
    **BIKES,
    "target_id": "lanes",
    "kpi_id": "lanes",
    "title_nl": "Fietspaden",
    "unit": "km",
    "target_value": "12.50",
}
ROWS: dict[str, list[Row]] = {
    "targets": [BIKES, LANES],
    "departments": [
        {"department_id": "mobiliteit", "name_nl": "Mobiliteit", "name_en": "Mobility"},
        {"department_id": "ruimte", "name_nl": "Ruimte", "name_en": "Spatial Planning"},
    ],
    "target_owners": [
        {"target_id": name, "role": role, "department_id": "mobiliteit", "valid_from": "2024-01-01"}
        for name in ("bikes", "lanes")
        for role in ("owner", "data_owner")
    ],
    "policy_tree": [
        {
            "code": "01",
            "level": "objective",
            "title_nl": "Vlot op weg",
            "is_priority": "true",
            "valid_from": "2026-01-01",
            "is_synthetic": "true",
        }
    ],
    "target_links": [
        {
            "target_id": "bikes",
            "framework": "plan",
            "reference": "01",
            "relation": "measures",
            "valid_from": "2026-01-01",
        }
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The seeds of a city with two targets."""
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for name, table in declared().items():
        write_table(seeds, replace(table, rows=tuple(_full(table, row) for row in ROWS.get(name, []))))
    return seeds


@pytest.fixture
def registry(folder: Path) -> Registry:
    return read_registry(folder)


def _full(table: Table, row: Row) -> Row:
    return {name: row.get(name, "") for name in table.header}


def edited(registry: Registry, seed: str, *rows: Row) -> dict[str, Table]:
    """The registry with other rows in one seed."""
    return {**registry, seed: replace(registry[seed], rows=tuple(_full(registry[seed], row) for row in rows))}


def through_a_workbook(registry: Registry, place: Path) -> dict[str, Table]:
    write_workbook(registry, place / "book.xlsx")
    return read_workbook(place / "book.xlsx", registry)


def typed_in(registry: Registry, place: Path, cell: str, value: object) -> dict[str, Table]:
    """The registry as it is read after a person typed a value into a cell of the sheet of targets."""
    write_workbook(registry, place / "book.xlsx")
    book = load_workbook(place / "book.xlsx")
    book["targets"][cell] = value
    book.save(place / "book.xlsx")
    return read_workbook(place / "book.xlsx", registry)


def _cell(registry: Registry, column: str, line: int = 2) -> str:
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - only this helper asks for it

    return f"{get_column_letter(registry['targets'].header.index(column) + 1)}{line}"


def test_the_small_city_is_without_fault(registry: Registry) -> None:
    assert faults(registry) == []


def test_every_seed_is_declared_with_a_key_that_names_its_rows() -> None:
    assert list(declared()) == list(SEEDS)
    for table in declared().values():
        assert table.key, f"{table.name} has no unique column"
        assert set(table.key) <= set(table.header)


def test_choices_and_references_come_from_the_declaration() -> None:
    targets = declared()["targets"]
    assert targets.column("series_kind").choices == ("event", "level", "share", "rare_count", "none")
    assert targets.column("department_id").refers_to == ("departments", "department_id")
    assert targets.column("unit").required
    assert not targets.column("note_nl").required


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("varchar", "01", "01"),
        ("double", "1731", 1731.0),
        ("double", "-40.3", -40.3),
        ("bigint", "12", 12),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("date", "2030-12-31", date(2030, 12, 31)),
        ("date", "", None),
        ("varchar", "", None),
    ],
)
def test_a_cell_means_what_its_column_says(kind: str, text: str, value: object) -> None:
    assert Column("any", kind, required=False).value(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("double", "1,5"),
        ("double", "inf"),
        ("double", "nan"),
        ("bigint", "1.5"),
        ("boolean", "True"),
        ("boolean", "1"),
        ("date", "31-12-2030"),
        ("date", "2030-W01-1"),
        ("date", "2030-02-30"),
    ],
)
def test_a_cell_that_means_nothing_is_not_guessed_at(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Column("any", kind, required=False).value(text)


def test_a_seed_is_written_as_it_was_read(folder: Path, registry: Registry) -> None:
    before = {name: (folder / f"{name}.csv").read_bytes() for name in ("targets", "target_owners", "policy_tree")}
    for name in before:
        write_table(folder, registry[name])
    assert {name: (folder / f"{name}.csv").read_bytes() for name in before} == before
    assert not list(folder.glob("*.part"))


def test_the_first_target_of_a_city_makes_its_seed(tmp_path: Path) -> None:
    shutil.copytree(city_seeds("boston"), tmp_path / "boston")
    assert read_registry(tmp_path / "boston")["targets"].rows == ()
    targets = read_registry(city_seeds("kortrijk"))["targets"]
    write_table(tmp_path / "boston", replace(targets, rows=targets.rows[:1]))
    assert len(read_registry(tmp_path / "boston")["targets"].rows) == 1


@pytest.mark.parametrize("city", ["kortrijk", "boston", "roosendaal", "terneuzen"])
def test_the_seeds_of_a_city_are_kept_as_they_would_be_written(tmp_path: Path, city: str) -> None:
    home = city_seeds(city)
    shutil.copytree(home, tmp_path / city)
    for name, table in read_registry(home).items():
        write_table(tmp_path / city, table)
        if (home / f"{name}.csv").exists():
            assert (tmp_path / city / f"{name}.csv").read_bytes() == (home / f"{name}.csv").read_bytes()


def test_a_fault_reads_as_a_sentence() -> None:
    fault = Fault("targets", 7, "unit is empty", "Fill it in")
    assert str(fault) == "targets.csv line 7: unit is empty. Fill it in."


def test_a_change_reads_as_old_and_new() -> None:
    assert str(Change("targets", ("bikes",), "unit", "", "km")) == "targets bikes: unit: (empty) -> km"
    assert str(Change("targets", ("bikes",), "unit", "km", "")) == "targets bikes: unit: km -> (empty)"
    assert str(Change("policy_tree", ("02",), ADDED, "", "code=02")) == "policy_tree 02: (row added) code=02"


def test_cells_that_cannot_be_read_come_before_the_rules_that_need_them(registry: Registry) -> None:
    found = faults(edited(registry, "targets", {**BIKES, "target_date": "morgen", "accepted_limit": "98"}, LANES))
    assert [fault.why for fault in found] == ["target_date is 'morgen'"]


def test_faults_come_in_the_order_of_the_files(registry: Registry) -> None:
    broken = edited(registry, "policy_tree", {**ROWS["policy_tree"][0], "level": "dream"})
    broken = edited(broken, "targets", {**BIKES, "unit": ""}, {**LANES, "kind": "wish"})
    assert [(fault.seed, fault.line) for fault in faults(broken)] == [
        ("targets", 2),
        ("targets", 3),
        ("policy_tree", 2),
    ]


def test_two_targets_of_one_kpi_share_its_unit(registry: Registry) -> None:
    later = {**LANES, "kpi_id": "bikes", "target_date": "2045-12-31"}
    same = edited(registry, "targets", BIKES, {**later, "unit": "bicycles"})
    assert faults(same) == []
    other = edited(registry, "targets", BIKES, later)
    [fault] = faults(other)
    assert str(fault) == (
        "targets.csv line 3: bikes is in 'km' here and in 'bicycles' on line 2. "
        "Give one KPI one unit, or the other its own kpi_id."
    )


def test_a_deprecated_kpi_names_its_successor(registry: Registry) -> None:
    lapsed = {"deprecated_on": "2026-01-01", "deprecated_reason": "Vervangen.", "successor_kpi_id": "lanes"}
    assert faults(edited(registry, "targets", {**BIKES, **lapsed}, LANES)) == []
    [fault] = faults(edited(registry, "targets", {**BIKES, **lapsed, "successor_kpi_id": "trams"}, LANES))
    assert fault.why == "successor_kpi_id names 'trams', which targets.csv does not know"


@pytest.mark.parametrize("clock", ["09:30", "00:00", "23:59"])
def test_a_time_of_day_may_be_an_embargo(registry: Registry, clock: str) -> None:
    assert faults(edited(registry, "targets", {**BIKES, "embargo_time": clock}, LANES)) == []


@pytest.mark.parametrize("clock", ["24:00", "9:30", "09:60", "09.30", "-1:30"])
def test_another_text_may_not(registry: Registry, clock: str) -> None:
    [fault] = faults(edited(registry, "targets", {**BIKES, "embargo_time": clock}, LANES))
    assert fault.remedy == "Write a time of day as 09:30"


def test_a_path_by_milestones_is_whole(registry: Registry) -> None:
    registry = edited(registry, "targets", {**BIKES, "trajectory": "milestones"}, LANES)
    half = {"target_id": "bikes", "milestone_date": "2027-12-31", "milestone_value": "300", "interpolation": "step"}
    end = {**half, "milestone_date": "2030-12-31", "milestone_value": "1000.0"}
    assert [fault.seed for fault in faults(edited(registry, "target_milestones", half))] == ["targets"]
    assert faults(edited(registry, "target_milestones", half, end)) == []


def test_a_base_may_be_replaced_by_a_dated_one_but_not_twice_at_once(registry: Registry) -> None:
    first = {
        "denominator_id": "inhabitants",
        "value": "100",
        "unit": "inhabitants",
        "valid_from": "2024-01-01",
        "definition_version": "1",
        "basis": "current",
        "is_derived": "false",
    }
    second = {**first, "valid_from": "2025-01-01", "value": "110"}
    [fault] = faults(edited(registry, "denominators", first, second))
    assert fault.why == "inhabitants is told twice for 2025-01-01"
    assert faults(edited(registry, "denominators", {**first, "valid_to": "2024-12-31"}, second)) == []


def test_what_goes_through_a_workbook_comes_back_the_same(registry: Registry, tmp_path: Path) -> None:
    assert differences(registry, through_a_workbook(registry, tmp_path)) == []


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("target_value", 1200, "1200"),
        ("target_value", 1200.0, "1200"),
        ("target_value", 1200.5, "1200.5"),
        ("target_value", " 1200 ", "1200"),
        ("target_date", date(2031, 12, 31), "2031-12-31"),
        ("target_date", datetime(2031, 12, 31, 0, 0), "2031-12-31"),  # noqa: DTZ001 - a cell has no time zone
        ("target_date", "2031-12-31", "2031-12-31"),
        ("is_public", False, "false"),
        ("is_public", "false", "false"),
        ("section", 5.4, "5.4"),
        ("note_nl", "Ja; nee", "Ja; nee"),
        ("note_nl", None, ""),
    ],
)
def test_what_a_person_types_is_read_as_it_was_meant(
    registry: Registry, tmp_path: Path, column: str, value: object, text: str
) -> None:
    read = typed_in(registry, tmp_path, _cell(registry, column), value)
    assert read["targets"].rows[0][column] == text


@pytest.mark.parametrize(("column", "value"), [("target_value", 1000.0), ("section", 5.4), ("is_public", True)])
def test_the_same_value_written_otherwise_is_no_change(
    registry: Registry, tmp_path: Path, column: str, value: object
) -> None:
    assert differences(registry, typed_in(registry, tmp_path, _cell(registry, column), value)) == []


def test_a_number_keeps_its_own_writing_in_a_row_that_changed(folder: Path, registry: Registry) -> None:
    wanted = edited(registry, "targets", BIKES, {**LANES, "title_nl": "Paden", "target_value": "12.5"})
    decide(folder, registry, wanted, DECISION)
    with (folder / "targets.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[1]["title_nl"], rows[1]["target_value"]) == ("Paden", "12.50")


def test_rows_come_and_go_where_that_is_allowed(registry: Registry) -> None:
    second = {**ROWS["policy_tree"][0], "code": "02"}
    added = edited(registry, "policy_tree", *ROWS["policy_tree"], second)
    assert [(change.key, change.column) for change in differences(registry, added)] == [(("02",), ADDED)]
    gone = edited(registry, "target_links")
    assert [(change.key[:3], change.column) for change in differences(registry, gone)] == [
        (("bikes", "plan", "01"), REMOVED)
    ]


@pytest.mark.parametrize("rows", [(), (BIKES,), (LANES,)])
def test_a_target_is_never_taken_out(registry: Registry, rows: tuple[Row, ...]) -> None:
    with pytest.raises(RegistryError, match="never taken out; fill in deprecated_on and the reason"):
        differences(registry, edited(registry, "targets", *rows))


def test_a_question_is_never_taken_out(folder: Path, registry: Registry) -> None:
    decide(folder, registry, edited(registry, "targets", {**BIKES, "title_nl": "Fietsen"}, LANES), DECISION)
    today = read_registry(folder)
    with pytest.raises(RegistryError, match="leave what was asked and decided"):
        differences(today, edited(today, "target_decisions"))


def test_a_second_change_gets_the_next_number(folder: Path) -> None:
    for title in ("Fietsen", "Rijwielen"):
        today = read_registry(folder)
        decide(folder, today, edited(today, "targets", {**BIKES, "title_nl": title}, LANES), DECISION)
    decisions = read_registry(folder)["target_decisions"].rows
    assert [row["decision_id"] for row in decisions] == ["bikes.1", "bikes.2"]
    assert decisions[1]["decision_nl"] == "targets bikes: title_nl: Fietsen -> Rijwielen"


def test_a_change_of_the_plan_is_recorded_for_the_registry_as_a_whole(folder: Path, registry: Registry) -> None:
    decide(
        folder, registry, edited(registry, "policy_tree", {**ROWS["policy_tree"][0], "title_nl": "Veilig"}), DECISION
    )
    [decision] = read_registry(folder)["target_decisions"].rows
    assert (decision["decision_id"], decision["target_id"]) == ("registry.1", "")
    assert faults(read_registry(folder)) == []


def test_the_same_decision_twice_writes_once(folder: Path, registry: Registry) -> None:
    wanted = edited(registry, "targets", {**BIKES, "target_value": "1100"}, LANES)
    assert len(decide(folder, registry, wanted, DECISION)) == 1
    today = read_registry(folder)
    again = {**wanted, "targets": today["targets"], "target_decisions": today["target_decisions"]}
    assert decide(folder, today, again, DECISION) == []
    assert len(read_registry(folder)["target_decisions"].rows) == 1


def test_a_new_owner_takes_over_without_another_definition(folder: Path, registry: Registry) -> None:
    owners = ROWS["target_owners"]
    ended = [{**row, "valid_to": "2026-11-08"} if row is owners[0] else row for row in owners]
    taken = {**owners[0], "department_id": "ruimte", "valid_from": "2026-11-09"}
    wanted = edited(registry, "target_owners", *ended, taken)
    wanted = edited(wanted, "targets", {**BIKES, "department_id": "ruimte"}, LANES)
    decide(folder, registry, wanted, DECISION)
    today = read_registry(folder)
    assert faults(today) == []
    assert today["targets"].rows[0]["definition_version"] == "1"


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Sm", "Sc")), min_size=1, max_size=30)
VALUES = st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: str(round(number, 4)))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=WORDS, value=VALUES, day=st.dates(date(2025, 1, 1), date(2049, 12, 31)))
def test_any_edit_comes_back_from_a_workbook_and_raises_the_version_only_when_it_should(
    registry: Registry, tmp_path: Path, title: str, value: str, day: date
) -> None:
    cells = {"title_nl": title, "target_value": value, "target_date": day.isoformat()}
    wanted = edited(registry, "targets", {**BIKES, **cells}, LANES)
    changes = differences(registry, wanted)
    assert differences(wanted, through_a_workbook(wanted, tmp_path)) == []
    meaning = {"target_value", "target_date"} & {change.column for change in changes}
    version = merged(registry, wanted, changes)["targets"].rows[0]["definition_version"]
    assert version == ("2" if meaning else "1")
