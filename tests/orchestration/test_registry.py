"""The registry of targets: what is a fault, what a workbook may change, and what is written down."""

import csv
import io
import logging
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from contracts.registry import all_cities
from ingestion.delivery import REGISTRY
from orchestration.cli import main
from orchestration.dbt_project import DBT_PROJECT
from orchestration.registry.faults import faults
from orchestration.registry.review import ADDED, REMOVED, Change, Decision, decide, differences, merged
from orchestration.registry.seeds import SEEDS, RegistryError, declared, read_registry, registry_units
from orchestration.registry.workbook import read_workbook, write_workbook
from orchestration.settings import read_settings

KORTRIJK = DBT_PROJECT / "seeds" / "kortrijk"
DECISION = Decision("college van burgemeester en schepenen", date(2026, 11, 20))
Cells = dict[str, str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the seeds of Kortrijk that a test may change."""
    return Path(shutil.copytree(KORTRIJK, tmp_path / "seeds"))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registry of Kortrijk as it is exported. Read it; never write to it."""
    path = tmp_path_factory.mktemp("registry") / "registry.xlsx"
    write_workbook(read_registry(KORTRIJK), path)
    return path


@pytest.fixture
def book(exported: Path, tmp_path: Path) -> Path:
    """An exported workbook that a test may edit."""
    return Path(shutil.copy(exported, tmp_path / "edited.xlsx"))


@pytest.fixture
def own_logger() -> Iterator[None]:
    """The command line shows progress by a handler of the process: here it goes again."""
    logger = logging.getLogger("ademruimte")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture
def targets(
    own_logger: None,  # noqa: ARG001 - what it puts back
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str]]:
    """Types `ademruimte targets …` over the copied seeds: the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADEMRUIMTE_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("ADEMRUIMTE_AS_OF", "2026-11-23")

    def type_command(*words: str) -> tuple[int, str]:
        logging.getLogger("ademruimte").handlers.clear()
        monkeypatch.setattr(sys, "argv", ["ademruimte", "targets", "--seeds", str(folder), *words])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, "".join(capsys.readouterr())

    return type_command


def said(output: str) -> str:
    """What was printed, without the frame and the line ends that an error gets."""
    return " ".join(output.replace("│", " ").split())


def rows_of(folder: Path, seed: str) -> list[Cells]:
    with (folder / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def put(folder: Path, seed: str, rows: list[Cells]) -> None:
    header = declared()[seed].header
    with (folder / f"{seed}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def change(folder: Path, seed: str, where: Cells, **cells: str) -> None:
    """Rewrites the cells of the rows that hold what `where` says."""
    rows = rows_of(folder, seed)
    meant = [row for row in rows if where.items() <= row.items()]
    assert meant, f"no row of {seed} holds {where}"
    for row in meant:
        row.update(cells)
    put(folder, seed, rows)


def add(folder: Path, seed: str, **cells: str) -> None:
    put(folder, seed, [*rows_of(folder, seed), cells])


def told(folder: Path) -> list[str]:
    return [str(fault) for fault in faults(read_registry(folder))]


def target(target_id: str) -> Cells:
    return {"target_id": target_id}


def in_book(book: Path, seed: str, where: Cells, **cells: object) -> None:
    """Types values into the first row of a sheet that holds what `where` says."""
    workbook = load_workbook(book)
    sheet = workbook[seed]
    places = {cell.value: cell.column for cell in sheet[1]}
    line = next(
        cells_of[0].row
        for cells_of in sheet.iter_rows(min_row=2)
        if all(str(cells_of[places[name] - 1].value) == text for name, text in where.items())
    )
    for name, value in cells.items():
        sheet.cell(line, places[name]).value = value
    workbook.save(book)


def append_in_book(book: Path, seed: str, **cells: object) -> None:
    workbook = load_workbook(book)
    sheet = workbook[seed]
    sheet.append([cells.get(str(cell.value)) for cell in sheet[1]])
    workbook.save(book)


def drop_in_book(book: Path, seed: str, line: int) -> None:
    workbook = load_workbook(book)
    workbook[seed].delete_rows(line)
    workbook.save(book)


def seen(folder: Path, book: Path) -> list[Change]:
    today = read_registry(folder)
    return differences(today, read_workbook(book, today))


def written(folder: Path, book: Path, decision: Decision = DECISION) -> list[Change]:
    today = read_registry(folder)
    return decide(folder, today, read_workbook(book, today), decision)


@pytest.mark.parametrize("city", sorted(all_cities()))
def test_the_registry_of_every_city_is_without_fault(city: str) -> None:
    assert faults(read_registry(DBT_PROJECT / "seeds" / city)) == []


def test_kortrijk_holds_the_128_targets_with_their_owners_and_denominators() -> None:
    counted = {name: len(table.rows) for name, table in read_registry(KORTRIJK).items()}
    assert counted["targets"] == 128
    assert counted["target_owners"] == 256
    assert counted["denominators"] >= 35
    assert counted["lekp_goals"] == 20


def test_three_wordings_of_one_target_stand_together() -> None:
    wordings = [
        row for row in rows_of(KORTRIJK, "target_wordings") if row["target_id"] == "own_buildings_co2_2030_vs_2019"
    ]
    assert [row["relation"] for row in wordings] == ["chosen", "rebased", "rebased"]
    factor, offset = float(wordings[1]["rebase_factor"]), float(wordings[1]["rebase_offset"])
    assert factor * -40.3 + offset == pytest.approx(-55, abs=0.01)


def test_every_contested_target_asks_a_question_and_none_was_decided_for_the_city() -> None:
    questions = [row for row in rows_of(KORTRIJK, "target_decisions") if row["is_contested"] == "true"]
    contested = {row["target_id"] for row in rows_of(KORTRIJK, "targets") if row["is_contested"] == "true"}
    assert contested <= {row["target_id"] for row in questions}
    assert {row["decided_on"] for row in questions} == {""}


def test_an_invented_plan_or_action_says_that_it_is_synthetic() -> None:
    for seed in ("policy_tree", "covenant_actions"):
        assert {row["is_synthetic"] for row in rows_of(KORTRIJK, seed)} == {"true"}


def test_a_link_to_the_pact_names_an_official_goal() -> None:
    official = {row["goal_uri"] for row in rows_of(DBT_PROJECT / "seeds" / "shared", "lekp_goals")}
    linked = {row["reference"] for row in rows_of(KORTRIJK, "target_links") if row["framework"] == "lekp"}
    assert linked <= official
    assert all(uri.startswith("http://lblod.data.gift/concepts/") for uri in official)


def test_the_door_gets_one_row_for_each_kpi() -> None:
    units = registry_units(read_settings({}))
    assert units.schema == REGISTRY
    without_target = rows_of(DBT_PROJECT / "seeds" / "shared", "other_indicators")
    assert units["kpi_id"].n_unique() == units.height == 128 + len(without_target)
    checked = units.filter("needs_check")["kpi_id"].to_list()
    assert "bmx_track" in checked
    assert "trees_extra" not in checked
    assert registry_units(read_settings({"ADEMRUIMTE_CITY": "boston"})).is_empty()


@pytest.mark.parametrize(
    ("seed", "where", "cells", "says"),
    [
        ("targets", target("trees_extra"), {"department_id": "parken"}, "department_id names 'parken'"),
        ("targets", target("trees_extra"), {"alias_of": "bomen"}, "alias_of names 'bomen', which targets.csv"),
        ("targets", target("epc_a_2050"), {"alias_of": "epc_c_2030_best_effort"}, "which is an alias itself"),
        ("targets", target("trees_extra"), {"trajectory": "curve"}, "trajectory is 'curve'. Choose one of linear"),
        ("targets", target("trees_extra"), {"target_value": "77.746,0"}, "Write a number with a point"),
        ("targets", target("trees_extra"), {"target_value": "nan"}, "target_value is 'nan'"),
        ("targets", target("trees_extra"), {"target_date": "31/12/2030"}, "Write a date as 2030-12-31"),
        ("targets", target("trees_extra"), {"target_date": "20301231"}, "target_date is '20301231'"),
        ("targets", target("trees_extra"), {"min_points": "4.5"}, "Write a whole number"),
        ("targets", target("trees_extra"), {"is_public": "ja"}, "Write true or false"),
        ("targets", target("trees_extra"), {"unit": ""}, "unit is empty. Fill it in"),
        ("targets", target("trees_extra"), {"note_nl": "een\ntwee"}, "note_nl holds a line break"),
        ("targets", target("trees_extra"), {"target_date": "2024-12-31"}, "baseline_date is not before target_date"),
        ("targets", target("trees_extra"), {"accepted_limit": "98"}, "Write a share between 0 and 1"),
        ("targets", target("trees_extra"), {"embargo_time": "9u30"}, "Write a time of day as 09:30"),
        ("targets", target("trees_extra"), {"embargo_time": "25:00"}, "embargo_time is '25:00'"),
        ("targets", target("trees_extra"), {"deprecated_on": "2026-01-01"}, "lacks deprecated_reason"),
        ("targets", target("trees_extra"), {"deprecated_reason": "dubbel"}, "lacks deprecated_on"),
        ("targets", target("trees_extra"), {"registry_status": "cancelled"}, "has no deprecated_on"),
        ("targets", target("trees_extra"), {"successor_kpi_id": "skatepark"}, "still counts names a successor"),
        ("targets", target("trees_extra"), {"successor_kpi_id": "trees_extra"}, "a KPI succeeds itself"),
        ("targets", target("trees_extra"), {"registry_status": "contested"}, ""),
        ("targets", target("skatepark"), {"registry_status": "contested"}, "but no question is open"),
        ("targets", target("skatepark"), {"is_contested": "true"}, "a contested target has no question"),
        ("targets", target("trees_extra"), {"is_contested": "false"}, "an open question contests the target"),
        ("targets", target("skatepark"), {"kpi_id": "trees_extra"}, "in 'milestone 0/1' on line"),
        ("targets", target("ecoc_2030"), {"kpi_id": "skatepark"}, "kpi_id skatepark is reused"),
        ("targets", target("trees_extra"), {"trajectory": "linear"}, "a seasonal path needs the weights"),
        ("targets", target("skatepark"), {"trajectory": "milestones"}, "does not end at the target's own date"),
        ("targets", target("wind_mw_2040"), {"target_value": "45"}, "does not end at the target's own date"),
        # a plan has somebody who made it, and its shape is of what is counted
        ("targets", target("trees_extra"), {"planned_by": "directie"}, "a plan lacks planned_on"),
        ("targets", target("trees_extra"), {"planned_on": "2026-01-01"}, "a plan lacks planned_by"),
        (
            "targets",
            target("trees_extra"),
            {"planned_by": "jan@kortrijk.be", "planned_on": "2026-01-01"},
            "planned_by is an address",
        ),
        ("targets", target("social_housing_extra"), {"trajectory": "s_curve"}, "nobody is named who planned the path"),
        (
            "targets",
            target("social_housing_extra"),
            {"trajectory": "project_steps", "planned_by": "directie", "planned_on": "2026-01-01"},
            "does not end at the target's own date",
        ),
        (
            "targets",
            target("social_housing_per_100_households"),
            {"trajectory": "s_curve", "planned_by": "directie", "planned_on": "2026-01-01"},
            "is of what is counted, and the series is level",
        ),
        (
            "targets",
            target("social_housing_extra"),
            {"trajectory": "s_curve", "planned_by": "directie", "planned_on": "2026-01-01", "baseline_value": ""},
            "the path s_curve lacks baseline_value",
        ),
        (
            "targets",
            target("social_housing_extra"),
            {"trajectory": "s_curve", "planned_by": "directie", "planned_on": "2026-01-01"},
            "",
        ),
        # promises on one figure
        ("targets", target("co2_territory_2040"), {"follows": "co2_2030"}, "follows names 'co2_2030'"),
        ("targets", target("co2_territory_2040"), {"target_value": "-30"}, "asks less than co2_territory_2030"),
        ("targets", target("co2_territory_2040"), {"target_date": "2030-12-31"}, "but is due no later"),
        ("targets", target("co2_territory_2040"), {"target_date": ""}, "lacks a value or a date"),
        (
            "targets",
            target("co2_territory_2040"),
            {"baseline_date": "2015-12-31"},
            "which it follows, says '2005-12-31'",
        ),
        ("targets", target("co2_neutral_2050"), {"unit": "% change vs 2005 (net)"}, "unit is '% change vs 2005 (net)'"),
        ("targets", target("wind_mw_2050"), {"direction": "decrease"}, "it wants the other way of wind_mw_2040"),
        (
            "targets",
            target("wind_mw_2050"),
            {"trajectory": "linear"},
            "has the path linear. Give it the path milestones",
        ),
        ("targets", target("co2_territory_2030"), {"follows": "co2_neutral_2050"}, "a promise follows itself"),
        (
            "targets",
            target("epc_a_2050"),
            {"value_kpi_id": "epc_c_2030", "target_date": "2030-12-31", "target_value": "90", "is_contested": "true"},
            "a contested target has no question",
        ),
        # readings of an open question
        ("target_decisions", {"decision_id": "trees_extra.1"}, {"may_decide_nl": ""}, "nobody is named who may decide"),
        ("target_readings", {"reading_id": "wind_mw_2040.1.b"}, {"target_value": ""}, "2 readings, of which 2 fill in"),
        (
            "target_readings",
            {"reading_id": "wind_mw_2040.1.a"},
            {"target_value": "40"},
            "2 readings, of which 0 fill in",
        ),
        (
            "target_readings",
            {"reading_id": "wind_mw_2040.1.b"},
            {"target_value": "31"},
            "what the registry says already",
        ),
        (
            "target_readings",
            {"reading_id": "wind_mw_2040.1.b"},
            {"decision_id": "trees_extra.1"},
            "does not begin with its",
        ),
        ("target_readings", {"reading_id": "wind_mw_2040.1.b"}, {"denominator_id": "iedereen"}, "denominator_id names"),
        (
            "target_decisions",
            {"decision_id": "wind_mw_2040.1"},
            {"decided_by": "college", "decided_on": "2026-01-01", "decision_nl": "31 MW."},
            "the question is decided: one reading is left",
        ),
        # wordings of one target that do not add up
        ("targets", target("shared_cars_total"), {"target_value": "150"}, ""),
        ("targets", target("skatepark"), {"department_id": "jeugd"}, "target_owners.csv says otherwise"),
        (
            "target_milestones",
            target("sewer_connections_2027"),
            {"milestone_date": "2028-12-31"},
            "beyond the deadline",
        ),
        ("target_milestones", target("sewer_connections_2027"), {"milestone_date": "2023-12-31"}, "before the start"),
        ("target_milestones", target("sewer_connections_2027"), {"target_id": "skatepark"}, "follows the path step"),
        (
            "target_seasons",
            {"target_id": "trees_extra", "month": "11"},
            {"weight": "0.3"},
            "12 months weigh 1.1 together",
        ),
        (
            "target_seasons",
            {"target_id": "trees_extra", "month": "11"},
            {"month": "13"},
            "Give each of the twelve months",
        ),
        ("target_wordings", target("epc_c_2030"), {"relation": "weaker"}, "has 0 chosen wordings"),
        ("target_wordings", {"wording_id": "epc_c_2030.2"}, {"relation": "chosen"}, "has 2 chosen wordings"),
        ("target_wordings", {"wording_id": "epc_c_2030.2"}, {"relation": "rebased"}, "has a rebase_factor"),
        ("target_wordings", {"wording_id": "epc_c_2030.2"}, {"alias_target_id": "epc_c_2030"}, "its own target"),
        ("target_wordings", {"relation": "rebased", "section": "6.4"}, {"rebase_offset": "0"}, "do not turn the value"),
        ("target_decisions", {"decision_id": "trees_extra.1"}, {"decided_on": "2026-01-01"}, "lacks who, when or what"),
        ("target_links", {"framework": "plan", "reference": "03.03.01"}, {"reference": "9.9"}, "does not know '9.9'"),
        ("target_owners", target("skatepark"), {"valid_to": "2020-01-01"}, "valid_to lies before valid_from"),
        ("policy_tree", {"code": "03.03.01"}, {"parent_code": "03"}, "action hangs under 03. Hang it under"),
        ("policy_tree", {"code": "03"}, {"parent_code": "04.01"}, "objective hangs under 04.01. Clear it"),
        ("policy_tree", {"code": "03.03.01"}, {"parent_code": "77"}, "which policy_tree.csv does not know"),
    ],
)
def test_a_fault_is_told_with_its_line_why_and_what_to_do(
    folder: Path, seed: str, where: Cells, cells: Cells, says: str
) -> None:
    change(folder, seed, where, **cells)
    found = told(folder)
    assert any(says in fault for fault in found) if says else found == []
    assert all(fault.split(": ")[0].split(".csv line ")[1].isdigit() for fault in found)


@pytest.mark.parametrize(
    ("target_id", "says"),
    [
        ("sewer_connections_total", "its parts add to 7701, not to 7500"),
        ("shared_cars_per_1000", "34 and 130 more are 164, not the 158 of shared_cars_total"),
        ("charge_points_per_100", "of 79268 is 1189, not the 1326 of charge_points_total"),
        ("coop_renewable_projects", "of 77746 is 155, not the 154 of coop_renewable_projects"),
    ],
)
def test_what_does_not_add_up_is_a_fault_unless_a_question_about_it_is_open(
    folder: Path, target_id: str, says: str
) -> None:
    change(folder, "targets", target("shared_cars_extra"), target_value="130")
    about = {
        target_id,
        *(row["alias_target_id"] for row in rows_of(folder, "target_wordings") if row["target_id"] == target_id),
    }
    assert not any(says in fault for fault in told(folder))
    answered = {"decided_by": "college", "decided_on": "2026-01-01", "decision_nl": "Zo."}
    for row in rows_of(folder, "target_decisions"):
        if row["target_id"] in about and not row["decided_on"]:
            change(folder, "target_decisions", {"decision_id": row["decision_id"]}, **answered)
    assert any(says in fault for fault in told(folder))


def test_two_promises_of_one_figure_for_one_day_are_a_fault_unless_a_question_is_open(folder: Path) -> None:
    change(folder, "targets", target("pv_parkings_2050"), follows="", value_kpi_id="pv_parkings_2030")
    change(folder, "targets", target("pv_parkings_2050"), target_date="2030-12-31", trajectory="linear")
    [fault] = [fault for fault in told(folder) if "of one figure" in fault]
    assert "promises 25, and pv_parkings_2030 6 of one figure. Correct one, make it an alias" in fault


def test_a_fault_stands_on_the_line_of_the_file(folder: Path) -> None:
    change(folder, "targets", target("trees_extra"), unit="")
    [fault] = told(folder)
    line = (folder / "targets.csv").read_text("utf-8").splitlines()[int(fault.split()[2].rstrip(":")) - 1]
    assert fault.startswith("targets.csv line ")
    assert line.startswith("trees_extra,")


def test_a_decision_is_taken_by_a_role_and_not_by_an_address(folder: Path) -> None:
    answer = {"decided_by": "iemand@stad.example", "decided_on": "2026-01-01", "decision_nl": "Ja."}
    change(folder, "target_decisions", {"decision_id": "trees_extra.1"}, **answer)
    assert any("Write the role or body" in fault for fault in told(folder))


def test_the_same_link_twice_is_a_fault_also_in_another_period(folder: Path) -> None:
    link = next(row for row in rows_of(folder, "target_links") if row["target_id"] == "trees_extra")
    add(folder, "target_links", **{**link, "valid_from": "2028-01-01"})
    assert any("is told twice for 2028-01-01" in fault for fault in told(folder))


def test_a_link_may_return_after_it_ended(folder: Path) -> None:
    link = next(row for row in rows_of(folder, "target_links") if row["target_id"] == "trees_extra")
    add(folder, "target_links", **{**link, "valid_from": "2032-01-01", "valid_to": ""})
    assert told(folder) == []


def test_two_owners_at_a_time_are_a_fault_and_one_after_the_other_is_not(folder: Path) -> None:
    new = {"target_id": "skatepark", "role": "owner", "department_id": "jeugd", "valid_from": "2026-01-01"}
    add(folder, "target_owners", **new)
    change(folder, "targets", target("skatepark"), department_id="jeugd")
    assert any("skatepark owner is told twice" in fault for fault in told(folder))
    old = {"target_id": "skatepark", "role": "owner", "department_id": "sport"}
    change(folder, "target_owners", old, valid_to="2025-12-31")
    assert told(folder) == []


def test_a_repeated_key_names_the_other_line(folder: Path) -> None:
    add(folder, "policy_tree", **rows_of(folder, "policy_tree")[0])
    assert any("01 stands on line 2 too. Keep one of the two" in fault for fault in told(folder))


def test_a_seed_that_a_city_has_not_is_without_rows(folder: Path) -> None:
    (folder / "target_links.csv").unlink()
    assert read_registry(folder)["target_links"].rows == ()


def test_a_folder_that_is_not_there_is_no_city_without_seeds(folder: Path) -> None:
    with pytest.raises(RegistryError, match=r"kortrik is no folder; name one that holds the seeds of a city"):
        read_registry(folder.parent / "kortrik")


def test_a_missing_column_is_told_by_name(folder: Path) -> None:
    (folder / "target_links.csv").write_text("target_id,kader\n", "utf-8")
    with pytest.raises(RegistryError, match=r"misses the column framework, .* has the undeclared column kader"):
        read_registry(folder)


def test_a_row_with_a_comma_too_many_is_told_by_its_line(folder: Path) -> None:
    with (folder / "target_seasons.csv").open("a", encoding="utf-8") as file:
        file.write("trees_extra,13,0,5\n")
    with pytest.raises(RegistryError, match=r"target_seasons\.csv line 26: 4 cells instead of 3"):
        read_registry(folder)


def test_a_workbook_that_nobody_edited_changes_nothing(folder: Path, book: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert written(folder, book) == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_workbook_has_a_sheet_for_each_seed_and_lists_to_choose_from(book: Path) -> None:
    workbook = load_workbook(book)
    assert workbook.sheetnames == list(SEEDS)
    offered = _offers(workbook["targets"])
    assert offered["registry_status"] == '"active,cancelled,contested"'
    assert offered["department_id"].startswith("departments!$A$2:")
    assert "title_nl" not in offered
    assert all(len(source) <= 257 for source in offered.values()), "Excel cuts a longer list off"


def _offers(sheet: Worksheet) -> dict[str, str]:
    names = {cell.column_letter: str(cell.value) for cell in sheet[1]}
    return {names[str(each.sqref)[0 : _letters(str(each.sqref))]]: each.formula1 for each in _validations(sheet)}


def _letters(reference: str) -> int:
    return next(place for place, sign in enumerate(reference) if sign.isdigit())


def _validations(sheet: Worksheet) -> list[object]:
    return list(sheet.data_validations.dataValidation)


def test_codes_stay_text_and_values_become_numbers_and_dates(book: Path) -> None:
    workbook = load_workbook(book)
    assert workbook["policy_tree"]["A2"].value == "01"
    header = [cell.value for cell in workbook["targets"][1]]
    trees = next(row for row in workbook["targets"].iter_rows(values_only=True) if row[0] == "trees_extra")
    named = dict(zip(header, trees, strict=True))
    assert (named["target_value"], named["target_date"]) == (77_746, datetime(2030, 12, 31))  # noqa: DTZ001 - a date
    assert (named["section"], named["is_public"], named["alias_of"]) == ("5.6", True, None)


def test_a_text_that_looks_like_a_formula_stays_a_text(folder: Path, tmp_path: Path) -> None:
    change(folder, "targets", target("trees_extra"), note_nl='=HYPERLINK("http://x.example")')
    write_workbook(read_registry(folder), tmp_path / "text.xlsx")
    assert seen(folder, tmp_path / "text.xlsx") == []


def test_an_edited_cell_is_shown_as_old_and_new(folder: Path, book: Path) -> None:
    in_book(book, "targets", target("trees_extra"), target_value=80_000, title_nl="Bomen erbij")
    assert list(map(str, seen(folder, book))) == [
        "targets trees_extra: title_nl: Extra bomen -> Bomen erbij",
        "targets trees_extra: target_value: 77746 -> 80000",
    ]


def test_another_order_of_rows_and_columns_is_no_difference(folder: Path, tmp_path: Path) -> None:
    registry = read_registry(folder)
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "policy_tree"
    header = registry["policy_tree"].header[::-1]
    sheet.append(header)
    for row in registry["policy_tree"].rows[::-1]:
        sheet.append([row[name] for name in header])
    workbook.save(tmp_path / "turned.xlsx")
    assert seen(folder, tmp_path / "turned.xlsx") == []


def test_a_change_is_written_with_who_decided_and_when(folder: Path, book: Path) -> None:
    in_book(book, "targets", target("skatepark"), title_nl="Skatepark in Wembley")
    assert len(written(folder, book)) == 1
    [decision] = [row for row in rows_of(folder, "target_decisions") if row["target_id"] == "skatepark"]
    assert decision == {
        "decision_id": "skatepark.1",
        "target_id": "skatepark",
        "question_nl": "Register gewijzigd: targets.title_nl",
        "is_contested": "false",
        "may_decide_nl": "",
        "decided_by": "college van burgemeester en schepenen",
        "decided_on": "2026-11-20",
        "decision_nl": "targets skatepark: title_nl: Nieuw outdoor skatepark Wembley -> Skatepark in Wembley",
    }
    assert told(folder) == []


def test_only_the_lines_that_changed_differ_in_the_file(folder: Path, book: Path) -> None:
    before = (folder / "targets.csv").read_text("utf-8").splitlines()
    in_book(book, "targets", target("skatepark"), title_nl="Skatepark")
    written(folder, book)
    after = (folder / "targets.csv").read_text("utf-8").splitlines()
    assert [new[:10] for old, new in zip(before, after, strict=True) if old != new] == ["skatepark,"]


@pytest.mark.parametrize(
    ("column", "value", "version"),
    [("target_value", 80_000, "3"), ("tolerance", 100, "3"), ("title_nl", "Bomen", "2"), ("cadence_days", 30, "2")],
)
def test_the_definition_version_goes_up_when_the_meaning_changes(
    folder: Path, book: Path, column: str, value: object, version: str
) -> None:
    in_book(book, "targets", target("trees_extra"), **{column: value})
    written(folder, book)
    [row] = [row for row in rows_of(folder, "targets") if row["target_id"] == "trees_extra"]
    assert row["definition_version"] == version


def test_another_season_or_milestone_raises_the_version_once(folder: Path, book: Path) -> None:
    in_book(book, "target_seasons", {"target_id": "trees_extra", "month": "11"}, weight=0.25)
    in_book(book, "target_seasons", {"target_id": "trees_extra", "month": "12"}, weight=0.20)
    append_in_book(
        book,
        "target_milestones",
        target_id="sewer_connections_total",
        milestone_date=date(2030, 12, 31),
        milestone_value=5000,
        interpolation="linear",
    )
    assert [change.column for change in written(folder, book)] == [ADDED, "weight", "weight"]
    versions = {row["target_id"]: row["definition_version"] for row in rows_of(folder, "targets")}
    assert (versions["trees_extra"], versions["sewer_connections_total"], versions["skatepark"]) == ("3", "4", "1")


def test_another_denominator_raises_its_own_version_and_that_of_its_targets(folder: Path, book: Path) -> None:
    in_book(book, "denominators", {"denominator_id": "population_lekp"}, value=77_800)
    written(folder, book)
    [base] = [row for row in rows_of(folder, "denominators") if row["denominator_id"] == "population_lekp"]
    assert (base["value"], base["definition_version"]) == ("77800", "2")
    raised = {row["target_id"] for row in rows_of(folder, "targets") if row["denominator_id"] == "population_lekp"}
    versions = {row["target_id"]: row["definition_version"] for row in rows_of(folder, "targets")}
    assert {versions[name] for name in raised} == {"2"}
    [decision] = [row for row in rows_of(folder, "target_decisions") if row["decision_id"] == "registry.1"]
    assert decision["target_id"] == ""


def test_an_open_question_is_decided_once_and_is_its_own_record(folder: Path, book: Path) -> None:
    answer = {"decided_by": "gemeenteraad", "decided_on": date(2026, 11, 9), "decision_nl": "Alle woningen."}
    in_book(book, "target_decisions", {"decision_id": "epc_c_2030.1"}, **answer)
    count = len(rows_of(folder, "target_decisions"))
    written(folder, book)
    assert len(rows_of(folder, "target_decisions")) == count
    in_book(book, "target_decisions", {"decision_id": "epc_c_2030.1"}, decision_nl="Toch niet.")
    with pytest.raises(RegistryError, match="a decision stays as it was taken; add a row for the new one"):
        written(folder, book)


def test_links_and_wordings_come_and_go_and_are_recorded_at_their_target(folder: Path, book: Path) -> None:
    append_in_book(
        book,
        "target_links",
        target_id="happy_share",
        framework="plan",
        reference="01.02.01",
        relation="contributes",
        valid_from=date(2026, 1, 1),
    )
    append_in_book(
        book,
        "target_wordings",
        wording_id="happy_share.1",
        target_id="happy_share",
        section="3.2",
        wording_nl="Meer gelukkige inwoners",
        relation="chosen",
        wording_source="note",
    )
    assert [change.seed for change in written(folder, book)] == ["target_wordings", "target_links"]
    [decision] = [row for row in rows_of(folder, "target_decisions") if row["target_id"] == "happy_share"]
    assert "reference=01.02.01" in decision["decision_nl"]
    drop_in_book(book, "target_links", len(rows_of(folder, "target_links")) + 1)
    drop_in_book(book, "target_decisions", 900)
    today = read_registry(folder)
    edited = {**read_workbook(book, today), "target_decisions": today["target_decisions"]}
    assert [change.column for change in differences(today, edited)] == [REMOVED]


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("kpi_id", "bomen", "kpi_id never changes"),
        ("definition_version", 9, "definition_version is raised by the import itself"),
        ("target_id", "bomen", "a row of targets is never taken out"),
    ],
)
def test_what_names_a_target_is_fixed(folder: Path, book: Path, column: str, value: object, says: str) -> None:
    in_book(book, "targets", target("trees_extra"), **{column: value})
    with pytest.raises(RegistryError, match=says):
        seen(folder, book)


def test_the_version_of_a_denominator_is_not_typed_either(folder: Path, book: Path) -> None:
    in_book(book, "denominators", {"denominator_id": "population_lekp"}, definition_version=7)
    with pytest.raises(RegistryError, match="raised by the import itself"):
        seen(folder, book)


def test_an_unknown_id_is_refused_wherever_it_stands(folder: Path, book: Path) -> None:
    append_in_book(book, "targets", target_id="moon_base", kpi_id="moon_base")
    with pytest.raises(RegistryError, match="no target has that id"):
        seen(folder, book)


def test_a_link_of_an_unknown_target_is_refused(folder: Path, book: Path) -> None:
    link = {"framework": "plan", "reference": "01.02.01", "relation": "measures", "valid_from": date(2026, 1, 1)}
    append_in_book(book, "target_links", target_id="moon_base", **link)
    before = (folder / "target_links.csv").read_bytes()
    with pytest.raises(RegistryError, match=r"target_id names 'moon_base', which targets\.csv does not know"):
        written(folder, book)
    assert (folder / "target_links.csv").read_bytes() == before


def test_an_official_list_is_not_edited(folder: Path, book: Path) -> None:
    drop_in_book(book, "lekp_goals", 2)
    with pytest.raises(RegistryError, match="lekp_goals is an official list"):
        seen(folder, book)


def test_a_row_that_stands_twice_is_refused(folder: Path, book: Path) -> None:
    append_in_book(book, "policy_tree", code="01", level="objective", title_nl="Nog een")
    with pytest.raises(RegistryError, match="policy_tree: 01 stands there twice"):
        seen(folder, book)


@pytest.mark.parametrize(
    ("value", "says"), [("=1+1", "cell .* holds a formula; write the value itself"), ("#REF!", "holds the error #REF!")]
)
def test_a_formula_or_an_error_in_a_cell_is_refused(folder: Path, book: Path, value: str, says: str) -> None:
    in_book(book, "targets", target("trees_extra"), target_value=value)
    with pytest.raises(RegistryError, match=says):
        seen(folder, book)


def test_a_sheet_or_column_that_is_not_ours_is_refused(folder: Path, book: Path) -> None:
    workbook = load_workbook(book)
    workbook["departments"]["D1"] = "hoofd"
    workbook.save(book)
    with pytest.raises(RegistryError, match=r"sheet departments: the columns differ \(hoofd\)"):
        seen(folder, book)
    workbook.create_sheet("Blad1")
    workbook.save(book)
    with pytest.raises(RegistryError, match="the sheet Blad1 is no seed of the registry"):
        seen(folder, book)


def test_a_cell_beside_the_table_is_refused(folder: Path, book: Path) -> None:
    workbook = load_workbook(book)
    workbook["departments"]["F3"] = "kladje"
    workbook.save(book)
    with pytest.raises(RegistryError, match="line 3: a cell stands outside the table"):
        seen(folder, book)


def test_a_file_that_is_no_workbook_is_told_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    registry = read_registry(folder)
    with pytest.raises(RegistryError, match=r"away\.xlsx: cannot be opened"):
        read_workbook(tmp_path / "away.xlsx", registry)
    (tmp_path / "text.xlsx").write_text("target_id", "utf-8")
    with pytest.raises(RegistryError, match=r"text\.xlsx"):
        read_workbook(tmp_path / "text.xlsx", registry)


def test_a_workbook_that_unpacks_to_far_more_than_it_weighs_is_not_opened(folder: Path, tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b" " * 60_000_000)
    (tmp_path / "bomb.xlsx").write_bytes(bomb.getvalue())
    with pytest.raises(RegistryError, match=r"bomb\.xlsx"):
        read_workbook(tmp_path / "bomb.xlsx", read_registry(folder))


def test_nothing_is_written_when_the_result_has_a_fault(folder: Path, book: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    in_book(book, "targets", target("skatepark"), department_id="hangjongeren")
    with pytest.raises(RegistryError, match="nothing was written: the edited registry has 1 faults"):
        written(folder, book)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_preview_shows_the_versions_that_go_up(folder: Path, book: Path) -> None:
    in_book(book, "targets", target("skatepark"), tolerance=1)
    today = read_registry(folder)
    edited = read_workbook(book, today)
    wanted = merged(today, edited, differences(today, edited))
    assert next(row for row in wanted["targets"].rows if row["target_id"] == "skatepark")["definition_version"] == "2"


def test_the_list_fits_eighty_columns_and_marks_what_is_not_judged(targets: Callable[..., tuple[int, str]]) -> None:
    code, output = targets("list")
    assert code == 0
    assert max(map(len, output.splitlines())) <= 80
    assert "128 targets; 4 contested (?), 2 cancelled (x)." in output
    lines = {line.split()[0]: line for line in output.splitlines() if line.strip()}
    assert " ? " in lines["vehicle_km_2040"]
    assert " x " in lines["ecoc_2030"]
    assert "collective_renovation_fossil_free_share" in lines


def test_the_list_can_be_of_one_department(targets: Callable[..., tuple[int, str]]) -> None:
    _, output = targets("list", "--department", "sport")
    assert "skatepark" in output
    assert "trees_extra" not in output


def test_one_target_is_shown_with_its_wordings_questions_links_owners_and_denominator(
    targets: Callable[..., tuple[int, str]],
) -> None:
    code, output = targets("show", "charge_points_per_100")
    assert code == 0
    for words in (
        "from 0.83 on 2024-01-01 to 1.5 by 2030-12-31",
        "registered as charge_point_extra",
        "[open; may be decided by het college, samen met de Vlaamse overheid (energie- en klimaatpact)]",
        "bij 77.746 inwoners (pact)",
        "lekp measures: Werf 3: Mobiliteit - Laadpunten (2021-01-01 to 2030-12-31)",
        "plan measures: Laadpunten bijplaatsen (2026-01-01 to 2031-12-31) [synthetic]",
        "data_owner: mobiliteit (2024-04-01 to now)",
        "population_2024: 79268 inhabitants, fixed, from 2019-01-01",
    ):
        assert words in output


def test_a_lapsed_target_says_when_and_why_and_who_decided(targets: Callable[..., tuple[int, str]]) -> None:
    _, output = targets("show", "ecoc_2030")
    assert "lapsed on 2024-10-24" in output
    assert "[Europese jury, 2024-10-24:" in output


def test_a_path_of_milestones_is_shown(targets: Callable[..., tuple[int, str]]) -> None:
    _, output = targets("show", "sewer_connections_2027")
    assert "2027-12-31: 2567 (linear)" in output


def test_a_later_promise_and_where_its_figure_comes_from_are_shown(targets: Callable[..., tuple[int, str]]) -> None:
    _, output = targets("show", "co2_neutral_2050")
    assert "a later promise on the figure of co2_territory_2040: its path leads along that one" in output
    _, output = targets("show", "own_energy_use_yearly")
    assert "beside it stands own_energy_use_normalised_yearly, which does not decide" in output
    _, output = targets("show", "renovation_custom_trajectories")
    assert "measured by renovation_custom_dwellings" in output


@pytest.mark.parametrize(
    ("written_id", "says"), [("tree_extra", "near: trees_extra"), ("zzz", "see `ademruimte targets list`")]
)
def test_an_unknown_target_is_told_with_what_comes_near(
    targets: Callable[..., tuple[int, str]], written_id: str, says: str
) -> None:
    code, output = targets("show", written_id)
    assert code == 2
    assert says in said(output)


def test_check_ends_with_one_when_there_are_faults(targets: Callable[..., tuple[int, str]], folder: Path) -> None:
    assert targets("check")[0] == 0
    change(folder, "targets", target("trees_extra"), department_id="parken")
    code, output = targets("check")
    assert code == 1
    assert "department_id names 'parken', which departments.csv does not know. Correct it or add it" in said(output)
    assert "1 faults in" in output
    code, output = targets("export", "registry.xlsx")
    assert code == 1
    assert "nothing was written: the registry has 1 faults" in said(output)


def test_an_import_shows_the_difference_and_writes_only_a_decision(
    targets: Callable[..., tuple[int, str]], folder: Path, tmp_path: Path
) -> None:
    assert targets("export", "registry.xlsx")[0] == 0
    assert "no difference" in targets("import", "registry.xlsx")[1]
    in_book(tmp_path / "registry.xlsx", "targets", target("trees_extra"), target_value=80_000)
    before = (folder / "targets.csv").read_bytes()
    code, output = targets("import", "registry.xlsx")
    assert code == 0
    assert "targets trees_extra: target_value: 77746 -> 80000" in output
    assert "targets trees_extra: definition_version: 2 -> 3" in output
    assert "1 changes, not written: add --decided-by ROLE and --decided-on DATE" in said(output)
    assert (folder / "targets.csv").read_bytes() == before
    code, output = targets("import", "registry.xlsx", "--decided-by", "gemeenteraad", "--decided-on", "2026-11-09")
    assert (code, "1 changes written to" in output) == (0, True)
    assert rows_of(folder, "target_decisions")[-1]["decided_by"] == "gemeenteraad"
    assert targets("check")[0] == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--decided-by", "gemeenteraad"), "belong together"),
        (("--decided-on", "2026-11-09"), "belong together"),
        (("--decided-by", "x@stad.example", "--decided-on", "2026-11-09"), "write the role or body that decided"),
        (("--decided-by", "gemeenteraad", "--decided-on", "2027-01-01"), "is still to come"),
    ],
)
def test_a_decision_needs_a_role_and_a_day_that_has_come(
    targets: Callable[..., tuple[int, str]], book: Path, options: tuple[str, ...], says: str
) -> None:
    code, output = targets("import", str(book), *options)
    assert code == 2
    assert says in said(output)


def test_a_workbook_that_cannot_be_read_is_told_without_a_traceback(targets: Callable[..., tuple[int, str]]) -> None:
    code, output = targets("import", "away.xlsx")
    assert code == 1
    assert "away.xlsx: cannot be opened (No such file or directory)" in said(output)
