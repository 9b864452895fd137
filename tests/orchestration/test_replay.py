"""A replay lets in nothing that today's contract forbids, and what it lets in was not known before."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from contracts.registry import city_named
from orchestration.giving_back.lines import given_back
from orchestration.loop.landing import Outcome, land
from orchestration.loop.replay import UnknownBatchError, erase, replay
from orchestration.registry.seeds import city_seeds
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from warehouse.lake import KNOWN_AT, Lake, LakeError, Manifest
from warehouse.load import load, take_back

COACHES, DOSSIERS = "renovation_coach", "dossiers"
WEEK = "renovatie_2026-W44_kortrijk.csv"
HEADER = "dossier;team;adres;intake_op;fase;fase_op\n"
ROWS = "K-1;kortrijk;Straat 1;2026-10-26;advies;2026-10-27\nK-2;kortrijk;Straat 2;2026-10-26;advies;niet\n"
PERSON = "Jan Peeters"


@pytest.fixture
def coaches(empty_profile: Callable[..., Settings]) -> Settings:
    """One week of a renovation coach: one row accepted, one refused."""
    settings = empty_profile()
    drop(settings, COACHES, WEEK, HEADER + ROWS)
    (landed,) = land(settings, settings.contracts()[COACHES], NOW)
    assert landed.outcome is Outcome.LANDED
    return settings


@pytest.fixture
def indicators(empty_profile: Callable[..., Settings]) -> Settings:
    """A file of a department: one row accepted, one refused."""
    settings = empty_profile()
    wrong = GOOD_ROW.replace("2026-10-31;17600", "2026-09-30;veel")
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW + wrong)
    (landed,) = land(settings, settings.contracts()["indicators"], NOW)
    assert landed.manifest.tables["observations"].quarantined == 1
    return settings


def only(settings: Settings) -> Manifest:
    (manifest,) = Lake(settings.layout.lake).live()
    return manifest


def folder(settings: Settings, manifest: Manifest) -> Path:
    return settings.layout.lake / manifest.source / f"batch={manifest.batch_id}"


def rewrite(settings: Settings, table: str, change: Callable[[pl.DataFrame], pl.DataFrame], *parts: str) -> None:
    """Makes the one batch what an older contract or door would have kept."""
    for part in parts:
        file = folder(settings, only(settings)) / part / f"{table}.parquet"
        change(pl.read_parquet(file, hive_partitioning=False)).write_parquet(file)


def holds(place: Path, text: str) -> bool:
    """Whether any table below a folder holds a text."""
    files = place.rglob("*.parquet")
    return any(text in pl.read_parquet(file, hive_partitioning=False).write_json() for file in files)


def test_a_column_that_the_contract_no_longer_allows_is_left_behind(coaches: Settings) -> None:
    rewrite(coaches, DOSSIERS, lambda rows: rows.with_columns(naam=pl.lit(PERSON)), "received", "quarantine")
    again = replay(coaches, only(coaches).batch_id, LATER)
    assert again is not None
    assert not holds(folder(coaches, again), PERSON)
    assert "naam" in again.dropped_columns[DOSSIERS]
    counts = again.tables[DOSSIERS]
    assert (counts.accepted, counts.quarantined) == (1, 1)
    assert again.is_full == {DOSSIERS: False}, "of the measures the file says nothing"
    assert replay(coaches, again.batch_id, LATER) is None, "a second time there is nothing left to take out"


def test_an_identifier_that_only_todays_net_knows_is_taken_out(coaches: Settings) -> None:
    rewrite(coaches, DOSSIERS, lambda rows: rows.with_columns(team=pl.lit("bel 0478/12.34.56")), "received", "accepted")
    before = only(coaches)
    again = replay(coaches, before.batch_id, LATER)
    assert again is not None
    assert not holds(folder(coaches, again), "0478")
    assert again.redactions == before.redactions + 2


def test_a_column_that_joins_by_a_pseudonym_today_gets_one_and_the_others_keep_theirs(coaches: Settings) -> None:
    told = Lake(coaches.layout.lake).read(only(coaches), DOSSIERS, "received")
    rewrite(coaches, DOSSIERS, lambda rows: rows.with_columns(adres=pl.lit("Straat 1")), "received")
    again = replay(coaches, only(coaches).batch_id, LATER)
    assert again is not None
    received = Lake(coaches.layout.lake).read(again, DOSSIERS, "received")
    assert received["dossier"].equals(told["dossier"]), "no pseudonym of a pseudonym"
    assert set(received["adres"]) == {told["adres"][0]}, "the same dwelling as if it had come in today"


def test_a_table_that_the_contract_no_longer_promises_is_left_behind(coaches: Settings) -> None:
    place = folder(coaches, only(coaches))
    for part in ("received", "accepted", "quarantine"):
        pl.DataFrame({"naam": [PERSON], "line": [1]}).write_parquet(place / part / "contacts.parquet")
    said = json.loads((place / "manifest.json").read_bytes())
    said["tables"]["contacts"] = said["tables"][DOSSIERS]
    (place / "manifest.json").write_text(json.dumps(said), encoding="utf-8")
    again = replay(coaches, only(coaches).batch_id, LATER)
    assert again is not None
    assert "contacts" not in again.tables
    assert not holds(folder(coaches, again), PERSON)
    assert again.dropped_columns["contacts"] == ("naam",)


def test_a_batch_without_its_key_is_not_replayed_under_another(coaches: Settings) -> None:
    coaches.pseudonym_key_file.write_text("another", encoding="ascii")
    with pytest.raises(LookupError, match="restore the key file"):
        replay(coaches, only(coaches).batch_id, LATER)


def test_what_was_replaced_can_be_erased_and_what_counts_cannot(coaches: Settings) -> None:
    rewrite(coaches, DOSSIERS, lambda rows: rows.with_columns(naam=pl.lit(PERSON)), "received", "quarantine")
    first = only(coaches)
    with pytest.raises(LakeError, match="so its rows count; replay it first"):
        erase(coaches, first.batch_id)
    again = replay(coaches, first.batch_id, LATER)
    assert holds(coaches.layout.lake, PERSON), "the batch that was replaced still holds it"
    for _ in range(2):
        erase(coaches, first.batch_id)
    assert not holds(coaches.layout.lake, PERSON)
    lake = Lake(coaches.layout.lake)
    assert lake.live() == [again]
    assert lake.manifests() == [first, again]
    assert replay(coaches, again.batch_id, LATER) is None


def test_a_warehouse_that_holds_what_was_erased_forgets_it_at_the_next_load(coaches: Settings) -> None:
    rewrite(coaches, DOSSIERS, lambda rows: rows.with_columns(naam=pl.lit(PERSON)), "received")
    with duckdb.connect() as con:
        load(con, Lake(coaches.layout.lake), coaches.contracts())
        first = only(coaches)
        again = replay(coaches, first.batch_id, LATER)
        erase(coaches, first.batch_id)
        load(con, Lake(coaches.layout.lake), coaches.contracts())
        assert con.sql("select batch_id from landing.loaded_batches").fetchall() == [(again.batch_id,)]
        assert con.sql("select count(*) from landing.renovation_coach__dossiers").fetchall() == [(1,)]


def test_nothing_of_a_batch_that_never_was_is_erased(coaches: Settings) -> None:
    with pytest.raises(UnknownBatchError, match="no batch nothing"):
        erase(coaches, "nothing")


# --- known since ------------------------------------------------------------------------------------------------


def let_in_later(settings: Settings) -> Manifest:
    """The replay of a file of which the contract, as it is now, takes the row that was refused."""
    right = pl.when(pl.col("value") == "veel").then(pl.lit("17500")).otherwise("value").alias("value")
    rewrite(settings, "observations", lambda rows: rows.with_columns(right), "received")
    again = replay(settings, only(settings).batch_id, LATER)
    assert again is not None
    return again


def known(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.sql("select value, known_at from landing.indicators__observations order by value").fetchall()


def test_a_row_that_was_refused_is_known_from_the_replay_that_let_it_in(indicators: Settings) -> None:
    again = let_in_later(indicators)
    assert again.known_at == NOW
    assert KNOWN_AT not in again.tables["observations"].columns
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        (loaded,) = load(con, Lake(indicators.layout.lake), indicators.contracts())
        assert loaded.drift == ()
        assert known(con) == [(17500.0, LATER), (17600.0, NOW)]


def test_what_was_known_stays_known_since_then_in_a_second_replay(indicators: Settings) -> None:
    let_in_later(indicators)
    worse = pl.when(pl.col("value") == "17600").then(pl.lit("veel")).otherwise("value").alias("value")
    rewrite(indicators, "observations", lambda rows: rows.with_columns(worse), "received")
    assert replay(indicators, only(indicators).batch_id, LATER + timedelta(days=1)) is not None
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        load(con, Lake(indicators.layout.lake), indicators.contracts())
        assert known(con) == [(17500.0, LATER)]


def test_taken_back_to_before_the_replay_a_batch_counts_and_holds_what_it_did(indicators: Settings) -> None:
    let_in_later(indicators)
    lake = Lake(indicators.layout.lake)
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        load(con, lake, indicators.contracts())
        take_back(con, lake, indicators.contracts(), LATER)
        assert len(known(con)) == 2
        take_back(con, lake, indicators.contracts(), NOW)
        assert known(con) == [(17600.0, NOW)]
        counts = con.sql("select received, accepted, quarantined from landing.batch_counts").fetchall()
        assert counts == [(2, 1, 1)]


# --- a refusal by our own registry ------------------------------------------------------------------------------


@pytest.fixture
def unlisted(empty_profile: Callable[..., Settings], tmp_path: Path) -> Settings:
    """The same profile while its registry holds no target yet for the trees."""
    (tmp_path / "seeds").mkdir()
    settings = empty_profile()
    rows = (city_seeds(settings) / "targets.csv").read_text("utf-8").splitlines(keepends=True)
    others = "".join(row for row in rows if not row.startswith("trees") and ",trees_extra," not in row)
    (tmp_path / "seeds" / "targets.csv").write_text(others, encoding="utf-8")
    return replace(settings, city=replace(settings.city, name=str(tmp_path / "seeds")))


def landed_unlisted(unlisted: Settings) -> Manifest:
    """A file about an indicator that the registry does not hold."""
    drop(unlisted, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    (landed,) = land(unlisted, unlisted.contracts()["indicators"], NOW)
    assert landed.manifest.tables["observations"].quarantined == 1
    return landed.manifest


def listed(unlisted: Settings) -> Settings:
    """The profile once the data team added the target."""
    return replace(unlisted, city=city_named("kortrijk"))


def counts_of(manifest: Manifest) -> tuple[int, int, int]:
    (counts,) = manifest.tables.values()
    return counts.received, counts.accepted, counts.quarantined


def test_a_row_of_an_unknown_indicator_is_let_in_by_a_replay_once_the_registry_knows_it(unlisted: Settings) -> None:
    first = landed_unlisted(unlisted)
    assert replay(unlisted, first.batch_id, LATER) is None, "the registry still says no"
    again = replay(listed(unlisted), first.batch_id, LATER)
    assert again is not None
    assert again.supersedes == first.batch_id
    assert counts_of(again) == (1, 1, 0)
    assert replay(listed(unlisted), again.batch_id, LATER) is None


def test_the_same_file_again_is_read_by_the_registry_of_today_and_counts_once(unlisted: Settings) -> None:
    first, settings = landed_unlisted(unlisted), listed(unlisted)
    for outcome in (Outcome.LANDED, Outcome.KNOWN):
        path = drop(settings, "indicators", "again.csv", INDICATORS + GOOD_ROW)
        (landed,) = land(settings, settings.contracts()["indicators"], LATER)
        assert landed.outcome is outcome
        assert not path.exists()
    assert only(settings).supersedes == first.batch_id
    assert counts_of(only(settings)) == (1, 1, 0)
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        load(con, Lake(settings.layout.lake), settings.contracts())
        assert known(con) == [(17600.0, LATER)]


def test_what_is_given_back_follows_the_registry_and_a_corrected_file_closes_the_rest(unlisted: Settings) -> None:
    settings, contract = listed(unlisted), unlisted.contracts()["indicators"]
    wrong = GOOD_ROW.replace("2026-10-31;17600", "2026-09-30;veel")
    drop(unlisted, "indicators", "b.csv", INDICATORS + GOOD_ROW + wrong)
    land(unlisted, contract, NOW)

    def still_open() -> list[int]:
        lake = Lake(settings.layout.lake)
        (lines,) = given_back(lake, contract, settings, closed=False).values()
        return list(lines["line"])

    assert still_open() == [2, 3]
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW + wrong)
    land(settings, contract, LATER)
    assert still_open() == [3], "of one file once, and only what its sender can put right"
    right = (LATER + timedelta(hours=1)).isoformat()
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW + wrong.replace("veel", "17500"), right)
    (landed,) = land(settings, contract, LATER + timedelta(hours=1))
    assert landed.message.endswith("; closes 1 refused earlier")
    assert still_open() == []


def test_a_row_of_which_the_registry_changed_the_unit_is_refused_by_a_replay(indicators: Settings) -> None:
    other = pl.lit("km").alias("registry_unit")
    assert replay(indicators, only(indicators).batch_id, LATER) is None
    rewrite(indicators, "observations", lambda rows: rows.with_columns(other), "received")
    again = replay(indicators, only(indicators).batch_id, LATER)
    assert again is not None, "the columns of the registry are made again"
    assert counts_of(again) == (2, 1, 1)
    unit = Lake(indicators.layout.lake).read(again, "observations", "received")["registry_unit"]
    assert "km" not in unit.to_list()


def test_a_known_file_of_which_the_key_got_lost_waits_until_it_is_restored(coaches: Settings) -> None:
    ring = coaches.pseudonym_key_file.read_bytes()
    coaches.pseudonym_key_file.write_text("another", encoding="ascii")
    path = drop(coaches, COACHES, WEEK, HEADER + ROWS)
    (refused,) = land(coaches, coaches.contracts()[COACHES], LATER)
    assert refused.outcome is Outcome.REFUSED
    assert "restore the key file" in refused.message
    assert path.exists()
    coaches.pseudonym_key_file.write_bytes(ring)
    (known_file,) = land(coaches, coaches.contracts()[COACHES], LATER, is_asked=False)
    assert known_file.outcome is Outcome.KNOWN
