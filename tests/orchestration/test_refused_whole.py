"""A delivery of which every row was refused is refused: it waits to be replayed, and no build is made of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import duckdb
import pytest

from contracts.vocabulary import SourceContract, TableContract
from orchestration.factories.landing_assets import HONOURS_CONTRACT, landing_definitions
from orchestration.giving_back.lines import given_back
from orchestration.loop.landed import Landed, Outcome
from orchestration.loop.landing import land
from orchestration.loop.plan import make_plan
from orchestration.loop.replay import replay
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from tests.orchestration.test_partial_landing import _serving
from warehouse.batch import Manifest
from warehouse.lake import Lake
from warehouse.load import load, load_known
from warehouse.state import State

BAD_ROW = GOOD_ROW.replace("17600", "veel")
EMPTY_ROW = GOOD_ROW.replace("17600", "")
SWAPPED = {
    "country_code": "BE",
    "party_id": "ABC",
    "id": "L1",
    "coordinates": {"latitude": "3.26490", "longitude": "50.82790"},
    "last_updated": "2026-11-01T00:00:00Z",
}


def land_indicators(settings: Settings, content: str, contract: SourceContract | None = None) -> Landed:
    drop(settings, "indicators", "cijfers.csv", content)
    (landed,) = land(settings, contract or settings.contracts()["indicators"], NOW)
    return landed


def with_values(settings: Settings, *, nullable: bool = False, maximum: float | None = None) -> SourceContract:
    """The contract of another day, which said something else of a value."""

    def changed(table: TableContract) -> TableContract:
        said = {"nullable": nullable, "maximum": maximum}
        columns = [replace(each, **said) if each.name == "value" else each for each in table.columns]
        return replace(table, columns=tuple(columns))

    contract = settings.contracts()["indicators"]
    return replace(contract, tables=tuple(map(changed, contract.tables)))


def landed_rows(settings: Settings) -> list[tuple[object, ...]]:
    with duckdb.connect() as con:
        load(con, Lake(settings.layout.lake), settings.contracts())
        counted = con.execute("select source, received, accepted from landing.batch_counts order by all").fetchall()
        return [row for row in counted if row[1]]


def only(settings: Settings) -> Manifest:
    (manifest,) = Lake(settings.layout.lake).live()
    return manifest


@pytest.fixture
def settings(empty_profile: Callable[..., Settings]) -> Settings:
    return empty_profile()


def test_it_is_told_as_refused_and_its_rows_go_back_to_the_supplier(settings: Settings) -> None:
    landed = land_indicators(settings, INDICATORS + BAD_ROW)
    assert landed.outcome is Outcome.REFUSED
    assert "indicators: cijfers.csv: every row was refused (1 rows received: 0 accepted, 1 refused" in landed.message
    assert "): value: " in landed.message
    lake, contract = Lake(settings.layout.lake), settings.contracts()["indicators"]
    lines = given_back(lake, contract, settings, closed=False)["observations"]
    assert lines.height == 1
    assert only(settings).batch_id in landed.message


def test_it_starts_no_build_and_nothing_of_it_is_loaded(settings: Settings) -> None:
    before = make_plan(settings, NOW)
    land_indicators(settings, INDICATORS + BAD_ROW)
    after = make_plan(settings, NOW)
    assert (after.fingerprint, after.batches) == (before.fingerprint, ())
    assert landed_rows(settings) == []


def test_the_source_is_not_called_fresh_by_it(settings: Settings) -> None:
    land_indicators(settings, INDICATORS + BAD_ROW)
    with State(settings.layout.state) as state:
        assert state.progress() == []


def test_the_same_file_again_is_refused_again_and_makes_no_second_batch(settings: Settings) -> None:
    land_indicators(settings, INDICATORS + BAD_ROW)
    assert land_indicators(settings, INDICATORS + BAD_ROW).outcome is Outcome.REFUSED
    assert only(settings).is_refused


def test_one_good_row_is_enough_to_land(settings: Settings) -> None:
    landed = land_indicators(settings, INDICATORS + BAD_ROW + GOOD_ROW)
    assert landed.outcome is Outcome.LANDED
    assert landed_rows(settings) == [("indicators", 2, 1)]


def test_a_replay_under_the_right_contract_lets_it_in_and_starts_a_build(settings: Settings) -> None:
    landed = land_indicators(settings, INDICATORS + GOOD_ROW, with_values(settings, maximum=1.0))
    assert landed.outcome is Outcome.REFUSED
    before = make_plan(settings, NOW)
    again = replay(settings, only(settings).batch_id, LATER)
    assert again is not None
    assert make_plan(settings, NOW).batches == (again.batch_id,) != before.batches
    assert landed_rows(settings) == [("indicators", 1, 1)]
    with duckdb.connect() as con:
        assert load_known(con, Lake(settings.layout.lake), settings.contracts(), NOW) == [], "then it did not count"


def test_a_stricter_contract_takes_back_what_counted(settings: Settings) -> None:
    landed = land_indicators(settings, INDICATORS + EMPTY_ROW, with_values(settings, nullable=True))
    assert landed.outcome is Outcome.LANDED
    again = replay(settings, only(settings).batch_id, LATER)
    assert again is not None
    assert (again.tables["observations"].accepted, again.is_refused) == (0, False)
    assert make_plan(settings, NOW).batches == (again.batch_id,), "a build takes its rows out"


def test_a_crawl_of_which_every_location_was_refused_is_no_crawl_of_an_empty_city(settings: Settings) -> None:
    def answer(path: str, url: str) -> object:
        modules = [{"identifier": "locations", "role": "SENDER", "url": f"{url}/locations"}]
        data = {
            "versions": [{"version": "2.2.1", "url": f"{url}/details"}],
            "details": {"endpoints": modules},
            "locations": [SWAPPED],
        }
        return {"data": data[path.strip("/").partition("?")[0]], "status_code": 1000}

    with _serving(NOW, answer) as url:
        asking = settings.supplied("charge_points", url=f"{url}/versions")
        for _ in range(2):
            (landed,) = land(asking, settings.contracts()["charge_points"], NOW)
            assert landed.outcome is Outcome.REFUSED, landed.message
    counts = only(settings).tables
    assert (counts["locations"].received, counts["locations"].accepted, counts["crawls"].accepted) == (1, 0, 1)
    assert make_plan(settings, NOW).batches == ()
    with State(settings.layout.state) as state:
        assert (state.memory("charge_points").content, state.progress()) == ({}, [])
        assert [each.source for each in state.refused_pulls()] == ["charge_points"]


def test_the_run_fails_and_the_check_says_why(settings: Settings) -> None:
    drop(settings, "indicators", "cijfers.csv", INDICATORS + BAD_ROW)
    definitions = landing_definitions(settings.contracts()["indicators"], settings)
    with dg.DagsterInstance.ephemeral() as instance:
        run = definitions.resolve_job_def("land_indicators").execute_in_process(instance=instance, raise_on_error=False)
    assert not run.success
    (check,) = [each for each in run.get_asset_check_evaluations() if each.check_name == HONOURS_CONTRACT]
    assert not check.passed
    assert "every row was refused" in str(check.metadata["refused"].value)


def test_what_an_older_version_counted_goes_on_counting(settings: Settings) -> None:
    """What was said on it stays said; only a replay changes it."""
    land_indicators(settings, INDICATORS + BAD_ROW)
    file = settings.layout.lake / "indicators" / f"batch={only(settings).batch_id}" / "manifest.json"
    said = json.loads(file.read_bytes())
    del said["is_refused"]
    file.write_text(json.dumps(said), encoding="utf-8")
    assert make_plan(settings, NOW + timedelta(days=1)).batches == (only(settings).batch_id,)
    assert landed_rows(settings) == [("indicators", 1, 0)]
