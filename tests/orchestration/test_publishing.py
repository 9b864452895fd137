"""What readers see when a store fails, when a build is taken back, and while publishing is held."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import psycopg
import pytest
from pydantic import SecretStr

from orchestration.embedded_postgres import Server
from orchestration.loop.build import Build, build_lock
from orchestration.loop.history import said
from orchestration.loop.messages import fill_data_team
from orchestration.loop.plan import why_due
from orchestration.loop.publishing import files_of, publish, roll_back, show, stage
from orchestration.settings import Settings
from tests.conftest import ROOT
from tests.orchestration.profiles import LATER, NOW
from warehouse.backup import Backup
from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.published.store import KEPT, UnknownBuildError
from warehouse.state import OutboxMessage, State
from warehouse.withdrawals import release, standing

AWAY = "postgresql://someone:sesame@127.0.0.1:1/city"


@pytest.fixture
def city(empty_profile: Callable[..., Settings]) -> Settings:
    """A profile without any build, and with files only."""
    return empty_profile()


@pytest.fixture
def city_with_postgres(city: Settings, database: str) -> Settings:
    return city.model_copy(update={"postgres_url": SecretStr(database)})


def stage_and_say(settings: Settings, build_id: str, number: int = 1) -> None:
    """All of a build but dbt: a table that holds a number, staged, and said."""
    with connect(settings.layout.warehouse) as con:
        con.execute("create schema if not exists marts")
        con.execute("create or replace table marts.dim_same as select 1 as a")
        con.execute(f"create or replace table marts.fct_a as select {number} as number")
    stage(settings, build_id, NOW)
    facts = {"fingerprint": build_id, "batches": [], "as_of_date": "2026-11-23"}
    said_now = pl.DataFrame({"target_id": ["trees"], "ref_date": [NOW.date()], "value": [number]})
    Lake(settings.layout.lake).commit_decisions(build_id, said_now, facts, NOW)


def build(settings: Settings, build_id: str, number: int = 1) -> list[str]:
    stage_and_say(settings, build_id, number)
    return show(settings, build_id, NOW)


def seen_in_files(settings: Settings) -> int:
    folder = files_of(settings).folder(str(files_of(settings).current()))
    return int(pl.read_parquet(folder / "parquet" / "marts" / "fct_a.parquet")["number"].item())


def seen_in_postgres(settings: Settings) -> tuple[object, ...] | None:
    assert settings.postgres_url is not None
    with psycopg.connect(settings.postgres_url.get_secret_value()) as db:
        return db.execute("select build_id, number from marts.fct_a").fetchone()


def message(build_id: str, key: str) -> OutboxMessage:
    return OutboxMessage(key, "wonen", "2026-W48", build_id, "doel", b"...", NOW)


# --- a store that fails -----------------------------------------------------------------------------------------


def test_a_server_that_is_away_holds_up_no_file_and_is_told_to_the_data_team(city: Settings) -> None:
    without = city.model_copy(update={"postgres_url": SecretStr(AWAY)})
    (fault,) = build(without, "b1", 1)
    assert "see whether the server runs" in fault
    assert seen_in_files(without) == 1
    assert fill_data_team(without, LATER) == 1
    with State(without.layout.state) as state:
        [mail] = state.unsent()
    text = b" ".join(mail.message.split()).decode()
    assert "publish: PostgreSQL" in text
    assert "sesame" not in text


def test_a_server_that_comes_back_gets_from_the_files_what_it_missed(city_with_postgres: Settings) -> None:
    away = city_with_postgres.model_copy(update={"postgres_url": SecretStr(AWAY)})
    build(away, "b1", 1)
    build(away, "b2", 2)
    # the warehouse is of no use to it: by now it may hold a half-made build
    away.layout.warehouse.unlink()
    assert publish(city_with_postgres, LATER) == ("b2", [])
    assert seen_in_postgres(city_with_postgres) == ("b2", 2)
    with State(away.layout.state) as state:
        assert [(row.build_id, row.store) for row in state.published()] == [
            ("b1", "files"),
            ("b2", "files"),
            ("b2", "postgres"),
        ]


def test_a_build_that_adds_nothing_lets_a_store_that_missed_one_catch_up(city_with_postgres: Settings) -> None:
    build(city_with_postgres.model_copy(update={"postgres_url": SecretStr(AWAY)}), "b1", 1)
    again = Build(city_with_postgres, LATER)
    stage(city_with_postgres, again.plan.build_id, LATER)
    again.publish()
    assert seen_in_postgres(city_with_postgres) == ("b1", 1)
    assert files_of(city_with_postgres).builds() == ["b1"]


def test_a_right_that_is_taken_away_holds_up_no_file(city_with_postgres: Settings, server: Server) -> None:
    build(city_with_postgres, "b1", 1)
    with psycopg.connect(server.superuser, autocommit=True) as db:
        db.execute("revoke pg_read_all_stats from ademruimte")
        try:
            (fault,) = build(city_with_postgres, "b2", 2)
        finally:
            db.execute("grant pg_read_all_stats to ademruimte")
    assert "grant pg_read_all_stats to ademruimte" in fault
    assert (seen_in_files(city_with_postgres), seen_in_postgres(city_with_postgres)) == (2, ("b1", 1))
    assert build(city_with_postgres, "b3", 3) == []
    assert seen_in_postgres(city_with_postgres) == ("b3", 3)


@pytest.fixture
def full_disk(server: Server) -> Iterator[None]:
    """What PostgreSQL writes from here on goes to a disk of 512 KiB; skips where this account may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="ademruimte-disk-"))
    mounting = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder]
    if shutil.which("mount") is None or subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("this account may not mount a small disk")
    shutil.chown(folder, "nobody")
    with psycopg.connect(server.superuser, autocommit=True) as db:
        db.execute(f"create tablespace small location '{folder}'")
        db.execute("grant create on tablespace small to ademruimte")
        db.execute("alter role ademruimte set default_tablespace = small")
    yield
    with psycopg.connect(server.superuser, autocommit=True) as db:
        db.execute("alter role ademruimte reset default_tablespace")
        db.execute("drop database ademruimte with (force)")
        db.execute("drop tablespace small")
    subprocess.run(["umount", "--lazy", folder], check=True)
    folder.rmdir()


