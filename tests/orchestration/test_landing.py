"""Landing: nothing lost, nothing twice, and one bad source never stops another."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import duckdb
import polars as pl
import pytest

from contracts.vocabulary import Sensitivity
from orchestration.loop.context import accepted_rows
from orchestration.loop.dropped import take, waiting_files
from orchestration.loop.landed import Landed, Outcome
from orchestration.loop.landing import land
from orchestration.loop.replay import UnknownBatchError, replay
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW, land_everything
from warehouse.batch import Manifest
from warehouse.lake import Lake
from warehouse.load import load
from warehouse.state import State

INDICATORS = "kpi_id;area;ref_date;value;unit;source;published_at;uncertainty\n"
GOOD_ROW = "trees_extra;34022;2026-10-31;17600;trees (additional);groen;2026-11-05;\n"


def drop(settings: Settings, source: str, name: str, content: str | bytes, supplied_at: str | None = None) -> Path:
    folder = settings.layout.drop(source)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.with_name(f"{name}.ready").write_text(supplied_at or NOW.isoformat(), encoding="utf-8")
    return path


def land_source(settings: Settings, source: str) -> list[Landed]:
    return land(settings, settings.contracts()[source], NOW)


@contextmanager
def answering(status: int, content_type: str, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/ocpi/locations?token=hidden"
    finally:
        server.shutdown()
        server.server_close()


def test_every_row_of_every_demo_batch_has_one_fate(demo: Settings) -> None:
    manifests = Lake(demo.layout.lake).manifests()
    assert {manifest.source for manifest in manifests} == set(demo.contracts())
    for manifest in manifests:
        for counts in manifest.tables.values():
            fates = counts.accepted + counts.quarantined + counts.duplicate + counts.superseded
            assert counts.received == fates


def test_every_refused_row_keeps_its_line_and_its_reasons(demo: Settings) -> None:
    lake = Lake(demo.layout.lake)
    refused = [
        lake.read(manifest, name, "quarantine")
        for manifest in lake.manifests()
        for name, counts in manifest.tables.items()
        if counts.quarantined
    ]
    assert sum(frame.height for frame in refused) > 50
    for frame in refused:
        assert frame["line"].min() >= 1
        assert frame["reasons"].list.len().min() >= 1


def test_no_name_phone_or_address_of_a_person_is_anywhere_in_the_lake(demo: Settings) -> None:
    lake = Lake(demo.layout.lake)
    (week,) = [manifest for manifest in lake.manifests("renovation_coach") if "W39_kortrijk.csv" in manifest.origin]
    assert set(week.dropped_columns["dossiers"]) == {"naam", "telefoon"}
    received = lake.read(week, "dossiers", "received")
    assert received["adres"].drop_nulls().str.contains(r"^[0-9a-f]{64}$").all()
    assert lake.original(week) is None
    tickets = lake.read(lake.latest("tickets_1777"), "requests", "received")
    assert not {"description", "address", "lat", "long"} & set(tickets.columns)


def test_the_same_file_twice_is_a_no_op_that_says_so(own_demo: Settings) -> None:
    drop(own_demo, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    (first,) = land_source(own_demo, "indicators")
    lake, manifest = Lake(own_demo.layout.lake), first.manifest
    path = drop(own_demo, "indicators", "again-b.csv", INDICATORS + GOOD_ROW)
    (landed,) = land_source(own_demo, "indicators")
    assert landed.outcome is Outcome.KNOWN
    assert landed.message == f"already landed as {manifest.batch_id}"
    assert not path.exists()
    assert len(Lake(own_demo.layout.lake).manifests()) == len(lake.manifests())


def test_a_pull_that_brings_nothing_new_writes_no_batch(own_demo: Settings) -> None:
    before = len(Lake(own_demo.layout.lake).manifests())
    for source in ("charge_points", "tickets_1777"):
        (landed,) = land_source(own_demo, source)
        assert landed.outcome is Outcome.UNCHANGED
    assert len(Lake(own_demo.layout.lake).manifests()) == before


@pytest.mark.parametrize(
    ("source", "name", "content", "says"),
    [
        ("indicators", "cijfers.csv", "kpi_id;area;value;unit\nx;34022;1;%\n", "ref_date"),
        ("indicators", "cijfers.csv", "", "cijfers.csv"),
        ("indicators", "cijfers.xlsx", b"PK\x03\x04 not a workbook", "cijfers.xlsx"),
        ("energy_meters", "verbruik.csv", "Naam;Adres\nx;y\n", "verbruik.csv"),
        ("energy_meters", "verbruik.csv", "<html><body>Log in</body></html>", "verbruik.csv"),
        ("renovation_coach", "renovatie.csv", "dossier;team\n", "renovatie_"),
    ],
)
def test_a_wrong_file_is_refused_with_source_file_and_reason(
    empty_profile: Callable[..., Settings], source: str, name: str, content: str | bytes, says: str
) -> None:
    settings = empty_profile()
    path = drop(settings, source, name, content)
    (landed,) = land_source(settings, source)
    assert landed.outcome is Outcome.REFUSED
    assert landed.message.startswith(f"{source}: ")
    assert says in landed.message
    assert path.exists(), "a refused file stays where its supplier can see it"
    assert Lake(settings.layout.lake).manifests() == []


def test_a_refused_file_does_not_stop_the_next_one(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    drop(settings, "indicators", "a.csv", "wrong\n")
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    outcomes = [landed.outcome for landed in land_source(settings, "indicators")]
    assert outcomes == [Outcome.REFUSED, Outcome.LANDED]


def test_a_repaired_file_is_taken_and_its_refusal_forgotten(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    drop(settings, "indicators", "a.csv", "wrong\n")
    land_source(settings, "indicators")
    drop(settings, "indicators", "a.csv", INDICATORS + GOOD_ROW)
    (landed,) = land_source(settings, "indicators")
    assert landed.outcome is Outcome.LANDED


@pytest.mark.parametrize(
    ("status", "content_type", "body", "says"),
    [
        (200, "text/html", b"<html>log in</html>", "HTML"),
        (401, "application/json", b"{}", "401"),
        (200, "application/json", b'{"data": [', "JSON"),
        (200, "application/json", b'{"status_code": 3000, "status_message": "down"}', "3000"),
    ],
)
def test_a_supplier_that_answers_wrongly_is_named_without_its_secret(
    empty_profile: Callable[..., Settings], status: int, content_type: str, body: bytes, says: str
) -> None:
    with answering(status, content_type, body) as url:
        settings = empty_profile(ADEMRUIMTE_CHARGE_POINTS_URL=url, ADEMRUIMTE_CHARGE_POINTS_TOKEN="s3cret")
        (landed,) = land_source(settings, "charge_points")
    assert landed.outcome is Outcome.REFUSED
    assert says in landed.message
    assert "127.0.0.1" in landed.message
    assert "hidden" not in landed.message
    assert "s3cret" not in landed.message


def test_a_file_replaced_while_it_was_read_stays_for_the_next_landing(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    path = drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    contract = settings.contracts()["indicators"]
    (file,) = waiting_files(settings, contract, NOW)
    first = path.read_bytes()
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW.replace("17600", "17700"))
    take(file, hashlib.sha256(first).hexdigest())
    assert b"17700" in path.read_bytes()


def test_a_week_that_still_runs_does_not_make_a_source_complete_until_its_end(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    header = "dossier;team;adres;sector;woningtype;intake_op;fase;fase_op;huisbezoek_op;plan_op\n"
    row = "K-1;kortrijk;Demostraat 1;;rijwoning;2026-11-02;advies;2026-11-03;;\n"
    drop(settings, "renovation_coach", "renovatie_2026-W48_kortrijk.csv", header + row)
    (landed,) = land_source(settings, "renovation_coach")
    assert landed.manifest.complete_until == NOW


@pytest.mark.parametrize(("ahead", "outcome"), [(23, Outcome.LANDED), (25, Outcome.REFUSED)])
def test_a_delivery_that_bears_a_time_to_come_waits_until_its_clock_is_right(
    empty_profile: Callable[..., Settings], ahead: int, outcome: Outcome
) -> None:
    settings = empty_profile().model_copy(update={"fixed_as_of": None})
    path = drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW, (NOW + timedelta(hours=ahead)).isoformat())
    (landed,) = land_source(settings, "indicators")
    assert landed.outcome == outcome
    if outcome == Outcome.REFUSED:
        assert "bears the time 2026-11-24 07:00 UTC, which has yet to come" in landed.message
        path.with_name("b.csv.ready").write_text(NOW.isoformat(), encoding="utf-8")
        assert [again.outcome for again in land_source(settings, "indicators")] == [Outcome.LANDED]


def test_a_row_about_a_day_to_come_is_refused_and_the_others_stay(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW + GOOD_ROW.replace("2026-10-31", "2099-12-31"))
    (landed,) = land_source(settings, "indicators")
    counts = landed.manifest.tables["observations"]
    assert (counts.accepted, counts.quarantined) == (1, 1)
    (reasons,) = Lake(settings.layout.lake).read(landed.manifest, "observations", "quarantine")["reasons"].to_list()
    assert "ref_date: lies after the day of delivery, 2026-11-23" in reasons


def test_a_phone_number_in_any_column_of_the_coaches_is_redacted(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    header = "dossier;team;adres;sector;woningtype;intake_op;fase;fase_op;huisbezoek_op;plan_op\n"
    row = "jan@telenet.be;kortrijk;Demostraat 1;;;2026-11-02;advies;2026-11-03;bel 0478/12.34.56;85.07.30-033.28\n"
    drop(settings, "renovation_coach", "renovatie_2026-W45_kortrijk.csv", header + row)
    (landed,) = land_source(settings, "renovation_coach")
    lake = Lake(settings.layout.lake)
    for part in ("received", "quarantine"):
        written = lake.read(landed.manifest, "dossiers", part).write_json()
        assert not [secret for secret in ("telenet", "0478", "85.07.30") if secret in written]
    assert landed.manifest.redactions >= 2


def test_a_hand_filled_file_is_not_kept_as_it_came(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    text = INDICATORS.replace("uncertainty", "uncertainty;contact") + GOOD_ROW.replace(";\n", ";;An Claes\n")
    drop(settings, "indicators", "b.csv", text)
    (landed,) = land_source(settings, "indicators")
    folder = settings.layout.lake / "indicators" / f"batch={landed.manifest.batch_id}"
    assert all(b"An Claes" not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["renovatie_9999-W52_kortrijk.csv", "renovatie_2026-W45_[red]rijk[/x].csv"])
def test_an_unforeseen_fault_in_one_file_leaves_the_others_to_land(
    empty_profile: Callable[..., Settings], name: str
) -> None:
    settings = empty_profile()
    drop(settings, "renovation_coach", name.replace("/", "_"), "dossier;team\n")
    good = "dossier;team;adres;intake_op;fase;fase_op\nK-1;kortrijk;Straat 1;2026-10-26;advies;2026-10-27\n"
    drop(settings, "renovation_coach", "renovatie_2026-W44_kortrijk.csv", good)
    outcomes = {landed.outcome for landed in land_source(settings, "renovation_coach")}
    assert outcomes == {Outcome.REFUSED, Outcome.LANDED}


def test_an_unforeseen_fault_in_a_source_about_persons_is_told_by_its_place_alone(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    path = drop(settings, "renovation_coach", "renovatie_2026-W45_kortrijk.csv", "dossier;team\n")
    # a number of rows that no file has
    path.with_name(f"{path.name}.manifest.json").write_text('{"rows": {"dossiers": Infinity}}', encoding="utf-8")
    (landed,) = land_source(settings, "renovation_coach")
    assert re.search(r": OverflowError in weekly_drop\.py line \d+; nothing of it was landed$", landed.message)


def test_what_is_no_file_in_the_drop_folder_is_no_delivery(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    folder = settings.layout.drop("indicators")
    (folder / "a.csv").mkdir(parents=True)
    (folder / "b.csv").symlink_to("nowhere")
    os.mkfifo(folder / "c.csv")
    assert land_source(settings, "indicators") == []


def test_a_ready_file_that_names_no_time_still_says_that_its_file_is_complete(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    path = drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    for content in (b"\xff\xfe2", b"0001-01-01T00:00:00+14:00", b"klaar"):
        path.with_name("b.csv.ready").write_bytes(content)
        (file,) = waiting_files(settings, settings.contracts()["indicators"], NOW)
        assert file.supplied_at.timestamp() == pytest.approx(path.stat().st_mtime)


def test_two_landings_of_one_source_at_once_commit_a_file_once(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: land_source(settings, "indicators"), range(4)))
    assert [landed.outcome for each in results for landed in each] == [Outcome.LANDED]
    assert len(Lake(settings.layout.lake).manifests()) == 1


@pytest.mark.parametrize("value", ["inf", "nan", "-inf", "1e3", "9" * 33, "1.234,5", "0x10"])
def test_a_value_that_is_no_plain_number_is_refused(empty_profile: Callable[..., Settings], value: str) -> None:
    settings = empty_profile()
    drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW.replace("17600", value))
    (landed,) = land_source(settings, "indicators")
    assert landed.manifest.tables["observations"].quarantined == 1


def test_a_refusal_repeats_no_cell_that_may_be_a_person(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    drop(settings, "renovation_coach", "renovatie_2026-W44_kortrijk.csv", "dossier;team;Jan Peeters 0475123456\n")
    drop(settings, "energy_meters", "v.csv", "01-01-2025;00:00:00;541448800000000042;Jan Peeters\n")
    for source in ("renovation_coach", "energy_meters"):
        (landed,) = land_source(settings, source)
        assert landed.outcome is Outcome.REFUSED
        assert "peeters" not in landed.message.casefold()
        assert "541448" not in landed.message


def test_a_dead_supplier_does_not_stop_the_other_sources(own_demo: Settings) -> None:
    with answering(200, "text/html", b"<html></html>") as url:
        settings = own_demo.supplied("charge_points", url=url)
        drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
        outcomes = {landed.source: landed.outcome for landed in land_everything(settings)}
    assert outcomes == {
        "charge_points": Outcome.REFUSED,
        "indicators": Outcome.LANDED,
        "tickets_1777": Outcome.UNCHANGED,
    }


def test_a_source_without_an_address_says_which_setting_is_missing(empty_profile: Callable[..., Settings]) -> None:
    (landed,) = land_source(empty_profile(), "charge_points")
    assert "ADEMRUIMTE_CHARGE_POINTS_URL" in landed.message


def test_a_source_that_also_comes_as_a_file_needs_no_address(empty_profile: Callable[..., Settings]) -> None:
    assert land_source(empty_profile(), "tickets_1777") == []


def test_a_file_still_being_written_waits(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    path = drop(settings, "indicators", "b.csv", INDICATORS + GOOD_ROW)
    path.with_name("b.csv.ready").unlink()
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    contract = settings.contracts()["indicators"]
    assert waiting_files(settings, contract, NOW + timedelta(seconds=9)) == []
    assert [file.path for file in waiting_files(settings, contract, NOW + timedelta(seconds=11))] == [path]


def test_a_replay_with_the_same_contract_writes_nothing(own_demo: Settings) -> None:
    for manifest in Lake(own_demo.layout.lake).manifests():
        assert replay(own_demo, manifest.batch_id, NOW) is None, manifest.origin


def test_a_replay_repairs_what_an_older_gate_accepted_wrongly(own_demo: Settings) -> None:
    lake = Lake(own_demo.layout.lake)
    manifest = next(found for found in lake.manifests("indicators") if found.tables["observations"].quarantined)
    accepted = lake.file(manifest, "observations", "accepted")
    right = pl.read_parquet(accepted)
    right.with_columns(pl.col("value") * 2).write_parquet(accepted)
    again = replay(own_demo, manifest.batch_id, NOW)
    assert again is not None
    assert again.batch_id == f"{manifest.batch_id}.r1"
    assert again.supersedes == manifest.batch_id
    assert again.known_at == manifest.known_at
    fresh = Lake(own_demo.layout.lake)
    assert fresh.read(again, "observations", "accepted").equals(right)
    assert manifest.batch_id not in {live.batch_id for live in fresh.live()}


def _without(table: str, manifest: Manifest, lake: Lake) -> None:
    """Makes a batch one of an older contract, that did not have the table yet."""
    for part in ("accepted", "quarantine", "received"):
        lake.file(manifest, table, part).unlink()  # type: ignore[arg-type]
    sealed = lake.file(manifest, table, "accepted").parents[1] / "manifest.json"
    said = json.loads(sealed.read_bytes())
    del said["tables"][table]
    sealed.write_text(json.dumps({**said, "contract_version": 1}), encoding="utf-8")


def test_a_batch_of_before_a_table_existed_is_replayed_loaded_and_read_without_it(own_demo: Settings) -> None:
    lake = Lake(own_demo.layout.lake)
    batches = lake.manifests("charge_points")
    for manifest in batches:
        _without("crawls", manifest, lake)
        assert replay(own_demo, manifest.batch_id, NOW) is None
    locations = lake.file(batches[0], "locations", "accepted")
    pl.read_parquet(locations).with_columns(pl.lit("x").alias("operator_name")).write_parquet(locations)
    again = replay(own_demo, batches[0].batch_id, NOW)
    assert again is not None
    assert again.tables["crawls"].received == 0
    assert accepted_rows(Lake(own_demo.layout.lake), "charge_points", "crawls").is_empty()
    with duckdb.connect() as con:
        loaded = load(con, Lake(own_demo.layout.lake), own_demo.contracts())
    assert {batch.error for batch in loaded} == {None}


def test_an_unknown_batch_cannot_be_replayed(own_demo: Settings) -> None:
    with pytest.raises(UnknownBatchError, match="no live batch nothing"):
        replay(own_demo, "nothing", NOW)


def test_a_landing_moves_complete_until(demo: Settings) -> None:
    with State(demo.layout.state) as state:
        progress = {row.source: row.complete_until for row in state.progress()}
    assert set(progress) == set(demo.contracts())
    assert all(progress.values())


def test_a_person_in_the_name_of_a_file_is_written_nowhere(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    names = ("85.07.30-033.28.csv", "jan@mail.be.csv")
    for name, content in zip(names, (INDICATORS + GOOD_ROW, "no table"), strict=True):
        drop(settings, "indicators", name, content)
    results = land_source(settings, "indicators")
    assert {result.outcome for result in results} == {Outcome.LANDED, Outcome.REFUSED}
    with State(settings.layout.state) as state:
        told = repr([results, Lake(settings.layout.lake).manifests(), state.refusals()])
    assert not any(person in told for person in ("85.07.30", "jan@mail"))
    assert [path.name for path in settings.layout.drop("indicators").glob("*.csv")] == ["jan@mail.be.csv"]


def test_a_file_of_hundreds_of_megabytes_is_refused_unread(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    path = drop(settings, "indicators", "groot.csv", "")
    with path.open("wb") as file:
        # a hole, so that it takes no room
        file.truncate(201 * 2**20)
    (result,) = land_source(settings, "indicators")
    assert result.outcome is Outcome.REFUSED
    assert "over 200; drop it in parts" in result.message


def test_a_file_full_of_persons_is_refused_and_nothing_of_it_is_stored(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    rows = "".join(
        f"trees_extra;34022;2026-10-{day:02};17600;trees;jan{day}@mail.be;2026-11-05;\n" for day in range(1, 9)
    )
    drop(settings, "indicators", "vol.csv", INDICATORS + rows)
    (result,) = land_source(settings, "indicators")
    assert result.outcome is Outcome.REFUSED
    assert "8 of 8 rows hold a national number" in result.message
    assert Lake(settings.layout.lake).manifests() == []


def test_a_file_of_a_source_without_persons_is_kept_as_it_came_only_where_the_door_changed_nothing(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    contract = replace(settings.contracts()["indicators"], sensitivity=Sensitivity.NONE)
    persons = GOOD_ROW.replace("groen", "groen, bel 0471/23.45.67").replace("10-31", "10-30")
    for name, content in (("a.csv", INDICATORS + GOOD_ROW), ("b.csv", INDICATORS + persons)):
        drop(settings, "indicators", name, content)
    drop(settings, "indicators", "c.csv", INDICATORS.strip() + ";wie\n" + GOOD_ROW.strip() + "Peeters\n")
    kept = {each.origin: each.manifest for each in land(settings, contract, NOW) if each.manifest}
    assert {name: batch.original for name, batch in kept.items()} == {"a.csv": "a.csv", "b.csv": None, "c.csv": None}
    lake = Lake(settings.layout.lake)
    assert "[verwijderd]" in lake.read(kept["b.csv"], "observations", "received")["source"].item()
    assert replay(settings, kept["b.csv"].batch_id, NOW) is None
