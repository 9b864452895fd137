"""dbt's nodes as assets: every table has the key of who writes it, and every test is a check of what it tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from contracts.registry import all_contracts
from orchestration.dbt_project import DBT_PROJECT
from orchestration.factories.dbt_assets import DQ_VERDICT, LOADED, CityTranslator, dbt_events, manifest_path
from orchestration.loop.transform import NodeResult, Transformed
from orchestration.settings import Settings

TREES = dg.AssetKey(["marts", "dim_tree"])
MODEL = "model.ademruimte.dim_tree"
VIEW = "model.ademruimte.stg_trees"
SEED = "seed.ademruimte.areas"
FAILS, PASSES, WARNS = (f"test.ademruimte.{name}" for name in ("no_tree_twice", "every_tree_stands", "trees_are_old"))
NODES = {
    MODEL: {"resource_type": "model", "schema": "marts", "name": "dim_tree", "config": {"materialized": "table"}},
    VIEW: {"resource_type": "model", "schema": "staging", "name": "stg_trees", "config": {"materialized": "view"}},
    SEED: {"resource_type": "seed", "schema": "seeds", "name": "areas", "config": {"materialized": "seed"}},
    **{
        name: {"resource_type": "test", "schema": "quality_tests", "name": name.split(".")[-1]}
        for name in (FAILS, PASSES, WARNS)
    },
}


@pytest.fixture(scope="module")
def manifest(demo: Settings) -> dict[str, Any]:
    """What dbt says of our own project."""
    content: dict[str, Any] = json.loads((demo.layout.dbt / "target" / "manifest.json").read_text("utf-8"))
    return content


def nodes_of(manifest: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = {**manifest["nodes"], **manifest["sources"]}
    return {name: node for name, node in found.items() if node["resource_type"] == kind}


def specs_of(manifest: dict[str, Any], kind: str) -> dict[str, dg.AssetSpec]:
    """The asset of every node of a kind, by the node's name as schema.name."""
    translator = CityTranslator()
    return {
        f"{node['schema']}.{node['name']}": translator.get_asset_spec(manifest, unique_id, None)
        for unique_id, node in nodes_of(manifest, kind).items()
    }


# --- keys and groups --------------------------------------------------------------------------------------------


def test_a_landing_table_is_the_asset_of_its_source(manifest: dict[str, Any]) -> None:
    keys = {spec.key for spec in specs_of(manifest, "source").values()} - {LOADED, DQ_VERDICT}
    landed = {
        dg.AssetKey(["landing", contract.name, table.name])
        for contract in all_contracts().values()
        for table in contract.tables
    }
    assert keys
    assert keys <= landed, "a source that no contract delivers would be an asset that nobody makes"


def test_the_tables_that_the_loader_writes_share_its_key(manifest: dict[str, Any]) -> None:
    specs = specs_of(manifest, "source")
    own = {name for name, spec in specs.items() if spec.key == LOADED}
    assert {"landing.build", "landing.city_days"} <= own
    assert not any("__" in name for name in own)


def test_the_verdict_on_quality_is_made_between_measure_and_judge(manifest: dict[str, Any]) -> None:
    assert specs_of(manifest, "source")["quality.dq_verdict"].key == DQ_VERDICT
    readers = [
        node["tags"]
        for node in nodes_of(manifest, "model").values()
        if any(name.endswith("dq_verdict") for name in node["depends_on"]["nodes"])
    ]
    assert readers
    assert all("judge" in tags for tags in readers)


def test_a_model_is_named_by_its_schema_and_grouped_by_its_folder(manifest: dict[str, Any]) -> None:
    specs = specs_of(manifest, "model")
    folders = {path.name for path in (DBT_PROJECT / "models").iterdir() if path.is_dir()}
    assert {spec.group_name for spec in specs.values()} == folders
    for name, spec in specs.items():
        assert spec.key.path == name.split(".")
    assert specs["verdicts.fct_target_verdicts"].group_name == "verdicts"


def test_seeds_stand_in_a_group_of_their_own(manifest: dict[str, Any]) -> None:
    specs = specs_of(manifest, "seed")
    assert specs
    assert {spec.group_name for spec in specs.values()} == {"seeds"}


def test_no_two_models_or_seeds_share_a_key(manifest: dict[str, Any]) -> None:
    keys = [spec.key for kind in ("model", "seed") for spec in specs_of(manifest, kind).values()]
    assert len(set(keys)) == len(keys) > 20


