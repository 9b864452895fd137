"""`ademruimte targets plan`: what a department fills in, what it is told of a slip, and what is written down."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from orchestration.dbt_project import city_seeds
from orchestration.registry.commands import app
from orchestration.registry.faults import faults
from orchestration.registry.seeds import RegistryError, read_registry

ROOT = Path(__file__).parents[2]
HOMES = "social_housing_extra"
BY = ("--planned-by", "directie Wonen", "--planned-on", "2026-11-09")
HEADER = "doel;datum;waarde;vorm"
Plan = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the seeds of Kortrijk that a test may change."""
    return Path(shutil.copytree(city_seeds("kortrijk"), tmp_path / "seeds"))


@pytest.fixture
def plan(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Types `ademruimte targets plan …` over the copied seeds; what was printed."""
    monkeypatch.setenv("ADEMRUIMTE_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("ADEMRUIMTE_AS_OF", "2026-11-23")

    def type_command(*words: str | Path) -> str:
        told = CliRunner().invoke(app, ["--seeds", str(folder), "plan", *map(str, words)])
        if isinstance(told.exception, RegistryError):
            raise told.exception
        return told.output

    return type_command


def _filled(path: Path, *rows: str) -> Path:
    path.write_text("\n".join((HEADER, *rows)), encoding="utf-8")
    return path


def _rows(folder: Path, seed: str, target_id: str) -> list[dict[str, str]]:
    with (folder / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["target_id"] == target_id]


def test_a_plan_is_shown_and_written_only_with_who_planned_it_and_when(
    plan: Plan, folder: Path, tmp_path: Path
) -> None:
    file = _filled(tmp_path / "plan.csv", f"{HOMES};31/12/2028;200;S-curve", f"{HOMES};31-12-2034;600,5;")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    shown = plan(file)
    assert f"targets {HOMES}: trajectory: cumulative_linear -> s_curve" in shown
    assert f"targets {HOMES}: definition_version: 1 -> 2" in shown
    assert "4 changes, not written: add --planned-by ROLE and --planned-on DATE" in shown
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    assert "6 changes written" in plan(file, *BY)
    [target] = _rows(folder, "targets", HOMES)
    assert (target["trajectory"], target["planned_by"], target["planned_on"], target["definition_version"]) == (
        "s_curve",
        "directie Wonen",
        "2026-11-09",
        "2",
    )
    # the end of the path is the target itself
    stones = _rows(folder, "target_milestones", HOMES)
    assert [(stone["milestone_date"], stone["milestone_value"]) for stone in stones] == [
        ("2028-12-31", "200"),
        ("2034-12-31", "600.5"),
        ("2040-12-31", "1000"),
    ]
    *_, decision = _rows(folder, "target_decisions", HOMES)
    assert (decision["decided_by"], decision["decided_on"]) == ("directie Wonen", "2026-11-09")
    assert faults(read_registry(folder)) == []
    assert "no difference" in plan(file, *BY)


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_an_empty_template_comes_back_as_no_plan_and_a_filled_one_as_what_was_filled(
    plan: Plan, tmp_path: Path, folder: Path, ending: str
) -> None:
    file = tmp_path / f"plan.{ending}"
    assert "1 targets" in plan("--template", file, "--of", HOMES)
    assert "no difference" in plan(file)
    if ending == "xlsx":
        book = load_workbook(file)
        [row] = [row for row in book["Plan"].iter_rows(min_row=2) if str(row[3].value).startswith("2030")]
        row[4].value, row[5].value = 300, "projecten"
        book.save(file)
    else:
        text = file.read_text("utf-8-sig").replace("31/12/2030;;", "31/12/2030;300;projecten")
        file.write_text(text, encoding="utf-8")
    plan(file, *BY)
    stones = _rows(folder, "target_milestones", HOMES)
    assert [tuple(stone.values())[1:] for stone in stones] == [
        ("2030-12-31", "300", "step"),
        ("2040-12-31", "1000", "step"),
    ]
    assert _rows(folder, "targets", HOMES)[0]["trajectory"] == "project_steps"


def test_a_department_gets_a_row_for_each_year_of_each_target_that_has_a_way(plan: Plan, tmp_path: Path) -> None:
    plan("--template", tmp_path / "plan.xlsx", "--of", "wonen")
    rows = list(load_workbook(tmp_path / "plan.xlsx")["Plan"].iter_rows(min_row=2, values_only=True))
    assert {HOMES, "social_housing_per_100_households"} <= {row[0] for row in rows}
    # a norm that is the same every day has no way
    assert "social_housing_flemish_norm" not in {row[0] for row in rows}
    assert [row[4] for row in rows if row[0] == HOMES] == [None] * 14 + [1000]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (f"{HOMES};31/12/2028;200;bocht", "de vorm 'bocht' is onbekend"),
        ("huis;31/12/2028;200;", "het register kent geen doel 'huis'"),
        (";31/12/2028;200;", "er staat geen doel"),
        (f"{HOMES};31/12/2055;700;", "ligt niet na het begin (01/01/2025) en tot de einddatum (31/12/2040)"),
        (f"{HOMES};01/01/2025;700;", "ligt niet na het begin"),
        (f"{HOMES};31/12/2030;veel;", "de waarde is geen getal"),
        (f"{HOMES};straks;7;", "de datum is niet te lezen"),
        (f"{HOMES};31/12/2027;100;", "100 is minder dan de 150 ervoor"),
        (f"{HOMES};31/12/2026;160;", "31/12/2026 staat ook op rij 2"),
        (f"{HOMES};31/12/2040;900;", "op de einddatum geldt het doel zelf, 1000"),
        (f"{HOMES};31/12/2030;300;projecten", "maar rij 2 zegt 's-curve'"),
        ("social_housing_flemish_norm;31/12/2032;6;", "geen weg van een begin naar een einde"),
        ("social_housing_per_100_households;31/12/2030;10;s-curve", "past niet bij dit doel; kies rechte stukken"),
    ],
)
def test_a_wrong_row_is_told_in_dutch_with_its_number_and_nothing_is_written(
    plan: Plan, folder: Path, tmp_path: Path, row: str, why: str
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    file = _filled(tmp_path / "plan.csv", f"{HOMES};31/12/2026;150;s-curve", row)
    with pytest.raises(RegistryError) as told:
        plan(file, *BY)
    assert "niets gewijzigd" in str(told.value)
    assert "rij 3: " in str(told.value)
    assert why in str(told.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_file_that_is_no_plan_says_what_it_lacks(plan: Plan, tmp_path: Path) -> None:
    other, empty = tmp_path / "other.csv", tmp_path / "empty.csv"
    other.write_text("naam;waarde\nx;1\n", encoding="utf-8")
    _filled(empty, f"{HOMES};31/12/2028;;")
    with pytest.raises(RegistryError, match="doel"):
        plan(other)
    with pytest.raises(RegistryError, match="geen enkele rij heeft een waarde"):
        plan(empty)
    with pytest.raises(RegistryError, match="cannot be opened"):
        plan(tmp_path / "nowhere.csv")
    with pytest.raises(RegistryError, match=r"as \.xlsx or \.csv"):
        plan("--template", tmp_path / "plan.txt", "--of", HOMES)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "one of the two"),
        (("--template", "out.csv"), "--of names no target"),
        (("plan.csv", *BY[:2]), "belong together"),
        (("plan.csv", "--planned-by", "jan@kortrijk.be", *BY[2:]), "is an address"),
        (("plan.csv", *BY[:3], "2027-01-01"), "still to come"),
    ],
)
def test_a_command_that_cannot_be_meant_says_what_to_type(plan: Plan, words: tuple[str, ...], said: str) -> None:
    assert said in " ".join(plan(*words).replace("│", "").split())


def test_a_plan_is_taken_at_the_command_line(folder: Path, tmp_path: Path) -> None:
    file = _filled(tmp_path / "plan.csv", f"{HOMES};31/12/2028;200;", f"{HOMES};32/12/2030;300;")
    told = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "targets", "--seeds", str(folder), "plan", str(file)],
        check=False,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "ADEMRUIMTE_HOME": str(tmp_path / "var"),
            "ADEMRUIMTE_AS_OF": "2026-11-23",
            "PYTHONPATH": str(ROOT),
        },
    )
    assert told.returncode == 1
    assert "rij 3: de datum is niet te lezen; schrijf dag, maand en jaar, zoals 31/12/2028" in told.stdout + told.stderr
    assert "Traceback" not in told.stdout + told.stderr
