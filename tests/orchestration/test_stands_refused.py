"""A file that was refused is not tried again until something changed, and what is not its fault is not held against it."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.factories.landing_assets import landing_definitions
from orchestration.loop.landing import Landed, Outcome, land
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from tests.orchestration.test_register_of_buildings import HALL
from tests.orchestration.test_register_of_buildings import _export as export_of
from tests.orchestration.test_register_of_buildings import _register as register_of
from warehouse.lake import Lake
from warehouse.state import Refusal, State

REQUESTS = "service_request_id;requested_datetime;status;lat;long\nR-1;2026-11-02T10:00:00Z;open;50.82;3.26\n"
STARTED = {"dagster/schedule_name": "land_indicators_schedule"}


@pytest.fixture
def settings(empty_profile: Callable[..., Settings]) -> Settings:
    return empty_profile()


def ask(settings: Settings, source: str = "indicators", now: datetime = NOW, *, is_asked: bool = False) -> list[Landed]:
    """A landing that no person asked for, unless it says so."""
    return land(settings, settings.contracts()[source], now, is_asked=is_asked)


def outcomes(results: list[Landed]) -> list[Outcome]:
    return [result.outcome for result in results]


def refusals(settings: Settings) -> list[Refusal]:
    with State(settings.layout.state) as state:
        return state.refusals()


# --- whose fault it is ------------------------------------------------------------------------------------------


def test_boundaries_that_cannot_be_read_are_not_held_against_the_file_that_needed_them(settings: Settings) -> None:
    settings.boundaries.write_text("no areas", encoding="utf-8")
    drop(settings, "tickets_1777", "vragen.csv", REQUESTS)
    (refused,) = ask(settings, "tickets_1777")
    assert refused.outcome is Outcome.REFUSED
    assert "boundaries.geojson: is no GeoJSON FeatureCollection" in refused.message
    assert "ADEMRUIMTE_BOUNDARIES" in refused.message
    assert refusals(settings) == []
    settings.boundaries.unlink()
    assert outcomes(ask(settings, "tickets_1777")) == [Outcome.LANDED]


def test_an_older_batch_that_is_torn_is_not_held_against_the_file_that_came_after_it(settings: Settings) -> None:
    drop(settings, "indicators", "a.csv", INDICATORS + GOOD_ROW)
    ask(settings)
    lake = Lake(settings.layout.lake)
    (batch,) = lake.live()
    accepted = lake.file(batch, "observations", "accepted")
    whole = accepted.read_bytes()
    accepted.write_bytes(whole[:100])
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW.replace("17600", "17700"))
    (refused,) = ask(settings)
    assert refused.outcome is Outcome.REFUSED
    assert f"batch {batch.batch_id}: accepted/observations.parquet cannot be read" in refused.message
    assert "restore it from the backup" in refused.message
    assert refusals(settings) == []
    accepted.write_bytes(whole)
    assert outcomes(ask(settings)) == [Outcome.LANDED]


def test_a_register_that_is_torn_is_not_held_against_the_file_that_needs_it(settings: Settings) -> None:
    drop(settings, "buildings", "gebouwen.csv", register_of(HALL))
    assert outcomes(ask(settings, "buildings")) == [Outcome.LANDED]
    lake = Lake(settings.layout.lake)
    (batch,) = lake.live("buildings")
    for name in batch.tables:
        lake.file(batch, name, "accepted").write_bytes(b"PAR1")
    drop(settings, "energy_meters", "verbruik.csv", export_of(HALL))
    (refused,) = ask(settings, "energy_meters")
    assert f"buildings: batch {batch.batch_id}: accepted/" in refused.message
    assert refusals(settings) == []


def test_what_a_landed_file_closes_is_not_told_when_an_older_batch_is_torn(settings: Settings) -> None:
    drop(settings, "indicators", "a.csv", INDICATORS + GOOD_ROW.replace("17600", "veel"))
    ask(settings)
    lake = Lake(settings.layout.lake)
    (batch,) = lake.live()
    lake.file(batch, "observations", "quarantine").write_bytes(b"PAR1")
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    (landed,) = ask(settings, now=LATER)
    assert "what it closes is not known: indicators: batch" in landed.message
    assert landed.outcome is Outcome.LANDED, "it was committed, and its file taken away"