@pytest.mark.usefixtures("database", "full_disk")
def test_a_server_of_which_the_disk_is_full_holds_up_no_file(city_with_postgres: Settings, server: Server) -> None:
    city = city_with_postgres
    assert build(city, "b1", 1) == []
    with connect(city.layout.warehouse) as con:
        con.execute("create table marts.fct_large as select n, repeat('x', 100) as t from range(10_000) as r (n)")
    (fault,) = build(city, "b2", 2)
    assert "No space left on device" in fault
    assert (seen_in_files(city), seen_in_postgres(city)) == (2, ("b1", 1))
    with psycopg.connect(server.superuser, autocommit=True) as db:
        db.execute("alter role ademruimte reset default_tablespace")
    assert publish(city, LATER) == ("b2", [])
    assert seen_in_postgres(city) == ("b2", 2)


def test_postgresql_holds_of_the_demo_what_the_files_hold(own_demo: Settings, database: str) -> None:
    city = own_demo.model_copy(update={"postgres_url": SecretStr(database)})
    build_id, faults = publish(city, LATER)
    assert faults == []
    files = sorted((files_of(city).folder(build_id) / "parquet").rglob("*.parquet"))
    with psycopg.connect(database) as db:
        views = db.execute("select count(*) from information_schema.views where table_schema = 'marts'").fetchone()
        assert views == (len(files),)
        for file in files:
            rows = pl.scan_parquet(file, hive_partitioning=False).select(pl.len()).collect().item()
            assert db.execute(f'select count(*), max(build_id) from marts."{file.stem}"').fetchone() in {
                (rows, build_id),
                (0, None),
            }
        [(undescribed,)] = db.execute(
            """select count(*) from pg_attribute a join pg_class c on c.oid = a.attrelid
            where c.relnamespace = 'marts'::regnamespace and a.attnum > 0
              and coalesce(position(' | EN ' in col_description(c.oid, a.attnum)), 1) > 0"""
        ).fetchall()
        assert undescribed == 0, "every column is described, in Dutch alone"


