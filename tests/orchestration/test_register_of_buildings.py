"""Meter readings and the register they wait for, through the landing itself."""

from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pytest

from contracts.gate import split
from contracts.sources.buildings import CONNECTIONS
from contracts.sources.energy_meters import READINGS
from ingestion.registered_meters import NOT_WHOLE, UNKNOWN
from orchestration.loop.erasing import erase
from orchestration.loop.landed import Landed, Outcome
from orchestration.loop.landing import land
from orchestration.loop.replay import replay
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW
from tests.orchestration.test_landing import drop, land_source
from warehouse.batch import KNOWN_AT, Arrival
from warehouse.lake import Lake
from warehouse.state import State

HALL, SCHOOL, HOME = (f"54144889000000{number}" for number in ("0117", "0513", "0711"))
EXPORT_HEADER = (
    "Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Meter;Metertype;Register;Volume;Eenheid;"
    "Validatiestatus;Omschrijving"
)


def _export(*eans: str) -> str:
    lines = [
        f'01-11-2026;00:00:00;02-11-2026;00:00:00;="{ean}";1SAG;AMR-meter;Afname Actief;5;kWh;Uitgelezen;'
        for ean in eans
    ]
    return "\n".join([EXPORT_HEADER, *lines]) + "\n"


def _register(*eans: str, home: str = HOME) -> str:
    lines = [
        f"gebouw_{number};;{ean};elektriciteit;;;100;andere;gebouwen;;{'ja' if ean == home else 'nee'};"
        for number, ean in enumerate(eans)
    ]
    return "\n".join([";".join(CONNECTIONS.received.columns), *lines]) + "\n"


def _land(settings: Settings, source: str, content: str) -> Landed:
    drop(settings, source, "bestand.csv", content)
    (landed,) = land_source(settings, source)
    return landed


def _accepted(settings: Settings) -> pl.DataFrame:
    lake = Lake(settings.layout.lake)
    return pl.concat([lake.read(manifest, "readings", "accepted") for manifest in lake.live("energy_meters")])


def _written(settings: Settings) -> bytes:
    return b"".join(path.read_bytes() for path in settings.layout.root.rglob("*") if path.is_file())


def test_an_export_waits_for_the_register_and_lands_once_it_is_there(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    refused = _land(settings, "energy_meters", _export(HALL))
    assert refused.outcome is Outcome.REFUSED
    assert "drop the register of buildings first" in refused.message
    with State(settings.layout.state) as state:
        assert state.refusals() == []
    assert _land(settings, "buildings", _register(HALL)).outcome is Outcome.LANDED
    (landed,) = land_source(settings, "energy_meters")
    assert landed.outcome is Outcome.LANDED
    assert landed.manifest.tables["readings"].accepted == 1
    assert not list(settings.layout.drop("energy_meters").iterdir())


def test_of_a_meter_outside_the_register_nothing_but_a_count_is_left(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL))
    landed = _land(settings, "energy_meters", _export(HALL, SCHOOL))
    assert landed.manifest.withheld == {UNKNOWN: 1}
    assert "1 not let in" in landed.message
    assert SCHOOL.encode() not in _written(settings)


def test_of_a_dwelling_no_day_is_left_anywhere(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL, HOME))
    landed = _land(settings, "energy_meters", _export(HOME, HALL))
    assert landed.manifest.withheld == {NOT_WHOLE: 1}
    assert landed.manifest.original is None
    assert _accepted(settings)["ean"].to_list() == [HALL]


def test_the_same_export_again_brings_what_a_newer_register_lets_in(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL))
    first = _land(settings, "energy_meters", _export(HALL, SCHOOL))
    assert _land(settings, "energy_meters", _export(HALL, SCHOOL)).outcome is Outcome.KNOWN
    drop(
        settings,
        "buildings",
        "nieuw.csv",
        _register(HALL, SCHOOL),
        supplied_at=(NOW + timedelta(minutes=1)).isoformat(),
    )
    land_source(settings, "buildings")
    drop(settings, "energy_meters", "bestand.csv", _export(HALL, SCHOOL))
    (again,) = land(settings, settings.contracts()["energy_meters"], LATER)
    assert again.outcome is Outcome.LANDED
    assert again.manifest.supersedes == first.manifest.batch_id
    assert again.manifest.withheld == {}
    assert sorted(_accepted(settings)["ean"]) == [HALL, SCHOOL]
    known = dict(_accepted(settings).select("ean", KNOWN_AT).iter_rows())
    assert known == {HALL: NOW, SCHOOL: LATER}, "what was withheld was not known"
    assert _land(settings, "energy_meters", _export(HALL, SCHOOL)).outcome is Outcome.KNOWN


