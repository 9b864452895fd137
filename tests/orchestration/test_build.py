"""Build: one commit point, published whole or not at all, and the same build twice says nothing new."""

import csv
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orchestration.loop.build import Build, BuildBusyError, MixedBuildError, build, build_lock, forget_warehouse
from orchestration.loop.landed import Outcome
from orchestration.loop.landing import land
from orchestration.loop.plan import last_decision, make_plan, why_due
from orchestration.loop.transform import TransformError
from orchestration.report import published_frame
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW, copy_profile, settings_in
from warehouse.engine import connect, frame
from warehouse.frames import with_texts
from warehouse.lake import Lake
from warehouse.published.pointer import current
from warehouse.state import State

# what needs no value: the registry, or the calendar, says it first
WITHOUT_DATA = {"no_data", "not_started", "contested", "cancelled"}
RENOVATION_KPIS = {
    "collective_renovation_fossil_free_share",
    "renovation_coached_households",
    "renovation_collective",
    "renovation_custom_dwellings",
    "renovation_custom_trajectories",
}
EMBARGOED = {"unsealing_remaining_m2"}
ROOT = Path(__file__).parents[2]


def verdicts_of(settings: Settings) -> pl.DataFrame:
    return published_frame(settings, "verdicts.fct_target_verdicts").sort("target_id")


def drop_indicator(settings: Settings, value: float) -> None:
    folder = settings.layout.drop("indicators")
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(["kpi_id", "area", "ref_date", "value", "unit", "source", "published_at", "uncertainty"])
    writer.writerow(["trees_extra", "34022", "2026-11-15", value, "trees (additional)", "groen", "2026-11-16", ""])
    (folder / "bomen.csv").write_text(text.getvalue(), encoding="utf-8")
    (folder / "bomen.csv.ready").write_text("2026-11-16T10:00:00+00:00", encoding="utf-8")
    (landed,) = land(settings, settings.contracts()["indicators"], NOW)
    assert landed.outcome is Outcome.LANDED


def drop_bad_renovation_week(settings: Settings) -> None:
    header = "dossier;team;adres;sector;woningtype;intake_op;fase;fase_op;huisbezoek_op;plan_op"
    rows = [f"K-9{n:04};kortrijk;Demostraat {n};;rijwoning;2026-11-0{n % 9 + 1};dromen;gisteren;;" for n in range(300)]
    # a week of which no row can be accepted is refused, and no build is made of it
    rows.append("L-99999;leiedal;Demostraat 1;;rijwoning;2026-11-02;advies;2026-11-03;;")
    path = settings.layout.drop("renovation_coach") / "renovatie_2026-W47_leiedal.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    path.with_name(path.name + ".ready").write_text("2026-11-23T05:00:00+00:00", encoding="utf-8")
    (landed,) = land(settings, settings.contracts()["renovation_coach"], NOW)
    assert landed.manifest is not None
    assert landed.manifest.tables["dossiers"].quarantined == 300
    assert landed.outcome is Outcome.LANDED


def test_all_targets_are_in_the_table_and_those_without_data_say_so(demo: Settings) -> None:
    verdicts = verdicts_of(demo)
    assert verdicts.height == 128
    without = verdicts.filter(pl.col("value").is_null())
    assert 0 < without.height < 128
    # the demo holds one figure that cannot be what was meant: it counts for nothing
    assert set(without["status"]) == {*WITHOUT_DATA, "unverified"}
    assert "no_data" not in set(verdicts.filter(pl.col("value").is_not_null())["status"])


def test_every_source_has_a_kpi_that_is_judged(demo: Settings) -> None:
    measured = set(verdicts_of(demo).filter(pl.col("value").is_not_null())["kpi_id"])
    assert {
        "own_energy_use_yearly",
        "charge_points_total",
        "renovation_custom_trajectories",
        "tickets_1777_5wd",
        "trees_extra",
    } <= measured


def test_the_published_build_holds_no_landing_table(demo: Settings) -> None:
    with duckdb.connect(demo.layout.published / "current" / "ademruimte.duckdb", read_only=True) as con:
        schemas = con.execute("select distinct schema_name from duckdb_tables()").fetchall()
    assert {schema for (schema,) in schemas} == {"marts", "verdicts", "quality"}


def test_parquet_and_duckdb_of_a_build_say_the_same(demo: Settings) -> None:
    with connect(demo.layout.published / "current" / "ademruimte.duckdb", read_only=True) as con:
        found = con.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        assert ("verdicts", "fct_target_verdicts") in found
        for table in map(".".join, found):
            told = frame(con, f"select * from {table}")
            assert_frame_equal(published_frame(demo, table), with_texts(told), check_dtypes=False)


