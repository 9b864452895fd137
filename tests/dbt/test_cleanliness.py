"""On clean data dbt says nothing: no warning, no deprecation, in parsing or in building."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.marts.keys import DATE_KEY
from contracts.registry import all_cities
from orchestration.dbt_project import seed_paths
from tests.dbt.warehouses import PROJECT, Built

# a run hook and a seed have no verdict of their own
CLEAN = {"success", "pass", "no-op"}


@pytest.fixture(scope="module")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], list[str]]:
    """Parses a dbt project from nothing and returns what dbt warns about."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - a second of import
    from dbt.deprecations import reset_deprecations  # noqa: PLC0415 - as above

    def run(project: Path) -> list[str]:
        said: list[str] = []

        def hear(event: Any) -> None:  # noqa: ANN401 - dbt publishes no type for its events
            if event.info.level in {"warn", "error"} or "Deprecat" in event.info.name:
                said.append(f"{event.info.name}: {event.info.msg}")

        target = tmp_path_factory.mktemp("parsed")
        paths = ["--project-dir", project, "--profiles-dir", PROJECT, "--target-path", target, "--log-path", target]
        flags = ["--no-partial-parse", "--show-all-deprecations", "--quiet", "--no-version-check"]
        dbtRunner(callbacks=[hear]).invoke(["parse", *flags, *map(str, paths)])
        # dbt keeps them for the process, and would tell the next build of them
        reset_deprecations()
        return said

    return run


@pytest.mark.parametrize("city", all_cities())
def test_the_project_of_a_city_parses_without_a_warning_or_a_deprecation(
    parse: Callable[[Path], list[str]], monkeypatch: pytest.MonkeyPatch, city: str
) -> None:
    monkeypatch.setenv("ADEMRUIMTE_SEEDS", ",".join(seed_paths(city)))
    assert parse(PROJECT) == []


def test_the_columns_of_a_kpi_are_described_once() -> None:
    text = "".join(path.read_text("utf-8") for path in sorted((PROJECT / "models" / "marts" / "kpi").glob("_kpi*.yml")))
    described = {model["name"]: model for model in yaml.safe_load(text)["models"]}
    everything = described["fct_kpi_observations"]
    assert len(described) > 11
    columns = [column for column in everything["columns"] if column["name"] != DATE_KEY]
    one_kpi = [model for model in described.values() if model is not everything]
    assert all(model["columns"] == columns for model in one_kpi), "only what readers see stands in the calendar"
    key, *_ = everything["data_tests"]
    assert all(model["data_tests"] == [key] for model in one_kpi)
    assert [text.count(f"  name: {column['name']}\n") for column in columns] == [1] * 16


def test_a_deprecation_would_be_seen(parse: Callable[[Path], list[str]], tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    # or dbt would call home, and leave a cookie beside the profile
    silent = "flags: {send_anonymous_usage_stats: false}\n"
    (tmp_path / "dbt_project.yml").write_text(f"name: small\nversion: '1.0.0'\nprofile: ademruimte\n{silent}", "utf-8")
    (models / "one.sql").write_text("select 1 as digit", "utf-8")
    old = "[{name: one, columns: [{name: digit, data_tests: [{accepted_values: {values: [1]}}]}]}]"
    (models / "one.yml").write_text(f"models: {old}", "utf-8")
    assert [said.partition(":")[0] for said in parse(tmp_path)] == [
        "MissingArgumentsPropertyInGenericTestDeprecation",
        "DeprecationsSummary",
    ]


def test_every_node_of_a_build_on_clean_data_ends_clean(built: Built) -> None:
    for name, run in (("measured", built.measured), ("judged", built.judged)):
        unclean = {node: status for node, status in run.statuses.items() if status not in CLEAN}
        assert (name, unclean, run.warnings) == (name, {}, [])
