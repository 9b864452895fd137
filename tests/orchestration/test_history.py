"""Two answers about the past: what was said, and what today's rules say on what was known then."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from orchestration.loop.build import build
from orchestration.loop.changes import CHANGE, RESTATEMENT, Change
from orchestration.loop.history import compared, recomputed, said
from orchestration.loop.landed import Outcome
from orchestration.loop.landing import land
from orchestration.loop.replay import replay
from orchestration.report import published_frame
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW, copy_profile, settings_in
from warehouse.lake import Lake

AS_OF = date(2026, 11, 23)
FAR = datetime(2030, 1, 1, tzinfo=UTC)
TREES = "kpi_id;area;ref_date;value;unit;source;published_at;uncertainty\n"


def drop_trees(settings: Settings, value: float) -> None:
    """A correction of the newest number of trees, delivered an hour after everything else."""
    observations = published_frame(settings, "marts.fct_kpi_observations")
    newest = observations.filter(pl.col("kpi_id") == "trees_extra")["ref_date"].max()
    folder = settings.layout.drop("indicators")
    line = f"trees_extra;34022;{newest};{value};trees (additional);groen;2026-11-22;\n"
    (folder / "bomen.csv").write_text(TREES + line, encoding="utf-8")
    (folder / "bomen.csv.ready").write_text("2026-11-23T05:30:00+00:00", encoding="utf-8")
    (landed,) = land(settings, settings.contracts()["indicators"], LATER)
    assert landed.outcome is Outcome.LANDED, landed.message


def let_in_wind(settings: Settings) -> None:
    """A replay lets in, an hour later, a newer number of megawatts that stood refused."""
    lake = Lake(settings.layout.lake)
    of_climate = [manifest for manifest in lake.live("indicators") if "klimaat_2026" in manifest.origin]
    (batch,) = of_climate
    file = lake.file(batch, "observations", "received")
    text = pl.read_parquet(file, hive_partitioning=False)
    refused = lake.read(batch, "observations", "quarantine")["line"].max()
    newest = text.filter(pl.col("kpi_id") == "wind_mw_2040").tail(1)
    right = newest.with_columns(ref_date=pl.lit("31/10/2026"), value=pl.lit("11,5"), line=pl.lit(refused, pl.Int64))
    pl.concat([text.filter(pl.col("line") != refused), right]).write_parquet(file)
    again = replay(settings, batch.batch_id, LATER)
    assert again is not None
    assert again.tables["observations"].accepted == batch.tables["observations"].accepted + 1


@pytest.fixture(scope="module")
def corrected(demo_home: Path, suppliers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The demo, in which the trees were counted again after the first build, and a refused row was let in.

    Built by itself: there is no other with a correction. Read it; never write to it.
    """
    settings = settings_in(copy_profile(demo_home, tmp_path_factory.mktemp("corrected") / "var"), suppliers)
    drop_trees(settings, 15_900.0)
    let_in_wind(settings)
    build(settings, LATER)
    return settings


@pytest.mark.builds  # whole builds of its own
def test_new_values_append_only_the_verdicts_that_they_change(corrected: Settings) -> None:
    lake = Lake(corrected.layout.lake)
    assert lake.said(lake.decisions()[-1])["target_id"].to_list() == ["trees_extra", "wind_mw_2040", "wind_mw_2050"]
    published = published_frame(corrected, "verdicts.fct_target_verdicts")
    assert (of(published, "trees_extra", "value"), of(published, "wind_mw_2040", "value")) == (15_900.0, 11.5)


def of(verdicts: pl.DataFrame, target_id: str, column: str) -> object:
    return verdicts.filter(pl.col("target_id") == target_id)[column].item()


@pytest.mark.builds  # whole builds of its own
def test_what_was_said_and_what_is_recomputed_stay_as_they_were_when_a_correction_comes(corrected: Settings) -> None:
    lake = Lake(corrected.layout.lake)
    then, now = said(lake, AS_OF, NOW + timedelta(minutes=1)), said(lake, AS_OF, FAR)
    again = recomputed(corrected, AS_OF, NOW + timedelta(minutes=1))
    assert then.height == now.height == again.height == 128
    columns = ["target_id", "status", "value", "ref_date"]
    assert again.select(columns).sort("target_id").equals(then.select(columns).sort("target_id"))
    assert (of(then, "trees_extra", "value"), of(now, "trees_extra", "value")) != (15_900.0, 15_900.0)
    assert of(now, "trees_extra", "value") == 15_900.0
    explained = compared(then, published_frame(corrected, "verdicts.fct_target_verdicts"))
    assert of(explained, "trees_extra", CHANGE) == Change.CORRECTED
    assert of(now, "trees_extra", CHANGE) == Change.CORRECTED
    # one corrected figure is too little to change the status: nothing is restated
    assert of(now, "trees_extra", "status") == of(then, "trees_extra", "status")
    assert of(now, "trees_extra", RESTATEMENT) is False
    assert (of(again, "wind_mw_2040", "value"), of(now, "wind_mw_2040", "value")) == (10.2, 11.5)
    others = explained.filter(pl.col(CHANGE) != Change.NONE)["target_id"].to_list()
    assert others == ["trees_extra", "wind_mw_2040", "wind_mw_2050"]


@pytest.mark.builds  # measures and judges the whole demo again, as on another day
def test_what_is_recomputed_of_a_day_rests_on_no_figure_of_after_it(demo: Settings) -> None:
    day = date(2026, 9, 15)
    again = recomputed(demo, day, FAR)
    assert again["ref_date"].drop_nulls().max() <= day
    observations = published_frame(demo, "marts.fct_kpi_observations")
    for target_id in ("trees_extra", "renovation_collective", "wind_mw_2040"):
        of_target = observations.filter(pl.col("kpi_id") == target_id, pl.col("area_id") == "34022").sort("ref_date")
        assert of_target["ref_date"].max() > day
        newest = of_target.filter(pl.col("ref_date") <= day).tail(1)
        assert of(again, target_id, "ref_date") == newest["ref_date"].item()
        assert of(again, target_id, "value") == newest["value"].item()


def test_what_was_said_of_a_later_figure_says_nothing_of_the_day(empty_profile: Callable[..., Settings]) -> None:
    """A build may repeat an earlier day, by `ADEMRUIMTE_AS_OF`, on figures of after it."""
    lake = Lake(empty_profile().layout.lake)
    for hour, ref_date in enumerate((date(2026, 8, 31), date(2026, 10, 31), None)):
        rows = pl.DataFrame(
            {"target_id": ["trees" if ref_date else "plan"], "ref_date": [ref_date], "status": ["behind"]},
            schema_overrides={"ref_date": pl.Date},
        )
        facts = {"as_of_date": "2026-09-15"}
        lake.commit_decisions(f"b{hour}", rows, facts, NOW + timedelta(hours=hour))
    rows = said(lake, date(2026, 9, 15), FAR)
    assert rows.select("target_id", "ref_date").rows() == [("trees", date(2026, 8, 31)), ("plan", None)]
    assert of(said(lake, date(2026, 11, 1), FAR), "trees", "ref_date") == date(2026, 10, 31)


def test_before_the_first_build_nothing_was_said(demo: Settings) -> None:
    lake = Lake(demo.layout.lake)
    assert said(lake, AS_OF, NOW - timedelta(days=1)).is_empty()
    assert said(lake, AS_OF - timedelta(days=1), FAR).is_empty()
