"""A replay lets in nothing that today's contract forbids, and what it lets in was not known before."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from contracts.gate import Split
from contracts.registry import city_named
from contracts.sources.indicators import OBSERVATIONS
from contracts.vocabulary import TableContract
from orchestration.dbt_project import city_seeds
from orchestration.giving_back.lines import given_back
from orchestration.loop.earlier import with_known_at
from orchestration.loop.landed import Outcome
from orchestration.loop.landing import land
from orchestration.loop.replay import replay
from orchestration.loop.rotation import rotate
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW
from tests.orchestration.test_landing import GOOD_ROW, INDICATORS, drop
from warehouse.batch import KNOWN_AT, Manifest
from warehouse.lake import Lake
from warehouse.load import Loaded, load, load_known

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


def as_known(settings: Settings, moment: datetime) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]], Loaded]:
    """The rows that were known at a moment, the counts and refusals of the one batch, and how it was loaded."""
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        (loaded,) = load_known(con, Lake(settings.layout.lake), settings.contracts(), moment)
        counts = con.sql("select received, accepted, quarantined, superseded from landing.batch_counts").fetchall()
        refused = con.sql("select reason, rows from landing.refusals").fetchall()
        return known(con), [*counts, *refused], loaded


LATER_VERSION = GOOD_ROW.replace("17600", "veel").replace("2026-11-05", "2026-11-06")
READ_AS_NUMBER = ("value: cannot be read", 1)


def test_before_a_replay_a_batch_holds_and_counts_what_it_did(indicators: Settings) -> None:
    let_in_later(indicators)
    rows, counts, _ = as_known(indicators, NOW)
    assert (rows, counts) == ([(17600.0, NOW)], [(2, 1, 1, 0), READ_AS_NUMBER])
    rows, counts, loaded = as_known(indicators, LATER)
    assert (rows, counts) == ([(17500.0, LATER), (17600.0, NOW)], [(2, 2, 0, 0)])
    assert loaded.drift == ()


@pytest.fixture
def let_in_over_it(empty_profile: Callable[..., Settings]) -> Settings:
    """Two rows of one key in a file: the later one stood refused, until a replay let it in over the other."""
    settings = empty_profile()
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW + LATER_VERSION)
    land(settings, settings.contracts()["indicators"], NOW)
    again = let_in_later(settings)
    assert again.tables["observations"].superseded == 1
    return settings


def test_a_value_that_was_known_stays_known_then_after_a_replay_outdated_it(let_in_over_it: Settings) -> None:
    rows, counts, _ = as_known(let_in_over_it, NOW)
    assert (rows, counts) == ([(17600.0, NOW)], [(2, 1, 1, 0), READ_AS_NUMBER])
    assert as_known(let_in_over_it, LATER)[0] == [(17500.0, LATER)]


def test_where_what_stood_was_erased_no_value_is_shown_that_nobody_knew_and_it_is_told(
    let_in_over_it: Settings,
) -> None:
    lake = Lake(let_in_over_it.layout.lake)
    first = lake.manifests()[0]
    lake.erase(first)
    rows, counts, loaded = as_known(let_in_over_it, NOW)
    assert (rows, counts) == ([], [(2, 1, 1, 0)])
    assert loaded.drift == (
        f"batch {first.batch_id}, which stood then, was erased; its rows are read from what replaced it",
    )
    assert as_known(let_in_over_it, LATER)[2].drift == ()


def test_a_version_without_a_column_of_today_is_read_from_the_one_that_has_it(indicators: Settings) -> None:
    sealed = folder(indicators, only(indicators)) / "manifest.json"
    said = json.loads(sealed.read_bytes())
    rewrite(indicators, "observations", lambda rows: rows.drop("is_checked"), "accepted")
    del said["tables"]["observations"]["columns"]["is_checked"]
    sealed.write_text(json.dumps(said), encoding="utf-8")
    let_in_later(indicators)
    rows, counts, loaded = as_known(indicators, NOW)
    assert (rows, counts) == ([(17600.0, NOW)], [(2, 1, 1, 0), READ_AS_NUMBER])
    assert loaded.drift == ()


def test_before_a_new_key_rows_are_read_under_it_so_that_they_still_join(coaches: Settings) -> None:
    list(rotate(coaches, LATER))
    with duckdb.connect() as con:
        load_known(con, Lake(coaches.layout.lake), coaches.contracts(), NOW)
        ((batch_id, dossier),) = con.sql(
            "select batch_id, dossier_id from landing.renovation_coach__dossiers"
        ).fetchall()
    newest = only(coaches)
    assert batch_id == newest.batch_id
    assert dossier == Lake(coaches.layout.lake).read(newest, DOSSIERS, "accepted")["dossier_id"].item()


UPDATES = "update_id;service_request_id;status;updated_datetime;external_status_code;description\n"
# a new state with a text for the citizen is two events of one line
CLOSED_AND_ANSWERED = "u1;R-1;CLOSED;2026-11-02T10:00:00Z;;Hersteld\n"
NO_MOMENT = "u2;R-1;OPEN;morgen;;\n"


@pytest.fixture
def updates(empty_profile: Callable[..., Settings]) -> Settings:
    """A file of updates of 1777: a line that holds two events, and one that was refused."""
    settings = empty_profile()
    drop(settings, "tickets_1777", "updates.csv", UPDATES + CLOSED_AND_ANSWERED + NO_MOMENT)
    (landed,) = land(settings, settings.contracts()["tickets_1777"], NOW)
    assert landed.manifest is not None
    assert landed.manifest.tables["events"].accepted == 2, landed.message
    return settings


def moments(settings: Settings, manifest: Manifest, table: str, key: str) -> dict[str, object]:
    """Since when each accepted row is known."""
    rows = Lake(settings.layout.lake).read(manifest, table, "accepted")
    return dict(rows.select(key, KNOWN_AT).iter_rows())


def test_two_events_of_one_line_keep_their_moments_when_a_replay_lets_in_a_third(updates: Settings) -> None:
    right = pl.col("event_datetime").replace("morgen", "2026-11-03T10:00:00Z")
    rewrite(updates, "events", lambda rows: rows.with_columns(right), "received")
    again = replay(updates, only(updates).batch_id, LATER)
    assert again is not None
    assert moments(updates, again, "events", "event_id") == {"u1": NOW, "u1/reply": NOW, "u2": LATER}


@pytest.mark.parametrize("stood_refused", ["u1", "u1/reply"])
def test_an_event_that_stood_refused_is_not_known_since_the_other_of_its_line(
    updates: Settings, stood_refused: str
) -> None:
    rewrite(updates, "events", lambda rows: rows.filter(pl.col("event_id") != stood_refused), "accepted")
    again = replay(updates, only(updates).batch_id, LATER)
    assert again is not None
    (other,) = {"u1", "u1/reply"} - {stood_refused}
    assert moments(updates, again, "events", "event_id") == {stood_refused: LATER, other: NOW}


@pytest.fixture
def file_that_was_kept(empty_profile: Callable[..., Settings]) -> tuple[Lake, Manifest]:
    """A batch of indicators of which the file itself was kept: what an older contract let happen."""
    settings = empty_profile()
    rows = [GOOD_ROW, GOOD_ROW.replace("2026-10-31;17600", "2026-09-30;17500")]
    drop(settings, "indicators", "b.csv", INDICATORS + "".join(rows))
    land(settings, settings.contracts()["indicators"], NOW)
    sealed = folder(settings, only(settings)) / "manifest.json"
    sealed.write_text(json.dumps({**json.loads(sealed.read_bytes()), "original": "b.csv"}), encoding="utf-8")
    return Lake(settings.layout.lake), only(settings)


def let_in_again(lake: Lake, batch: Manifest, table: TableContract, *more: pl.DataFrame) -> list[tuple[object, ...]]:
    """Value and moment of what today's gate accepts: what was accepted, one row per key, and more."""
    before = lake.read(batch, "observations", "accepted")
    accepted = pl.concat([before, *more]).unique(list(table.key), keep="last", maintain_order=True)
    # a file that is read anew may number its lines otherwise
    accepted = accepted.with_columns(pl.col("line") + 5)
    dated = with_known_at(lake, table, Split(accepted.height, accepted, before.clear(), 0, 0), batch, LATER)
    assert dated.accepted.height == accepted.height
    return list(dated.accepted.select("value", pl.col(KNOWN_AT)).sort("value").iter_rows())


