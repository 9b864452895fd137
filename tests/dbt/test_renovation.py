"""What only becomes visible when the weekly files of the coaches lie beside each other."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from contracts.registry import all_contracts
from ingestion.protocols.spreadsheet import workbook_bytes
from orchestration.loop.landing import land
from orchestration.settings import Settings, read_settings
from tests.dbt.landed_rows import ORIGIN
from tests.dbt.warehouses import Built, insert
from tests.orchestration.profiles import NOW
from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.load import load

COACHES = "renovation_coach"
DOSSIERS = ["dossier", "team", "adres", "intake_op", "fase", "fase_op"]
MEASURES = ["dossier", "team", "regelnr", "maatregel", "status", "status_op"]
ADVISED = ["L-1", "leiedal", 1, "dak", "geadviseerd", "2026-11-03"]


@pytest.fixture
def con(built: Built, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The small Kortrijk, for a test to land more in; views follow by themselves."""
    shutil.copy(built.warehouse, tmp_path / "warehouse.duckdb")
    with connect(tmp_path / "warehouse.duckdb") as con:
        yield con


@pytest.fixture
def dropped(tmp_path: Path) -> Callable[..., Settings]:
    """Lands workbooks of one team: a name, its measures, and whether its manifest confirms that fewer is right."""
    settings = read_settings({"ADEMRUIMTE_HOME": str(tmp_path / "var"), "ADEMRUIMTE_AS_OF": "2026-11-23"})
    settings.layout.create()
    folder = settings.layout.drop(COACHES)
    folder.mkdir(parents=True)

    def drop(name: str, measures: list[list[object]], *, minutes: int, dossiers: int = 1) -> Settings:
        known = [[f"L-{no}", "leiedal", f"Straat {no}", "2026-10-26", "advies", "2026-11-02"] for no in (1, 2)]
        book = workbook_bytes({"d": [DOSSIERS, *known[:dossiers]], "m": [MEASURES, *measures]})  # type: ignore[list-item]
        (folder / name).write_bytes(book)
        (folder / f"{name}.manifest.json").write_text('{"minder_is_juist": true}', encoding="utf-8")
        (folder / f"{name}.ready").write_text((NOW + timedelta(minutes=minutes)).isoformat(), encoding="utf-8")
        (landed,) = land(settings, settings.contracts()[COACHES], NOW + timedelta(minutes=minutes))
        assert landed.manifest is not None, landed.message
        return settings

    return drop


def current(con: duckdb.DuckDBPyConnection, settings: Settings, table: str) -> list[tuple[object, ...]]:
    """Week and withdrawal of what still counts of the team, once all of its files are loaded."""
    assert not [each.error for each in load(con, Lake(settings.layout.lake), all_contracts()) if each.error]
    columns = f"select delivery_week, withdrawn_date from intermediate.int_renovation_coach__{table}_current"
    return con.execute(f"{columns} where team = 'leiedal' order by all").fetchall()


def test_a_week_delivered_again_with_an_empty_sheet_takes_its_measures_back(
    con: duckdb.DuckDBPyConnection, dropped: Callable[..., Settings]
) -> None:
    dropped("renovatie_2026-W45_leiedal.xlsx", [ADVISED], minutes=0)
    assert current(con, dropped("renovatie_2026-W44_leiedal.xlsx", [], minutes=1, dossiers=0), "measures")
    settings = dropped("renovatie_2026-W45_leiedal.xlsx", [], minutes=2)
    assert current(con, settings, "measures") == []
    assert current(con, settings, "dossiers") == [("2026-W45", None)]


def test_an_empty_full_file_withdraws_everything_of_its_team(
    con: duckdb.DuckDBPyConnection, dropped: Callable[..., Settings]
) -> None:
    dropped("renovatie_2026-W45_leiedal_volledig.xlsx", [ADVISED], minutes=0, dossiers=2)
    settings = dropped("renovatie_2026-W46_leiedal_volledig.xlsx", [], minutes=1, dossiers=0)
    assert current(con, settings, "measures") == [("2026-W45", date(2026, 11, 15))]
    assert current(con, settings, "dossiers") == [("2026-W45", date(2026, 11, 15))] * 2


# --- rules over dossier and measure -----------------------------------------------------------------------------


def found(con: duckdb.DuckDBPyConnection, built: Built, test: str) -> list[tuple[object, ...]]:
    """The rows that a test of dbt finds."""
    (compiled,) = (built.measured.target / "compiled").rglob(f"{test}.sql")
    return con.execute(compiled.read_text("utf-8")).fetchall()


def followed(con: duckdb.DuckDBPyConnection, works: date, **dossier: object) -> None:
    """Lands a dossier of which a measure was done on a day."""
    number = con.sql("select count(*) from landing.renovation_coach__dossiers").fetchall()[0][0]
    of_the_file = {"team": "leiedal", "file_team": "leiedal", "delivery_week": "2026-W45", "is_snapshot": False}
    common = {"dossier_id": f"L-{number}", "is_correction": False, **of_the_file, **ORIGIN}
    stood = {"phase": "uitvoering", "intake_date": date(2026, 1, 5), "phase_date": date(2026, 3, 2)}
    insert(con, COACHES, "dossiers", [{**common, **stood, "dwelling_key": f"d-{number}", **dossier}])
    done = {"line_no": 1, "measure": "dak", "status": "uitgevoerd", "status_date": works, "works_completed_date": works}
    insert(con, COACHES, "measures", [{**common, **done}])


ORDER, LABELS = "works_follow_intake_visit_and_plan", "works_make_no_label_worse"


@pytest.mark.parametrize(
    ("steps", "too_early"),
    [
        ({}, 0),
        ({"intake_date": date(2026, 6, 2)}, 1),
        ({"house_visit_date": date(2026, 6, 2)}, 1),
        ({"plan_delivered_date": date(2026, 6, 2)}, 1),
        ({"plan_delivered_date": date(2026, 6, 1)}, 0),
    ],
    ids=["in order", "before the intake", "before the visit", "before the plan", "on the day of the plan"],
)
def test_works_done_before_a_step_of_their_dossier_are_found(
    con: duckdb.DuckDBPyConnection, built: Built, steps: dict[str, date], too_early: int
) -> None:
    followed(con, date(2026, 6, 1), **steps)
    assert len(found(con, built, ORDER)) == too_early


def test_a_slip_in_a_hundred_works_is_no_finding(con: duckdb.DuckDBPyConnection, built: Built) -> None:
    followed(con, date(2026, 6, 1), plan_delivered_date=date(2026, 6, 2))
    for _ in range(60):
        followed(con, date(2026, 6, 1))
    assert found(con, built, ORDER) == []


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [("D", "B", 0), ("A", "A+", 0), ("B", "B", 0), ("A+", "A", 1), ("C", "F", 1), ("C", None, 0)],
)
def test_a_label_that_got_worse_by_the_works_is_noted(
    con: duckdb.DuckDBPyConnection, built: Built, before: str, after: str | None, worse: int
) -> None:
    followed(con, date(2026, 6, 1), epc_label_before=before, epc_label_after=after)
    assert len(found(con, built, LABELS)) == worse