def test_nothing_is_due_after_a_build(demo: Settings) -> None:
    assert why_due(demo, NOW) is None


def assert_views_stand_and_their_tests_run(built: Build) -> None:
    """On the same code no view is made again; what its rows are is tested all the same."""
    assert built.measured is not None
    nodes = built.measured.manifest["nodes"]
    views = {
        name
        for name, node in nodes.items()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "view"
    }
    done = [result.unique_id for result in built.measured.results]
    assert views.isdisjoint(done)
    tests = [nodes[name] for name in done if name.startswith("test.")]
    assert views & {parent for test in tests for parent in test["depends_on"]["nodes"]}


@pytest.mark.builds  # a whole build of its own
def test_a_bad_source_and_a_batch_that_cannot_be_loaded_make_exactly_their_own_kpis_unverified(
    own_demo: Settings,
) -> None:
    before = verdicts_of(own_demo)
    drop_bad_renovation_week(own_demo)
    drop_indicator(own_demo, 18_300)
    lake = Lake(own_demo.layout.lake)
    (fresh,) = [manifest for manifest in lake.manifests("indicators") if manifest.origin == "bomen.csv"]
    lake.file(fresh, "observations", "accepted").write_bytes(b"damaged")
    built = build(own_demo, LATER)
    assert list(built.not_loaded) == ["indicators"]
    assert_views_stand_and_their_tests_run(built)
    after = verdicts_of(own_demo)
    observed = published_frame(own_demo, "marts.fct_kpi_observations")
    of_indicators = set(observed.filter(pl.col("kpi_model") == "kpi_indicators")["kpi_id"])
    assert of_indicators.isdisjoint(RENOVATION_KPIS)
    unverified = after.filter(pl.col("status") == "unverified")
    # promises on one figure are in doubt together
    assert set(unverified["value_kpi_id"]) - of_indicators == RENOVATION_KPIS - {"renovation_custom_trajectories"}
    assert set(unverified["dq_verdict"]) == {"unverified"}
    assert unverified["dq_reasons"].null_count() == 0
    trees = after.filter(pl.col("target_id") == "trees_extra")
    assert trees["status"].item() == "unverified"
    assert "kon niet geladen worden" in trees["dq_reasons"].item()
    others = ~pl.coalesce("value_kpi_id", "kpi_id").is_in([*RENOVATION_KPIS, *of_indicators])
    same = ["target_id", "status", "value", "required_value", "gap", "dq_verdict"]
    assert after.filter(others).select(same).equals(before.filter(others).select(same))
    assert after.filter(others, target_id="charge_points_total")["status"].item() != "unverified"


@pytest.mark.builds  # a whole build of its own
def test_a_build_that_dbt_cannot_finish_leaves_the_last_one_published(own_demo: Settings) -> None:
    published = current(own_demo.layout.published)
    drop_indicator(own_demo, 18_300)
    with build_lock(own_demo):
        this = Build(own_demo, LATER)
        this.load()
        with connect(own_demo.layout.warehouse) as con:
            con.execute("alter table landing.indicators__observations drop column value")
        with pytest.raises(TransformError, match="dbt nodes failed"):
            this.measure()
    assert current(own_demo.layout.published) == published


def test_what_lands_after_a_build_was_planned_waits_for_the_next(own_demo: Settings) -> None:
    with build_lock(own_demo):
        planned = Build(own_demo, NOW)
        drop_indicator(own_demo, 18_200)
        assert planned.load() == []
    with connect(own_demo.layout.warehouse, read_only=True) as con:
        loaded = con.execute("select count(*) from landing.loaded_batches").fetchall()[0][0]
    assert loaded == len(planned.plan.batches) == len(Lake(own_demo.layout.lake).live()) - 1