@pytest.mark.parametrize("content", ["Naam;Adres\nx;y\n", ""])
def test_a_file_that_is_no_export_is_remembered_as_refused_with_or_without_a_register(
    empty_profile: Callable[..., Settings], content: str
) -> None:
    settings = empty_profile()
    assert _land(settings, "energy_meters", content).outcome is Outcome.REFUSED
    with State(settings.layout.state) as state:
        assert len(state.refusals()) == 1


def test_the_energy_api_is_not_asked_while_no_address_is_set(empty_profile: Callable[..., Settings]) -> None:
    assert land_source(empty_profile(), "energy_meters") == []


def test_an_api_without_its_settings_is_refused_and_dropped_files_still_land(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile(ADEMRUIMTE_ENERGY_METERS_URL="http://127.0.0.1:9/v3")
    _land(settings, "buildings", _register(HALL))
    drop(settings, "energy_meters", "bestand.csv", _export(HALL))
    file, pull = land_source(settings, "energy_meters")
    assert (file.outcome, pull.outcome) == (Outcome.LANDED, Outcome.REFUSED)
    assert "ADEMRUIMTE_ENERGY_METERS_SUBSCRIPTION_KEY" in pull.message


def test_a_replay_of_a_batch_that_kept_its_file_keeps_only_what_the_door_lets_in_today(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL))
    # as version 1 of the contract left it
    old = Arrival(
        source="energy_meters",
        origin="v.csv",
        supplied_at=NOW,
        complete_until=None,
        content_sha256="a" * 64,
        contract_version=1,
        key_id=None,
        received={},
        original=("v.csv", _export(HALL, SCHOOL).encode()),
        splits={"readings": split(READINGS.received.no_rows(), READINGS, settings.city)},
        dropped_columns={},
        redactions=0,
    )
    made = replay(settings, Lake(settings.layout.lake).commit(old, NOW).batch_id, LATER)
    assert made is not None
    assert made.original is None
    received = Lake(settings.layout.lake).read(made, "readings", "received")
    assert received["ean"].to_list() == [f'="{HALL}"']


# --- a register that is put right -------------------------------------------------------------------------------


def _corrected(settings: Settings, *eans: str, home: str = HOME) -> Landed:
    """A newer register."""
    later = (NOW + timedelta(minutes=1)).isoformat()
    drop(settings, "buildings", "nieuw.csv", _register(*eans, home=home), supplied_at=later)
    (landed,) = land(settings, settings.contracts()["buildings"], LATER)
    return landed


def _in_the_lake(settings: Settings, ean: str) -> bool:
    files = settings.layout.lake.rglob("*.parquet")
    frames = (pl.read_parquet(file, hive_partitioning=False) for file in files if "buildings" not in str(file))
    return any(ean in frame.write_json() for frame in frames)


def test_a_register_that_says_it_is_a_dwelling_takes_its_days_out_of_what_counts(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL, HOME, home=SCHOOL))
    first = _land(settings, "energy_meters", _export(HALL, HOME)).manifest
    assert sorted(_accepted(settings)["ean"]) == [HALL, HOME]
    told = _corrected(settings, HALL, HOME)
    assert f"ademruimte erase {first.batch_id}`" in told.message
    assert _accepted(settings)["ean"].to_list() == [HALL]
    (live,) = Lake(settings.layout.lake).live("energy_meters")
    assert (live.supersedes, live.withheld, live.known_at) == (first.batch_id, {NOT_WHOLE: 1}, first.known_at)
    counts = live.tables["readings"]
    assert (counts.received, counts.accepted) == (1, 1)
    assert _in_the_lake(settings, HOME), "a register may be wrong: a person decides"
    list(erase(settings, [first.batch_id], LATER))
    assert not _in_the_lake(settings, HOME)
    assert "erase" not in _corrected(settings, HALL, HOME).message
    assert replay(settings, live.batch_id, LATER) is None