# --- going back -------------------------------------------------------------------------------------------------


def test_going_back_moves_every_store_and_holds_publishing_until_a_person_releases_it(
    city_with_postgres: Settings,
) -> None:
    city = city_with_postgres
    build(city, "b1", 1)
    build(city, "b2", 2)
    with State(city.layout.state) as state:
        state.enqueue([message("b1", "told"), message("b2", "wrong"), message("b2", "gone")])
        state.mark_sent("gone", NOW)
    done = roll_back(city, "het tarief klopt niet", LATER)
    assert (done.withdrawal.build_id, done.withdrawal.shown, done.taken_back) == ("b2", "b1", 1)
    assert (seen_in_files(city), seen_in_postgres(city)) == (1, ("b1", 1))
    with State(city.layout.state) as state:
        assert [row.message_key for row in state.unsent()] == ["told"]
    assert publish(city, LATER) == ("b1", [])
    # builds go on: the next is loaded and said, and waits
    waits = Build(city, LATER)
    stage_and_say(city, waits.plan.build_id, 3)
    waits.is_committed = True
    waits.publish()
    assert (seen_in_files(city), seen_in_postgres(city)) == (1, ("b1", 1))
    assert [each.reason for each in release(city.layout.decisions, LATER)] == ["het tarief klopt niet"]
    assert publish(city, LATER) == (waits.plan.build_id, [])
    assert (seen_in_files(city), seen_in_postgres(city)) == (3, (waits.plan.build_id, 3))
    assert standing(city.layout.decisions) is None


def test_what_was_withdrawn_was_not_said_while_readers_did_not_see_it(city: Settings) -> None:
    def said_at(moment: datetime) -> list[int]:
        withdrawn = standing(city.layout.decisions, moment)
        rows = said(Lake(city.layout.lake), NOW.date(), moment, withdrawn)
        return list(rows["value"])

    build(city, "b1", 1)
    build(city, "b2", 2)
    roll_back(city, "fout", LATER)
    release(city.layout.decisions, LATER + timedelta(hours=1))
    moments = (NOW, LATER, LATER + timedelta(minutes=59), LATER + timedelta(hours=1))
    assert [said_at(moment) for moment in moments] == [[2], [1], [1], [2]]


def test_while_readers_are_put_back_nothing_asks_for_a_build_and_recover_leaves_them_there(city: Settings) -> None:
    build(city, "b1", 1)
    build(city, "b2", 2)
    roll_back(city, "fout", LATER)
    assert "committed but not published" not in (why_due(city, LATER) or "")
    with build_lock(city):
        assert Build(city, LATER).recover() == "build b1 stands"
    assert seen_in_files(city) == 1


def test_a_store_that_could_not_go_back_does_so_at_the_next_build(city_with_postgres: Settings) -> None:
    city = city_with_postgres
    build(city, "b1", 1)
    build(city, "b2", 2)
    done = roll_back(city.model_copy(update={"postgres_url": SecretStr(AWAY)}), "fout", LATER)
    assert len(done.failed) == 1
    assert (seen_in_files(city), seen_in_postgres(city)) == (1, ("b2", 2))
    again = Build(city, LATER)
    stage(city, again.plan.build_id, LATER)
    again.publish()
    assert (seen_in_files(city), seen_in_postgres(city)) == (1, ("b1", 1))


def test_going_back_that_was_killed_half_way_is_finished_by_the_next_build(city: Settings) -> None:
    build(city, "b1", 1)
    build(city, "b2", 2)
    roll_back(city, "fout", LATER)
    # as it was when the process died: noted, and not moved yet
    files_of(city).flip("b2")
    assert why_due(city, LATER) == "build b1 is committed but not published"
    with build_lock(city):
        assert Build(city, LATER).recover() == "rolled build b1 forward"
    assert seen_in_files(city) == 1


