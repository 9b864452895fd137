"""The plan: the same batches, code and date are the same build, and anything else makes one due."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from orchestration.dbt_project import DBT_PROJECT
from orchestration.loop import plan as planning
from orchestration.loop.plan import Plan, last_decision, make_plan, why_due
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW, settings_in
from warehouse.batch import Arrival, Manifest
from warehouse.lake import Lake
from warehouse.published.pointer import flip, stage

Profile = Callable[..., Settings]


def commit_batch(settings: Settings, content: str, supersedes: str | None = None) -> Manifest:
    """A batch without rows: a plan looks at its name only."""
    arrival = Arrival(
        source="indicators",
        origin=f"{content}.csv",
        supplied_at=NOW,
        complete_until=None,
        content_sha256=hashlib.sha256(content.encode()).hexdigest(),
        contract_version=1,
        key_id=None,
        received={},
        original=None,
        splits={},
        dropped_columns={},
        redactions=0,
        supersedes=supersedes,
    )
    return Lake(settings.layout.lake).commit(arrival, NOW)


def commit_build(settings: Settings, plan: Plan, now: datetime = NOW) -> None:
    """The decisions of a build that said nothing."""
    facts = {"fingerprint": plan.fingerprint, "batches": list(plan.batches), "as_of_date": plan.as_of.isoformat()}
    Lake(settings.layout.lake).commit_decisions(plan.build_id, pl.DataFrame({"target_id": []}), facts, now)


def commit_and_publish(settings: Settings) -> Plan:
    plan = make_plan(settings, NOW)
    commit_build(settings, plan)
    stage(settings.layout.published, plan.build_id, lambda folder: (folder / "file").touch())
    flip(settings.layout.published, plan.build_id)
    return plan


def on(settings: Settings, day: date) -> Settings:
    return settings.model_copy(update={"fixed_as_of": day})


def fingerprint(settings: Settings) -> str:
    return make_plan(settings, NOW).fingerprint


@pytest.fixture
def own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the SQL, the seeds and the contracts that a test may change; the plan looks there."""
    root = tmp_path / "code"
    for folder in (DBT_PROJECT, DBT_PROJECT.parent / "contracts"):
        shutil.copytree(folder, root / folder.name, ignore=shutil.ignore_patterns("target", "logs", "__pycache__"))
    rules = root / "orchestration" / "quality.py"
    rules.parent.mkdir()
    shutil.copyfile(DBT_PROJECT.parent / "orchestration" / "quality.py", rules)
    monkeypatch.setattr(planning, "_QUALITY", rules)
    monkeypatch.setattr(planning, "DBT_PROJECT", root / DBT_PROJECT.name)
    monkeypatch.setattr(planning, "_CODE_FOLDERS", (root / DBT_PROJECT.name, root / "contracts"))
    return root


# --- what a build is made of ------------------------------------------------------------------------------------


def test_the_same_inputs_give_the_same_fingerprint_at_another_moment(empty_profile: Profile) -> None:
    settings = empty_profile()
    commit_batch(settings, "a")
    first, second = make_plan(settings, NOW), make_plan(settings, LATER)
    assert first.fingerprint == second.fingerprint
    assert first.build_id != second.build_id


def test_the_fingerprint_does_not_depend_on_the_folder_of_the_profile(tmp_path: Path) -> None:
    here, there = (settings_in(tmp_path / name, {}) for name in ("here", "there"))
    for settings in (here, there):
        settings.layout.create()
        commit_batch(settings, "a")
    assert fingerprint(here) == fingerprint(there)


def test_a_new_batch_changes_the_fingerprint(empty_profile: Profile) -> None:
    settings = empty_profile()
    seen = [fingerprint(settings)]
    for content in ("a", "b"):
        commit_batch(settings, content)
        seen.append(fingerprint(settings))
    assert len(set(seen)) == 3