def test_what_is_left_to_erase_is_told_again_with_every_register(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL, HOME, home=SCHOOL))
    first = _land(settings, "energy_meters", _export(HALL, HOME)).manifest
    assert _corrected(settings, HALL, HOME).message.endswith(f"`ademruimte erase {first.batch_id}`")
    again = _corrected(settings, HALL, HOME)
    assert again.outcome is Outcome.KNOWN
    assert again.message.endswith(f"`ademruimte erase {first.batch_id}`")
    assert len(Lake(settings.layout.lake).manifests("energy_meters")) == 2


def test_a_register_has_landed_although_a_batch_that_it_forbids_cannot_be_read(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL, HOME, home=SCHOOL))
    first = _land(settings, "energy_meters", _export(HALL, HOME)).manifest
    received = Lake(settings.layout.lake).file(first, "readings", "received")
    whole = received.read_bytes()
    received.write_bytes(whole[:100])
    landed = _corrected(settings, HALL, HOME)
    assert landed.outcome is Outcome.LANDED
    assert "its file stays until the next landing" in landed.message
    received.write_bytes(whole)
    (again,) = land(settings, settings.contracts()["buildings"], LATER)
    assert again.outcome is Outcome.KNOWN
    assert again.message.endswith(f"`ademruimte erase {first.batch_id}`")


def test_an_erasure_killed_half_way_stops_no_register(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL, HOME, home=SCHOOL))
    first = _land(settings, "energy_meters", _export(HALL, HOME)).manifest
    _corrected(settings, HALL, HOME)
    lake = Lake(settings.layout.lake)
    lake.file(first, "readings", "received").unlink()
    assert _corrected(settings, HALL, HOME).outcome is Outcome.KNOWN
    list(erase(settings, [first.batch_id], LATER))
    assert lake.is_erased(first)
    assert not _in_the_lake(settings, HOME)


def test_a_dwelling_that_was_a_mistake_gets_its_days_back_from_the_same_export(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL, HOME, home=SCHOOL))
    first = _land(settings, "energy_meters", _export(HALL, HOME)).manifest
    _corrected(settings, HALL, HOME)
    list(erase(settings, [first.batch_id], LATER))
    much_later = (NOW + timedelta(minutes=2)).isoformat()
    drop(settings, "buildings", "recht.csv", _register(HALL, HOME, home=SCHOOL), supplied_at=much_later)
    land(settings, settings.contracts()["buildings"], LATER)
    drop(settings, "energy_meters", "bestand.csv", _export(HALL, HOME))
    (again,) = land(settings, settings.contracts()["energy_meters"], LATER)
    assert again.outcome is Outcome.LANDED
    assert sorted(_accepted(settings)["ean"]) == [HALL, HOME]
    assert again.manifest.withheld == {}


def test_a_whole_month_of_what_proves_a_dwelling_stays_as_one_total_through_every_replay(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL, HOME, home=SCHOOL))
    days = [
        f'{day:02}-10-2026;00:00:00;{(day % 31) + 1:02}-{10 + day // 31}-2026;00:00:00;="{HOME}";1SAG;AMR-meter;'
        "Afname Actief;5;kWh;Uitgelezen;"
        for day in range(1, 32)
    ]
    _land(settings, "energy_meters", "\n".join([EXPORT_HEADER, *days]) + "\n")
    assert _accepted(settings).height == 31
    _corrected(settings, HALL, HOME)
    assert _accepted(settings).select("granularity", "value").rows() == [("P1M", 155.0)]
    (live,) = Lake(settings.layout.lake).live("energy_meters")
    assert replay(settings, live.batch_id, LATER) is None


def test_a_register_that_changes_no_dwelling_replays_nothing(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    _land(settings, "buildings", _register(HALL, SCHOOL))
    _land(settings, "energy_meters", _export(HALL, SCHOOL))
    # a row that was forgotten is no proof that the readings must go
    assert "erase" not in _corrected(settings, HALL, HOME).message
    assert sorted(_accepted(settings)["ean"]) == [HALL, SCHOOL]
