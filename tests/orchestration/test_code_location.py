"""The code location as the web server and the daemon receive it: over the border of a process."""

import os
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import JobDataSnap, RepositorySnap

from orchestration.definitions import defs
from orchestration.settings import Settings, read_settings


@pytest.fixture
def repository(demo: Settings, monkeypatch: pytest.MonkeyPatch) -> dg.RepositoryDefinition:
    for name, value in demo.environment.items():
        monkeypatch.setenv(name, value)
    return defs().get_repository_def()


def test_the_whole_repository_passes_the_border_of_the_code_server(repository: dg.RepositoryDefinition) -> None:
    sent = dg.serialize_value(RepositorySnap.from_def(repository))
    received = dg.deserialize_value(sent, RepositorySnap)
    assert {node.asset_key for node in received.asset_nodes} == set(repository.asset_graph.get_all_asset_keys())
    assert {sensor.name for sensor in received.sensors} >= {"build_due", "indicators_drop", "outbox_waits"}
    assert received.schedules


def test_no_secret_passes_the_border(demo: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("ADEMRUIMTE_SMTP_PASSWORD", "ADEMRUIMTE_CHARGE_POINTS_TOKEN", "ADEMRUIMTE_INDICATORS_TOKEN")
    for name, value in (demo.environment | dict.fromkeys(secrets, "zeer-geheim")).items():
        monkeypatch.setenv(name, value)
    repository = defs().get_repository_def()
    assert read_settings().environment["ADEMRUIMTE_SMTP_PASSWORD"] == "zeer-geheim"
    sent = [dg.serialize_value(RepositorySnap.from_def(repository))]
    sent += [
        dg.serialize_value(JobDataSnap.from_job_def(job, include_parent_snapshot=True))
        for job in repository.get_all_jobs()
    ]
    assert "zeer-geheim" not in "".join(sent)


# a second process that loads all definitions
@pytest.mark.door
def test_dagster_tells_of_a_misspelt_setting_where_it_starts(demo: Settings) -> None:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "orchestration.definitions"]
    misspelt = {**os.environ, **demo.environment, "ADEMRUIMTE_SMTP_HSOT": "mail.stad.test"}
    told = subprocess.run(command, env=misspelt, capture_output=True, check=True, text=True).stderr
    assert "ADEMRUIMTE_SMTP_HSOT is no setting and is passed over; did you mean ADEMRUIMTE_SMTP_HOST?" in told


def test_every_job_passes_the_border_of_the_code_server(repository: dg.RepositoryDefinition) -> None:
    for job in repository.get_all_jobs():
        sent = dg.serialize_value(JobDataSnap.from_job_def(job, include_parent_snapshot=True))
        assert dg.deserialize_value(sent, JobDataSnap).name == job.name