def test_the_date_and_the_city_change_the_fingerprint(empty_profile: Profile) -> None:
    settings = empty_profile()
    elsewhere = empty_profile(ADEMRUIMTE_CITY="terneuzen")
    assert elsewhere.as_of(NOW) == settings.as_of(NOW)
    assert len({fingerprint(settings), fingerprint(on(settings, date(2026, 11, 24))), fingerprint(elsewhere)}) == 3


def test_a_replay_takes_the_place_of_its_batch_in_the_plan(empty_profile: Profile) -> None:
    settings = empty_profile()
    first, other = commit_batch(settings, "a"), commit_batch(settings, "b")
    again = commit_batch(settings, "a", supersedes=first.batch_id)
    assert set(make_plan(settings, NOW).batches) == {other.batch_id, again.batch_id}


def test_a_build_is_named_by_its_utc_moment_and_its_fingerprint(empty_profile: Profile) -> None:
    settings = empty_profile()
    plan = make_plan(settings, NOW.replace(microsecond=1))
    assert plan.build_id == f"20261123T060000000001Z-{plan.fingerprint[:12]}"
    assert plan.as_of == date(2026, 11, 23)
    assert make_plan(settings, LATER).build_id > plan.build_id


@pytest.mark.parametrize(
    "path",
    [
        "contracts/vocabulary.py",
        "dbt_project/dbt_project.yml",
        "dbt_project/new_model.sql",
        "dbt_project/new_seed.csv",
        "orchestration/quality.py",
    ],
)
def test_a_changed_contract_model_seed_or_rule_of_the_exit_is_other_code(own_code: Path, path: str) -> None:
    before = planning.code_version()
    with (own_code / path).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert planning.code_version() != before


def test_a_renamed_model_is_other_code(own_code: Path) -> None:
    before = planning.code_version()
    model = min(own_code.rglob("*.sql"))
    model.rename(model.with_stem(f"{model.stem}_other"))
    assert planning.code_version() != before


@pytest.mark.parametrize(
    "path",
    [
        "dbt_project/target/compiled/model.sql",
        "dbt_project/logs/dbt.yml",
        "dbt_project/.user.yml",
        "contracts/READ.md",
    ],
)
def test_what_dbt_makes_and_what_people_read_is_no_code(own_code: Path, path: str) -> None:
    before = planning.code_version()
    (own_code / path).parent.mkdir(parents=True, exist_ok=True)
    (own_code / path).write_text("select 1", encoding="utf-8")
    assert planning.code_version() == before


def test_the_time_of_a_file_is_not_part_of_the_code(own_code: Path) -> None:
    before = planning.code_version()
    for path in own_code.rglob("*.sql"):
        os.utime(path, (0, 0))
    assert planning.code_version() == before


# --- when a build is due ----------------------------------------------------------------------------------------


def test_an_empty_profile_is_due_because_nothing_was_built(empty_profile: Profile) -> None:
    settings = empty_profile()
    assert last_decision(settings) is None
    assert why_due(settings, NOW) == "nothing was built yet"


def test_a_committed_build_that_nobody_sees_is_due_by_name(empty_profile: Profile) -> None:
    settings = empty_profile()
    plan = make_plan(settings, NOW)
    commit_build(settings, plan)
    assert why_due(settings, NOW) == f"build {plan.build_id} is committed but not published"


def test_nothing_is_due_while_the_inputs_stay_the_same(empty_profile: Profile) -> None:
    settings = empty_profile()
    commit_batch(settings, "a")
    commit_and_publish(settings)
    assert why_due(settings, NOW) is None
    assert why_due(settings, NOW + timedelta(days=40)) is None, "the date of this profile is fixed"


def test_the_batches_that_came_are_counted(empty_profile: Profile) -> None:
    settings = empty_profile()
    plan = commit_and_publish(settings)
    for content in ("a", "b", "c"):
        commit_batch(settings, content)
    assert why_due(settings, NOW) == f"3 batches came or went since build {plan.build_id}"


