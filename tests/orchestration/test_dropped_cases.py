"""What people and their spreadsheets put into files, dropped and landed: what was read wrongly before, by case."""

from collections.abc import Callable

import polars as pl
import pytest

from orchestration.loop.landing import Landed, Outcome
from orchestration.settings import Settings
from tests.orchestration.test_landing import INDICATORS, drop, land_source
from warehouse.lake import Lake

_COACH = "dossier;team;adres;woningtype;intake_op;fase;fase_op;plan_op\n"
_COACH_WEEK = "renovatie_2026-W47_leiedal.csv"
_BUILDINGS = (
    "gebouw;naam;ean;drager;geldig_van;geldig_tot;oppervlakte_m2;gebruik;afdeling;gebouwregister;is_woning;gebied\n"
)


def _land(settings: Settings, source: str, name: str, content: str | bytes) -> Landed:
    drop(settings, source, name, content)
    (landed,) = land_source(settings, source)
    return landed


def _refused(settings: Settings, landed: Landed, table: str) -> dict[int, list[str]]:
    """By line, what its supplier is told."""
    assert landed.outcome is Outcome.LANDED, landed.message
    rows = Lake(settings.layout.lake).read(landed.manifest, table, "quarantine")
    return {line: sorted(reasons) for line, reasons in rows.select("line", "reasons_nl").iter_rows()}


def _accepted(settings: Settings, landed: Landed, table: str) -> pl.DataFrame:
    return Lake(settings.layout.lake).read(landed.manifest, table, "accepted")


_A_DATE = "hier hoort een datum. Schrijf jaar-maand-dag, bijvoorbeeld 2026-11-23."


def test_dates_of_two_digit_years_refuse_the_row_of_a_coach_and_the_others_land(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    content = (
        _COACH
        + "D-101;leiedal;Dorp 1 8500 Kortrijk;rijwoning;2/11/26;advies;16/11/26;18/11/26\n"
        + "D-102;leiedal;Dorp 2 8500 Kortrijk;rijwoning;2026-09-03;advies;-26-11-16;\n"
        + "D-103;leiedal;Dorp 3 8500 Kortrijk;open;2026-09-03;advies;2026-11-17;2026-10-01\n"
    )
    landed = _land(settings, "renovation_coach", _COACH_WEEK, content)
    assert _refused(settings, landed, "dossiers") == {
        2: [f"{column}: {_A_DATE}" for column in ("fase_op", "intake_op", "plan_op")],
        3: [f"fase_op: {_A_DATE}"],
    }
    assert _accepted(settings, landed, "dossiers")["line"].to_list() == [4]


def test_dates_of_two_digit_years_refuse_the_row_of_a_building(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    content = (
        _BUILDINGS
        + "zwembad;Zwembad;541448800000000004;elektriciteit;01/01/19;31/12/25;1200;zwembad;;;nee;\n"
        + "school;School;541448800000000011;elektriciteit;2019-01-01;;900;onderwijs;;;nee;\n"
    )
    landed = _land(settings, "buildings", "gebouwen.csv", content)
    assert _refused(settings, landed, "connections") == {
        2: [f"geldig_tot: {_A_DATE}", f"geldig_van: {_A_DATE}"],
    }
    assert _accepted(settings, landed, "connections")["site_id"].to_list() == ["school"]


@pytest.mark.parametrize("written", ["31/12/25", "-25-12-31", "0025-12-31", "1899-12-31", "2101-12-31", "+2025-12-31"])
def test_dates_outside_1900_to_2100_refuse_the_row_of_an_indicator(
    empty_profile: Callable[..., Settings], written: str
) -> None:
    settings = empty_profile()
    content = (
        INDICATORS
        + f"trees_extra;34022;{written};120;trees (additional);groen;2026-02-15;\n"
        + "trees_extra;34022;2024-12-31;100;trees (additional);groen;2025-02-15;\n"
    )
    landed = _land(settings, "indicators", "cijfers.csv", content)
    assert _refused(settings, landed, "observations") == {2: [f"ref_date: {_A_DATE}"]}
    assert _accepted(settings, landed, "observations")["value"].to_list() == [100]


def test_an_embargo_with_a_two_digit_year_is_not_an_embargo_that_ended(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    content = (
        "kpi_id;area;ref_date;value;unit;embargo_until\n"
        "trees_extra;34022;2025-12-31;120;trees (additional);15/12/26 10:00\n"
    )
    landed = _land(settings, "indicators", "cijfers.csv", content)
    assert list(_refused(settings, landed, "observations")) == [2]
