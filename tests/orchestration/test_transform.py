"""dbt in this process: what it is told, where it writes, and what becomes of a command it cannot do."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orchestration.dbt_project import DBT_PROJECT
from orchestration.loop.selection import JUDGE
from orchestration.loop.transform import TransformError, build_models, parse
from orchestration.settings import Settings
from warehouse.engine import connect

DAY = date(2026, 11, 23)


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """dbt's file and city are set for the process: here they go back afterwards."""
    monkeypatch.setenv("ADEMRUIMTE_WAREHOUSE", "nowhere")
    monkeypatch.setenv("ADEMRUIMTE_CITY", "kortrijk")


@pytest.fixture(scope="module")
def target(demo: Settings) -> Path:
    return demo.layout.dbt / "target"


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


@pytest.mark.usefixtures("own_environment")
def test_a_command_that_dbt_does_not_know_stops_with_dbts_own_words(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    with pytest.raises(TransformError, match=r"dbt stopped: No such option.*--no-such-option"):
        build_models(settings, DAY, ["--no-such-option"])
    with connect(settings.layout.warehouse) as con:
        assert con.execute("select 1").fetchone() == (1,)


@pytest.mark.usefixtures("own_environment")
def test_dbt_works_with_the_seeds_of_the_city_of_the_profile(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile(ADEMRUIMTE_CITY="terneuzen")
    manifest = json.loads(parse(settings).read_text("utf-8"))
    assert manifest["nodes"]["seed.ademruimte.areas"]["original_file_path"] == "seeds/terneuzen/areas.csv"


def test_dbt_leaves_the_environment_as_it_was(empty_profile: Callable[..., Settings]) -> None:
    before = dict(os.environ)
    with pytest.raises(TransformError):
        build_models(empty_profile(ADEMRUIMTE_CITY="terneuzen"), DAY, ["--no-such-option"])
    assert dict(os.environ) == before


def test_a_build_tells_dbt_its_date_and_its_city(target: Path) -> None:
    assert read(target / "run_results.json")["args"]["vars"] == {"as_of_date": "2026-11-23", "city": "kortrijk"}


def test_what_dbt_makes_lies_in_the_profile_and_not_in_the_project(target: Path, demo: Settings) -> None:
    assert (target / "manifest.json").is_file()
    assert list((target / "compiled").rglob("*.sql"))
    arguments = read(target / "run_results.json")["args"]
    assert Path(arguments["project_dir"]) == DBT_PROJECT
    assert Path(arguments["target_path"]) == target
    assert Path(arguments["log_path"]).is_relative_to(demo.layout.root)


def test_the_next_process_of_a_profile_parses_nothing_again_unless_what_was_kept_is_torn(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile(ADEMRUIMTE_CITY="terneuzen")
    of_older_code = settings.layout.dbt / "parsed-0123456789abcdef.msgpack"
    of_older_code.touch()

    def prepare() -> tuple[Path, int]:
        """The manifest that is kept, and which file that is on the disk: writing it again gives another."""
        home = {"ADEMRUIMTE_HOME": str(settings.layout.root.parent), "ADEMRUIMTE_CITY": "terneuzen"}
        command = [sys.executable, "-m", "orchestration.cli", "prepare"]
        subprocess.run(command, env={**os.environ, **home}, check=True, capture_output=True)
        (kept,) = settings.layout.dbt.glob("parsed-*.msgpack")
        return kept, kept.stat().st_ino

    first = prepare()
    (settings.layout.dbt / "target" / "manifest.json").unlink()
    assert prepare() == first
    assert first[0] != of_older_code
    assert (settings.layout.dbt / "target" / "manifest.json").is_file()
    # as a power cut leaves it: of its length, and empty behind some point
    whole = first[0].read_bytes()
    first[0].write_bytes(whole[:4096] + bytes(len(whole) - 4096))
    assert prepare()[0] == first[0]
    assert first[0].read_bytes()[4096:8192].strip(b"\0"), "parsed anew"


def test_the_last_step_judges_and_measures_nothing_again(target: Path) -> None:
    nodes = read(target / "manifest.json")["nodes"]
    done = [nodes[result["unique_id"]] for result in read(target / "run_results.json")["results"]]
    models = [node for node in done if node["resource_type"] == "model"]
    assert any(node["name"] == "fct_target_verdicts" for node in models)
    assert all("judge" in node["tags"] for node in models), [node["name"] for node in models]


def test_a_build_runs_no_unit_test_though_the_project_has_some(target: Path) -> None:
    assert read(target / "manifest.json")["unit_tests"]
    done = {result["unique_id"].split(".")[0] for result in read(target / "run_results.json")["results"]}
    assert "model" in done
    assert "unit_test" not in done


@pytest.fixture
def load() -> Iterator[None]:
    """As many idle wheels as a machine of four cores has."""
    wheels = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    yield
    for wheel in wheels:
        wheel.kill()
        wheel.wait()


@pytest.mark.chaos
@pytest.mark.usefixtures("load", "own_environment")
def test_under_load_no_step_meets_a_connection_that_another_holds(own_demo: Settings) -> None:
    # JUDGED=200 looks longer
    for _ in range(int(os.environ.get("JUDGED", "1"))):
        build_models(own_demo, DAY, JUDGE)
        spans = sorted(_spans(read(own_demo.layout.dbt / "target" / "run_results.json")["results"]))
        assert len(spans) > 10
        # two nodes at a time are two calls on what dbt shares between its threads
        assert all(ended <= began for (_, ended), (began, _) in pairwise(spans))


def _spans(results: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    steps = (step for result in results for step in result["timing"] if step["name"] == "execute")
    yield from ((step["started_at"], step["completed_at"]) for step in steps)


@pytest.mark.usefixtures("own_environment")
def test_dbt_keeps_to_the_memory_that_is_set(own_demo: Settings) -> None:
    with pytest.raises(TransformError, match=r"(?i)memory"):
        build_models(own_demo.model_copy(update={"memory": "1MB"}), DAY, JUDGE)


def test_a_warehouse_that_dbt_left_can_be_opened_at_once(demo: Settings) -> None:
    with connect(demo.layout.warehouse, read_only=True) as con:
        assert con.execute("select as_of_date from landing.build").fetchall() == [(DAY,)]
