"""A profile outlives the version that made it: the next one opens it, builds, and takes back nothing that was said.

`tests/golden/profile_of_this_version.py` tells how the profile is made. What a version truly says otherwise about it
stands in `CHANGED`, with the reason in that version's changelog.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.loop.build import build
from orchestration.report import published_frame
from orchestration.settings import Settings, read_settings
from warehouse.lake import Lake
from warehouse.lake_format import FORMAT
from warehouse.published.pointer import current
from warehouse.state import VERSION, State

PACKED = Path(__file__).parents[1] / "golden" / "profile_of_main.tar.gz"
ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
# 2.6 deaths are a rate where a count belongs: the figure is doubted from its first value on (method 2)
# two later promises are measured by the figure of the first, which was delivered all along (method 3)
# nothing is behind in its first two years (method 4)
CHANGED: frozenset[str] = frozenset({"hedge_remaining_m", "road_deaths", "sewer_connections_total", "wind_mw_2050"})
# a later promise leads along the earlier one and shares its figure; what is measured comes before what is typed in
REDEFINED = frozenset(
    {
        "co2_neutral_2050",
        "co2_territory_2040",
        "own_buildings_co2_2030_vs_2015",
        "own_buildings_co2_2030_vs_2019",
        "own_buildings_ghg_2030",
        "pv_parkings_2050",
        "renovation_custom_trajectories",
        "sewer_connections_total",
        "wind_mw_2050",
    }
)


@pytest.fixture
def earlier(tmp_path: Path) -> Settings:
    """The profile as the main branch left it; its warehouse and published builds are made again."""
    root = tmp_path / "var" / "kortrijk"
    root.mkdir(parents=True)
    shutil.unpack_archive(PACKED, root)
    return read_settings({"ADEMRUIMTE_HOME": str(root.parent)})


def test_the_profile_is_small_and_of_a_version_before_this_one(earlier: Settings) -> None:
    assert PACKED.stat().st_size < 300_000
    assert {path.name for path in earlier.layout.root.iterdir()} == {"lake", "state.sqlite", "secrets", "SYNTHETIC"}
    assert {manifest.source for manifest in Lake(earlier.layout.lake).live()} == {"indicators", "tickets_1777"}
    assert len(Lake(earlier.layout.lake).decisions()) == 2


def test_the_state_of_an_earlier_version_keeps_everything_it_holds(earlier: Settings) -> None:
    before = _rows(earlier.layout.state)
    with State(earlier.layout.state) as state:
        assert [each.origin for each in state.refusals()] == ["geen_indicatoren.csv"]
        assert [each.source for each in state.progress()] == ["indicators", "tickets_1777"]
        assert state.memory("tickets_1777").content
    after = _rows(earlier.layout.state)
    assert before
    # what this version adds stands behind what there was
    for table, rows in before.items():
        assert [new[: len(old)] for new, old in zip(after[table], rows, strict=True)] == rows, table
    assert _version(earlier.layout.state) == VERSION


@pytest.mark.builds  # a whole build from an empty warehouse
def test_the_next_version_builds_on_it_and_every_verdict_stays_said(earlier: Settings) -> None:
    lake = Lake(earlier.layout.lake)
    before = [(decision.build_id, lake.said(decision)) for decision in lake.decisions()]
    with State(earlier.layout.state) as state:
        told = {row.message_key for row in state.unsent()}
    built = build(earlier, NOW)
    decisions = Lake(earlier.layout.lake).decisions()
    assert current(earlier.layout.published) == built.plan.build_id == decisions[-1].build_id
    assert len(decisions) == len(before) + 1
    for (build_id, said), decision in zip(before, decisions, strict=False):
        assert decision.build_id == build_id
        assert lake.said(decision).equals(said)
    said = lake.said(decisions[-1])
    assert set(said.filter("method_changed")["target_id"]) == CHANGED
    new = set(said["target_id"]) - {target_id for _, rows in before for target_id in rows["target_id"]}
    assert len(new) == 19
    disputed = set(said.filter("is_disputed")["target_id"])
    assert set(said["target_id"]) == new | CHANGED | REDEFINED | disputed
    listed = published_frame(earlier, "verdicts.fct_method_changes")
    former = {target_id: status for _, rows in before for target_id, status in rows["target_id", "status"].rows()}
    # over all departments, and nothing else
    assert dict(listed["target_id", "former_status"].rows()) == {name: former[name] for name in CHANGED}
    with State(earlier.layout.state) as state:
        now_told = state.unsent()
    fresh = [row for row in now_told if row.message_key not in told]
    assert len(now_told) == len(told) + len(fresh), "nobody is written to twice"
    # klimaat has a digest of this week already; others hear of what is at risk, which no version told before
    assert {row.period for row in fresh} == {"2026-W49"}
    assert "klimaat" not in {row.department_id for row in fresh}
    assert [row.department_id for row in fresh if "anders beoordeeld" in row.subject] == ["groen", "mobiliteit"]
    assert (earlier.layout.lake / "FORMAT").read_text("utf-8") == f"{FORMAT}\n"


def _newer_lake(settings: Settings) -> None:
    (settings.layout.lake / "FORMAT").write_text(f"{FORMAT + 1}\n", encoding="utf-8")


def _newer_state(settings: Settings) -> None:
    with sqlite3.connect(settings.layout.state) as con:
        con.execute(f"pragma user_version = {VERSION + 1}")


@pytest.mark.parametrize(
    ("makes_newer", "words"), [(_newer_lake, ["batches"]), (_newer_lake, ["build"]), (_newer_state, ["send"])]
)
def test_a_profile_of_a_newer_version_is_refused_in_a_sentence(
    earlier: Settings, makes_newer: Callable[[Settings], None], words: list[str]
) -> None:
    makes_newer(earlier)
    said = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *words],
        env={**os.environ, **earlier.environment, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        cwd=earlier.layout.root,
        timeout=timedelta(minutes=2).total_seconds(),
    )
    assert said.returncode == 1
    assert "was written by a newer version of Ademruimte" in said.stdout
    assert "Traceback" not in said.stdout + said.stderr


def _rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(path) as con:
        tables = [name for (name,) in con.execute("select name from sqlite_master where type = 'table'")]
        # the names are the file's own
        return {name: con.execute(f"select * from {name} order by 1, 2").fetchall() for name in tables}


def _version(path: Path) -> int:
    with sqlite3.connect(path) as con:
        return int(con.execute("pragma user_version").fetchone()[0])