def test_a_replay_is_one_batch_that_came_and_one_that_went(empty_profile: Profile) -> None:
    settings = empty_profile()
    first = commit_batch(settings, "a")
    commit_and_publish(settings)
    commit_batch(settings, "a", supersedes=first.batch_id)
    assert (why_due(settings, NOW) or "").startswith("2 batches came or went")


def test_batches_are_named_before_a_date_that_moved_too(empty_profile: Profile) -> None:
    settings = empty_profile()
    commit_and_publish(settings)
    tomorrow = on(settings, date(2026, 11, 24))
    assert why_due(tomorrow, NOW) == "the date moved to 2026-11-24"
    commit_batch(settings, "a")
    assert "batches" in (why_due(tomorrow, NOW) or "")


def test_changed_code_makes_a_build_due(empty_profile: Profile, own_code: Path) -> None:
    settings = empty_profile()
    commit_and_publish(settings)
    assert why_due(settings, NOW) is None
    (own_code / "dbt_project" / "more.sql").write_text("select 1", encoding="utf-8")
    assert why_due(settings, NOW) == "code or seeds changed"


def test_the_last_decision_is_the_one_committed_last_whatever_its_name(empty_profile: Profile) -> None:
    settings = empty_profile()
    plan = make_plan(settings, NOW)
    commit_build(settings, replace(plan, build_id="z-first"), NOW)
    commit_build(settings, replace(plan, build_id="a-second"), LATER)
    last = last_decision(settings)
    assert last is not None
    assert last.build_id == "a-second"


def test_a_tick_opens_the_newest_decision_only_however_many_there_are(empty_profile: Profile) -> None:
    settings = empty_profile()
    plan = make_plan(settings, NOW)
    for minute in range(5):
        commit_build(settings, replace(plan, build_id=f"b{minute}"), NOW + timedelta(minutes=minute))
        assert last_decision(settings) is not None
    decisions = settings.layout.lake / "decisions"
    for minute in range(4):
        (decisions / f"batch=b{minute}" / "manifest.json").write_text("never opened again", encoding="utf-8")
    last = last_decision(settings)
    assert last is not None
    assert last.build_id == "b4"


@pytest.mark.parametrize("kept", [None, "{", "[]", '{"gone": "2030-01-01T00:00:00+00:00"}'])
def test_which_build_is_the_newest_follows_from_the_decisions_alone(empty_profile: Profile, kept: str | None) -> None:
    settings = empty_profile()
    plan = make_plan(settings, NOW)
    commit_build(settings, replace(plan, build_id="z-first"), NOW)
    commit_build(settings, replace(plan, build_id="a-second"), LATER)
    assert last_decision(settings) is not None
    (file,) = (settings.layout.lake / "decisions").glob(".*")
    file.unlink()
    if kept is not None:
        file.write_text(kept, encoding="utf-8")
    last = last_decision(settings)
    assert last is not None
    assert last.build_id == "a-second"
    assert "z-first" in file.read_text("utf-8")


def test_a_tick_opens_no_batch_that_an_earlier_one_opened(empty_profile: Profile) -> None:
    settings = empty_profile()
    for content in ("c", "a", "b"):
        first = commit_batch(settings, content)
        for _ in range(11 if content == "b" else 1):
            first = commit_batch(settings, content, supersedes=first.batch_id)
    lake = Lake(settings.layout.lake)
    live = [manifest.batch_id for manifest in lake.live()]
    for manifest in lake.manifests():
        file = settings.layout.lake / manifest.source / f"batch={manifest.batch_id}" / "manifest.json"
        written_ns = file.stat().st_mtime_ns
        file.write_text("never opened again", encoding="utf-8")
        os.utime(file, ns=(written_ns, written_ns))
    assert make_plan(settings, NOW).batches == tuple(live)
    assert len(live) == 3