def test_a_key_that_was_wider_before_gives_one_moment_per_row(file_that_was_kept: tuple[Lake, Manifest]) -> None:
    lake, batch = file_that_was_kept
    narrowed = replace(OBSERVATIONS, key=("kpi_id",))
    other = lake.read(batch, "observations", "accepted").head(1).with_columns(kpi_id=pl.lit("new"), value=1.0)
    assert let_in_again(lake, batch, narrowed, other) == [(1.0, LATER), (17600.0, NOW)]


def test_another_value_of_a_key_in_a_file_that_is_read_anew_was_not_known(
    file_that_was_kept: tuple[Lake, Manifest],
) -> None:
    lake, batch = file_that_was_kept
    other = lake.read(batch, "observations", "accepted").filter(pl.col("value") == 17500).with_columns(value=17499.0)
    assert let_in_again(lake, batch, OBSERVATIONS, other) == [(17499.0, LATER), (17600.0, NOW)]


# --- a refusal by our own registry ------------------------------------------------------------------------------


@pytest.fixture
def unlisted(empty_profile: Callable[..., Settings]) -> Settings:
    """The same profile while its registry holds no target yet for the trees."""
    settings = empty_profile()
    rows = (city_seeds(settings.city.name) / "targets.csv").read_text("utf-8").splitlines(keepends=True)
    others = "".join(row for row in rows if not row.startswith("trees") and ",trees_extra," not in row)
    (settings.layout.root / "targets.csv").write_text(others, encoding="utf-8")
    # where its seeds would lie, and where its profile lies
    return settings.model_copy(update={"city": replace(settings.city, name=str(settings.layout.root))})


def landed_unlisted(unlisted: Settings) -> Manifest:
    """A file about an indicator that the registry does not hold."""
    drop(unlisted, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    (landed,) = land(unlisted, unlisted.contracts()["indicators"], NOW)
    assert landed.manifest.tables["observations"].quarantined == 1
    return landed.manifest


def listed(unlisted: Settings) -> Settings:
    """The profile once the data team added the target."""
    return unlisted.model_copy(update={"city": city_named("kortrijk")})


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
