import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from contracts.gate import Split
from warehouse.batch import Arrival, LakeError
from warehouse.durable import DiskFullError
from warehouse.lake import Lake
from warehouse.layout import Layout
from warehouse.order import replay_id

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Rows = Callable[..., pl.DataFrame]
MakeArrival = Callable[..., Arrival]


def test_a_committed_batch_says_the_same_after_a_restart(
    layout: Layout, lake: Lake, rows: Rows, arrival: MakeArrival
) -> None:
    manifest = lake.commit(arrival(rows([1.0, 2.5])), NOON)
    again = Lake(layout.lake)
    assert again.manifests() == [manifest]
    assert_frame_equal(again.read(manifest, "readings", "accepted"), rows([1.0, 2.5]))
    assert again.read(manifest, "readings", "quarantine")["reasons"].to_list() == [["kwh: cannot be read"]]
    assert again.read(manifest, "readings", "received").schema["kwh"] == pl.String


def test_a_manifest_tells_counts_types_and_the_dates_it_touches(lake: Lake, rows: Rows, arrival: MakeArrival) -> None:
    table = lake.commit(arrival(rows([1.0, 2.5])), NOON).tables["readings"]
    assert (table.received, table.accepted, table.quarantined, table.duplicate, table.superseded) == (5, 2, 1, 1, 1)
    assert (table.first_date, table.last_date) == (date(2026, 11, 1), date(2026, 11, 2))
    assert table.columns["kwh"] == "Float64"


def test_a_batch_is_named_by_utc_commit_time_and_content(lake: Lake, rows: Rows, arrival: MakeArrival) -> None:
    brussels = timezone(timedelta(hours=1))
    manifest = lake.commit(arrival(rows([1.0])), datetime(2026, 11, 22, 13, 0, 0, 7, tzinfo=brussels))
    assert manifest.batch_id == f"20261122T120000000007Z-{manifest.content_sha256[:12]}"
    assert manifest.committed_at == manifest.known_at


def test_an_empty_batch_has_no_dates(lake: Lake, rows: Rows, arrival: MakeArrival) -> None:
    manifest = lake.commit(arrival(rows([1.0]).clear()), NOON)
    assert manifest.tables["readings"].first_date is None
    assert lake.read(manifest, "readings", "accepted").height == 0


def test_counts_that_do_not_add_up_commit_nothing(layout: Layout, rows: Rows, arrival: MakeArrival) -> None:
    wrong = Split(7, rows([1.0]), rows([]), 1, 1)
    with pytest.raises(LakeError, match=r"meters: table readings of meters\.csv: 7 rows received, but 1 accepted"):
        Lake(layout.lake).commit(arrival(rows([1.0]), splits={"readings": wrong}), NOON)
    assert Lake(layout.lake).manifests() == []


def test_a_moment_without_a_time_zone_is_refused(lake: Lake, rows: Rows, arrival: MakeArrival) -> None:
    with pytest.raises(LakeError, match="no time zone"):
        lake.commit(arrival(rows([1.0])), NOON.replace(tzinfo=None))


def test_the_same_content_is_found_again_and_no_other(lake: Lake, rows: Rows, arrival: MakeArrival) -> None:
    manifest = lake.commit(arrival(rows([1.0])), NOON)
    assert lake.find("meters", manifest.content_sha256) == manifest
    # equal in the name of the folder, not in the manifest
    assert lake.find("meters", manifest.content_sha256[:12] + "0" * 52) is None
    assert lake.find("other", manifest.content_sha256) is None


def test_the_same_content_at_the_same_moment_is_not_committed_twice(
    lake: Lake, rows: Rows, arrival: MakeArrival
) -> None:
    lake.commit(arrival(rows([1.0])), NOON)
    with pytest.raises(LakeError, match="already committed"):
        lake.commit(arrival(rows([1.0])), NOON)


def test_the_original_file_is_kept_byte_for_byte_instead_of_its_text(
    layout: Layout, rows: Rows, arrival: MakeArrival
) -> None:
    content = "﻿Van;Tot\r\n1,5;2\r\n".encode()
    lake = Lake(layout.lake)
    # a name that tries to leave the batch
    manifest = lake.commit(arrival(rows([1.0]), original=("../../meters.csv", content)), NOON)
    assert lake.original(manifest) == ("meters.csv", content)
    with pytest.raises(LakeError, match=r"keeps the original meters\.csv"):
        lake.read(manifest, "readings", "received")


def test_a_table_that_a_batch_does_not_hold_is_named(lake: Lake, rows: Rows, arrival: MakeArrival) -> None:
    manifest = lake.commit(arrival(rows([1.0])), NOON)
    with pytest.raises(LakeError, match="holds no table invoices"):
        lake.read(manifest, "invoices", "accepted")
    assert lake.original(manifest) is None


def test_a_replay_replaces_its_batch_and_keeps_when_it_was_first_known(
    lake: Lake, rows: Rows, arrival: MakeArrival
) -> None:
    first = lake.commit(arrival(rows([1.0])), NOON)
    again = lake.commit(replace(arrival(rows([1.0])), supersedes=first.batch_id), NOON + timedelta(days=1))
    assert again.batch_id == f"{first.batch_id}.r1"
    assert again.known_at == first.known_at
    assert again.committed_at == NOON + timedelta(days=1)
    assert lake.live() == [again]
    assert lake.manifests() == [first, again]
    assert lake.latest("meters") == lake.find("meters", first.content_sha256) == again


def test_two_replays_of_one_batch_cannot_both_count(lake: Lake, rows: Rows, arrival: MakeArrival) -> None:
    first = lake.commit(arrival(rows([1.0])), NOON)
    replay = replace(arrival(rows([1.0])), supersedes=first.batch_id)
    lake.commit(replay, NOON)
    with pytest.raises(LakeError, match="no live batch"):
        lake.commit(replay, NOON)