# --- results as events ------------------------------------------------------------------------------------------


def run(*results: NodeResult, checks: tuple[str, ...] = ("no_tree_twice", "every_tree_stands")) -> Any:  # noqa: ANN401 - dagster's result
    """A step of Dagster that reports these results of dbt."""

    tests = [
        {"unique_id": each.unique_id, "status": each.status, "message": each.message}
        for each in results
        if each.unique_id.startswith("test.")
    ]

    @dg.multi_asset(
        specs=[dg.AssetSpec(TREES)],
        check_specs=[dg.AssetCheckSpec(name, asset=TREES) for name in checks],
    )
    def measure(context: dg.AssetExecutionContext) -> Iterator[object]:
        yield from dbt_events(context, Transformed(results, {"nodes": NODES}, tests))

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return dg.materialize([measure], run_config=quiet, raise_on_error=False)


def good(*names: str) -> list[NodeResult]:
    return [NodeResult(name, "pass", "", 0.1) for name in names]


def test_a_failing_test_is_a_check_that_did_not_pass_with_dbts_message() -> None:
    done = run(NodeResult(FAILS, "warn", "Got 3 results, configured to warn if != 0", 0.2), *good(PASSES))
    assert done.success, "a failing test on data is a fact about the data, not a failure of the step"
    checks = {check.check_name: check for check in done.get_asset_check_evaluations()}
    assert {name: check.passed for name, check in checks.items()} == {"no_tree_twice": False, "every_tree_stands": True}
    failing = checks["no_tree_twice"]
    assert failing.asset_key == TREES
    assert failing.severity is dg.AssetCheckSeverity.WARN
    assert failing.metadata["message"].value == "Got 3 results, configured to warn if != 0"


@pytest.mark.parametrize("status", ["fail", "error", "warn", "skipped"])
def test_a_test_that_did_not_pass_is_never_shown_as_passed(status: str) -> None:
    done = run(NodeResult(FAILS, status, "why", 0.0), checks=("no_tree_twice",))
    (check,) = done.get_asset_check_evaluations()
    assert not check.passed


def test_a_model_and_a_seed_are_materialized_with_their_seconds() -> None:
    done = run(NodeResult(SEED, "success", "", 0.5), NodeResult(MODEL, "success", "", 2.5), checks=())
    seconds = {
        event.asset_key: event.materialization.metadata["seconds"].value
        for event in done.get_asset_materialization_events()
    }
    assert seconds == {TREES: 2.5, dg.AssetKey(["seeds", "areas"]): 0.5}


def test_a_table_that_was_not_computed_again_is_said_to_be_unchanged() -> None:
    # an output that stays away would make Dagster skip every step below it
    (event,) = run(checks=()).get_asset_materialization_events()
    assert event.asset_key == TREES
    assert event.materialization.metadata["unchanged"].value is True


def test_a_view_is_an_asset_that_no_run_materializes(manifest: dict[str, Any]) -> None:
    done = run(NodeResult(VIEW, "success", "", 0.1), NodeResult(MODEL, "success", "", 1.0), checks=())
    assert done.success
    assert [event.asset_key for event in done.get_asset_materialization_events()] == [TREES]
    specs = specs_of(manifest, "model")
    virtual = {name for name, spec in specs.items() if spec.is_virtual}
    views = {
        f"{node['schema']}.{node['name']}"
        for node in nodes_of(manifest, "model").values()
        if node["config"]["materialized"] == "view"
    }
    assert virtual == views
    assert views


def test_a_test_that_is_no_check_and_a_node_that_is_no_asset_are_passed_over() -> None:
    done = run(
        *good(FAILS, WARNS),
        NodeResult("operation.ademruimte.on-run-end-0", "success", "", 0.0),
        NodeResult(MODEL, "success", "", 1.0),
        checks=("no_tree_twice",),
    )
    assert done.success
    assert [check.check_name for check in done.get_asset_check_evaluations()] == ["no_tree_twice"]
    assert [event.asset_key for event in done.get_asset_materialization_events()] == [TREES]


def test_a_missing_manifest_says_where_it_should_be_and_who_makes_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"manifest\.json is missing: run `ademruimte prepare` first"):
        manifest_path(tmp_path)
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text("{}", encoding="utf-8")
    assert manifest_path(tmp_path) == tmp_path / "target" / "manifest.json"
