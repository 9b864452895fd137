"""Dagster's own storage: in the profile, silent to the outside, and one build at a time."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance

from orchestration.defs.build import BUILD_TAG
from orchestration.instance import prepare_instance
from orchestration.settings import Settings, read_settings


@pytest.fixture
def prepared(
    empty_profile: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Settings]:
    """Prepares a profile; what it sets in the environment goes back afterwards."""
    for name in ("DAGSTER_HOME", "ADEMRUIMTE_CITY", "ADEMRUIMTE_HOME"):
        monkeypatch.setenv(name, "nowhere")
    monkeypatch.chdir(tmp_path)

    def prepare(**environment: str) -> Settings:
        settings = empty_profile(**environment)
        prepare_instance(settings)
        return settings

    return prepare


def test_the_file_of_the_instance_lies_in_the_profile(prepared: Callable[..., Settings]) -> None:
    settings = prepared()
    assert os.environ["DAGSTER_HOME"] == str(settings.layout.dagster)
    written = yaml.safe_load((settings.layout.dagster / "dagster.yaml").read_text("utf-8"))
    assert written["telemetry"] == {"enabled": False}


def test_the_processes_that_follow_see_the_same_profile(prepared: Callable[..., Settings]) -> None:
    settings = prepared(ADEMRUIMTE_CITY="terneuzen")
    again = read_settings()
    assert again.city == settings.city
    assert again.layout == settings.layout


def test_a_second_profile_takes_the_place_of_the_first(prepared: Callable[..., Settings]) -> None:
    prepared()
    second = prepared(ADEMRUIMTE_CITY="boston")
    assert read_settings().city.name == "boston"
    assert Path(os.environ["DAGSTER_HOME"]) == second.layout.dagster


def test_preparing_twice_writes_the_same_and_keeps_what_lies_beside_it(prepared: Callable[..., Settings]) -> None:
    settings = prepared()
    file = settings.layout.dagster / "dagster.yaml"
    first = file.read_bytes()
    (settings.layout.dagster / "history.db").write_text("runs")
    prepare_instance(settings)
    assert file.read_bytes() == first
    assert (settings.layout.dagster / "history.db").read_text() == "runs"


def test_a_folder_that_was_removed_is_made_again(prepared: Callable[..., Settings]) -> None:
    settings = prepared()
    (settings.layout.dagster / "dagster.yaml").unlink()
    settings.layout.dagster.rmdir()
    prepare_instance(settings)
    assert (settings.layout.dagster / "dagster.yaml").is_file()


def test_dagster_reads_what_was_written(prepared: Callable[..., Settings]) -> None:
    settings = prepared()
    with DagsterInstance.get() as instance:
        assert Path(instance.root_directory) == settings.layout.dagster
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds > 0
        assert instance.run_monitoring_start_timeout_seconds + instance.run_monitoring_poll_interval_seconds < 60
        queue = instance.get_concurrency_config().run_queue_config
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
    (limit,) = queue.tag_concurrency_limits
    assert {limit["key"]: limit["value"]} == BUILD_TAG, "the limit counts the runs that carry the tag of a build"
    assert limit["limit"] == 1
    assert queue.max_concurrent_runs >= 2, "a landing goes on while a build runs"