def test_the_tenth_replay_comes_after_the_ninth(lake: Lake, rows: Rows, arrival: MakeArrival) -> None:
    newest = lake.commit(arrival(rows([1.0])), NOON)
    for _ in range(10):
        newest = lake.commit(replace(arrival(rows([1.0])), supersedes=newest.batch_id), NOON)
    assert newest.batch_id.endswith(".r10")
    assert [manifest.batch_id[-3:] for manifest in lake.manifests()][-2:] == [".r9", "r10"]
    assert len(lake.replaced_by(newest)) == 10


def test_a_replay_is_numbered_after_those_that_exist() -> None:
    assert replay_id("20261122T1-abc") == "20261122T1-abc.r1"
    assert replay_id("20261122T1-abc.r3") == "20261122T1-abc.r4"
    assert replay_id("20261122T1-abc", ["20261122T1-abc.r1", "20261123T1-def.r8"]) == "20261122T1-abc.r2"


def test_a_half_written_batch_is_not_there_and_is_swept(
    layout: Layout, lake: Lake, rows: Rows, arrival: MakeArrival
) -> None:
    manifest = lake.commit(arrival(rows([1.0])), NOON)
    committed = layout.lake / "meters" / f"batch={manifest.batch_id}"
    shutil.copytree(committed, layout.staging / "20261122T130000000000Z-abc")
    shutil.copytree(committed, layout.lake / "meters" / "batch=copy")
    (layout.lake / "meters" / "batch=copy" / "manifest.json").unlink()
    assert Lake(layout.lake).manifests() == [manifest]
    assert lake.sweep() == 1
    assert list(layout.staging.iterdir()) == []


def test_an_empty_lake_holds_nothing_and_fails_nowhere(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "nowhere")
    assert (lake.manifests(), lake.live(), lake.decisions(), lake.sweep()) == ([], [], [], 0)
    assert lake.latest("meters") is None


def test_a_batch_that_might_not_fit_is_refused_before_the_first_byte(
    layout: Layout, lake: Lake, rows: Rows, arrival: MakeArrival, monkeypatch: pytest.MonkeyPatch
) -> None:
    nearly_full = shutil.disk_usage("/")._replace(free=63 * 2**20)
    monkeypatch.setattr("shutil.disk_usage", lambda _: nearly_full)
    with pytest.raises(DiskFullError, match=r"meters: meters\.csv: 63 MiB free, 65 MiB needed; nothing was written"):
        lake.commit(arrival(rows([1.0])), NOON)
    assert list(layout.staging.iterdir()) == []


def test_a_failing_write_leaves_no_batch_and_no_leftover(
    layout: Layout, lake: Lake, rows: Rows, arrival: MakeArrival
) -> None:
    unwritable = {"no/such/folder": rows([1.0])}
    with pytest.raises(OSError, match="no/such/folder"):
        lake.commit(arrival(rows([1.0]), received=unwritable), NOON)
    assert (lake.manifests(), list(layout.staging.iterdir())) == ([], [])


def test_what_was_said_before_reasons_were_one_text_is_read_as_it_is_now(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    verdicts = pl.DataFrame({"target_id": ["a", "b"], "dq_reasons": [["te laat", "te weinig"], []]})
    lake.commit_decisions("b1", verdicts, {}, NOON)
    said = lake.said(lake.decision("b1"))
    assert said["dq_reasons"].to_list() == ["te laat; te weinig", None]


def test_decisions_are_committed_once_and_are_no_source(layout: Layout, lake: Lake) -> None:
    verdicts = pl.DataFrame({"target_id": ["t1"], "status": ["behind"]})
    facts: dict[str, Any] = {"as_of_date": "2026-11-23", "batches": ["a", "b"]}
    folder = lake.commit_decisions("b1", verdicts, facts, NOON)
    assert lake.commit_decisions("b1", verdicts.clear(), {}, NOON + timedelta(hours=1)) == folder
    lake.commit_decisions("b0", verdicts.clear(), {}, NOON + timedelta(hours=2))
    first, second = Lake(layout.lake).decisions()
    assert (first.build_id, first.committed_at, first.facts) == ("b1", NOON, facts)
    assert_frame_equal(lake.said(first), verdicts)
    assert lake.said(second).height == 0
    assert lake.manifests() == []


def test_a_fact_that_json_cannot_hold_commits_no_decision(layout: Layout, lake: Lake) -> None:
    with pytest.raises(LakeError, match="cannot hold set"):
        lake.commit_decisions("b1", pl.DataFrame(), {"batches": {"a"}}, NOON)
    assert (lake.decisions(), list(layout.staging.iterdir())) == ([], [])


@pytest.mark.chaos
def test_a_writer_killed_anywhere_leaves_a_whole_batch_or_none(
    layout: Layout, die: Callable[[Path, str], list[int]]
) -> None:
    deaths = die(layout.root, "commit")
    assert deaths[-1] == 0, "the last writer met no kill point, so every one was tried"
    assert set(deaths[:-1]) == {-signal.SIGKILL}
    assert len(deaths) > 10
    outcomes = []
    for point in range(1, len(deaths) + 1):
        lake = Lake(layout.root / f"lake-{point}")
        outcomes.append(len(lake.manifests()))
        for manifest in lake.manifests():
            assert lake.read(manifest, "readings", "accepted")["kwh"].sum() == 3.5
        lake.sweep()
        assert list((layout.root / f"lake-{point}").glob(".staging/*")) == []
    assert outcomes == sorted(outcomes), "once committed it stays"
    assert set(outcomes) == {0, 1}