HOLDS = """
import sys, duckdb
con = duckdb.connect(sys.argv[1])
con.execute("create table marts.mine as select 1 as a")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by_a_reader(settings: Settings) -> Iterator[None]:
    """A reader that may write holds the published file, as another process."""
    file = (settings.layout.published / "current" / "ademruimte.duckdb").resolve()
    file.chmod(0o644)
    reader = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "held\n"
    yield
    reader.communicate("", timeout=20)


@pytest.fixture(scope="module")
def eleven_weeks_later(
    demo_home: Path, suppliers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """The demo built again with the same data, while a reader holds what is published and no recipient can be read.

    Read it; never write to it.
    """
    own = settings_in(copy_profile(demo_home, tmp_path_factory.mktemp("later") / "var"), suppliers)
    assert own.fixed_as_of is not None
    later = own.model_copy(
        update={
            "recipients": own.layout.root / "share" / "away.csv",
            "fixed_as_of": own.fixed_as_of + timedelta(weeks=11),
        }
    )
    with held_by_a_reader(later):
        with build_lock(later):
            assert "stands" in Build(later, LATER).recover()
        build(later, LATER)
    return later


@pytest.mark.builds  # a whole build of its own
def test_no_reader_recipient_or_mail_stops_a_build(eleven_weeks_later: Settings) -> None:
    published = current(eleven_weeks_later.layout.published)
    assert published == Lake(eleven_weeks_later.layout.lake).decisions()[-1].build_id
    assert set(verdicts_of(eleven_weeks_later)["build_id"]) == {published}
    with State(eleven_weeks_later.layout.state) as state:
        assert {row.period for row in state.unsent()} == {"2026-W48", "2027-W06"}, "the weeks of the digests"
        assert state.failures(None) == []


def test_two_builds_never_run_at_once(own_demo: Settings) -> None:
    with build_lock(own_demo), pytest.raises(BuildBusyError, match="another build of kortrijk"):
        build(own_demo, LATER)


def test_judging_with_another_builds_quality_is_refused(own_demo: Settings) -> None:
    with build_lock(own_demo):
        this = Build(own_demo, LATER)
        this.load()
        with pytest.raises(MixedBuildError):
            this.judge()


@pytest.mark.builds  # a whole build of its own
def test_an_empty_lake_builds_and_publishes_targets_without_data(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    # a build of its own: there is no other of an empty lake
    measured = build(settings, NOW).measured
    assert measured is not None
    assert {result.status for result in measured.results} == {"success", "pass"}
    verdicts = verdicts_of(settings)
    assert set(verdicts["status"]) == WITHOUT_DATA
    assert set(verdicts["as_of_date"]) == {NOW.date()}
    assert verdicts.height == 128


@pytest.mark.builds  # everything is built again
def test_the_same_build_again_from_the_lake_alone_gives_the_same_verdicts_and_appends_no_decision(
    own_demo: Settings,
) -> None:
    said, before = Lake(own_demo.layout.lake).decisions(), verdicts_of(own_demo).drop("build_id")
    forget_warehouse(own_demo)
    again = build(own_demo, LATER)
    assert not again.is_committed
    assert [d.build_id for d in Lake(own_demo.layout.lake).decisions()] == [d.build_id for d in said]
    assert current(own_demo.layout.published) == said[-1].build_id
    assert [path.name for path in (own_demo.layout.published / "builds").iterdir()] == [said[-1].build_id]
    with connect(own_demo.layout.warehouse, read_only=True) as con:
        made = pl.DataFrame(con.sql("select * from verdicts.fct_target_verdicts").to_arrow_table())
    assert made.drop("build_id").sort("target_id").equals(before)


def test_a_lost_publication_is_published_again(own_demo: Settings) -> None:
    (own_demo.layout.published / "current.json").unlink()
    assert "not published" in (why_due(own_demo, LATER) or "")
    with build_lock(own_demo):
        assert "forward" in Build(own_demo, LATER).recover()
    assert current(own_demo.layout.published) == last_decision(own_demo).build_id
    assert why_due(own_demo, LATER) is None


@pytest.mark.builds  # a whole build of its own
def test_eleven_weeks_later_the_same_data_append_only_what_changes_status(
    demo: Settings, eleven_weeks_later: Settings
) -> None:
    """What one day later appends is seen where Dagster builds."""
    before, now = verdicts_of(demo), verdicts_of(eleven_weeks_later)
    lake = Lake(eleven_weeks_later.layout.lake)
    said = set(lake.said(lake.decisions()[-1])["target_id"])
    # the demo holds one correction that may not be told before December
    told = set(now.filter(now["value"].ne_missing(before["value"]))["target_id"])
    assert told == EMBARGOED
    # of a judgement that hangs on an open question another reading may change alone
    other = (now["status"] != before["status"]) | now["readings_nl"].ne_missing(before["readings_nl"])
    assert said - told == set(now.filter(other)["target_id"]) - told
    assert said, "a feed that stands still for eleven weeks is stale"


def test_the_date_alone_makes_a_build_due(demo: Settings) -> None:
    tomorrow = demo.model_copy(update={"fixed_as_of": demo.as_of(NOW).replace(day=24)})
    assert why_due(tomorrow, NOW) == "the date moved to 2026-11-24"
    assert make_plan(tomorrow, NOW).fingerprint != make_plan(demo, NOW).fingerprint