def test_going_back_twice_is_released_once(city: Settings) -> None:
    for number in (1, 2, 3):
        build(city, f"b{number}", number)
    roll_back(city, "fout", LATER)
    assert seen_in_files(city) == 2
    roll_back(city, "ook fout", LATER)
    assert seen_in_files(city) == 1
    assert len(release(city.layout.decisions, LATER)) == 2
    assert publish(city, LATER) == ("b3", [])
    assert standing(city.layout.decisions) is None


def test_a_build_may_be_named_and_one_that_was_never_said_is_no_build_to_go_back_to(city: Settings) -> None:
    build(city, "b1", 1)
    build(city, "b2", 2)
    stage(city, "b2x", NOW)
    build(city, "b3", 3)
    with pytest.raises(UnknownBuildError, match=f"build b2x is not among the {KEPT} kept.*: b1, b2"):
        roll_back(city, "fout", LATER, to="b2x")
    with pytest.raises(UnknownBuildError, match="build b3 is not"):
        roll_back(city, "fout", LATER, to="b3")
    assert standing(city.layout.decisions) is None
    roll_back(city, "fout", LATER, to="b1")
    assert seen_in_files(city) == 1
    with pytest.raises(UnknownBuildError, match=r"no build before it is .*: none"):
        roll_back(city, "fout", LATER)


def test_the_data_team_hears_every_day_that_publishing_is_held(city: Settings) -> None:
    build(city, "b1", 1)
    build(city, "b2", 2)
    roll_back(city, "het tarief van 1 januari", LATER)
    assert fill_data_team(city, LATER) == 1
    with State(city.layout.state) as state:
        [mail] = state.unsent()
    assert "1 withdrawn build" in mail.subject
    assert b"het tarief van 1 januari" in mail.message


def test_a_withdrawal_is_in_the_backup(city: Settings, tmp_path: Path, empty_profile: Callable[..., Settings]) -> None:
    build(city, "b1", 1)
    build(city, "b2", 2)
    roll_back(city, "fout", LATER)
    backups = Backup(tmp_path / "backups")
    snapshot = backups.take(city.layout, "kortrijk", LATER)
    shutil.rmtree(city.layout.root)
    backups.restore(snapshot, city.layout, LATER)
    held = standing(empty_profile().layout.decisions)
    assert held is not None
    assert (held.build_id, held.shown) == ("b2", "b1")


# --- by its door ------------------------------------------------------------------------------------------------


def typed(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    url = {} if settings.postgres_url is None else {"ADEMRUIMTE_POSTGRES_URL": settings.postgres_url.get_secret_value()}
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *words],
        env={**os.environ, **settings.environment, **url, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.readers  # four processes, of which each imports what it needs
def test_a_person_goes_back_releases_and_gives_access_by_typing_it(city_with_postgres: Settings) -> None:
    city = city_with_postgres
    build(city, "b1", 1)
    build(city, "b2", 2)
    back = typed(city, "rollback", "--reason", "het tarief klopt niet")
    assert back.returncode == 0, back.stdout + back.stderr
    assert "Readers see b1 until `ademruimte publish --release`" in back.stdout
    assert seen_in_postgres(city) == ("b1", 1)
    held = typed(city, "publish").stdout
    assert "readers see build b1" in held
    assert "build b2 was withdrawn" in held
    released = typed(city, "publish", "--release")
    assert released.returncode == 0, released.stdout + released.stderr
    assert "readers see build b2" in released.stdout
    sheet = typed(city, "bi-access", "--all", "--new-password").stdout
    told = dict(line.split(maxsplit=1) for line in sheet.splitlines() if line.startswith("  "))
    host, _, port = told["Server"].partition(":")
    with psycopg.connect(
        host=host, port=port, dbname=told["Database"], user=told["Gebruiker"], password=told["Wachtwoord"]
    ) as db:
        assert db.execute("select number from marts.fct_a").fetchone() == (2,)
    assert "alleen op deze computer" in sheet
