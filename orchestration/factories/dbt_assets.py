"""From dbt nodes to assets: dbt owns the SQL, Dagster owns the moment."""

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

from orchestration.loop.transform import Transformed

LOADED = dg.AssetKey(["build", "loaded"])
DQ_VERDICT = dg.AssetKey(["quality", "dq_verdict"])
# a test of structure that fails stops its step, which names it: as a check it could only ever be green
STRUCTURE = "tag:structure"


class CityTranslator(DagsterDbtTranslator):
    """Names and groups dbt nodes as the house does."""

    def __init__(self) -> None:
        super().__init__(
            DagsterDbtTranslatorSettings(
                # the loader writes several tables in one step, so their sources share its key
                enable_duplicate_source_asset_keys=True,
                # a view holds nothing of its own: it is as new as the tables below it, and no run has to say so
                enable_dbt_views_as_virtual_assets=True,
            )
        )

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Group by folder; a source is the asset that writes its table."""
        node = self.get_resource_props(manifest, unique_id)
        spec = super().get_asset_spec(manifest, unique_id, project)
        if node["resource_type"] == "source":
            return spec.replace_attributes(key=_source_key(node))
        return spec.replace_attributes(key=_model_key(node), group_name=_group(node))


def _source_key(node: Mapping[str, Any]) -> dg.AssetKey:
    if node["schema"] == "quality":
        return DQ_VERDICT
    source, is_landed, table = node["identifier"].partition("__")
    # the loader's own tables are of no source
    return dg.AssetKey(["landing", source, table]) if is_landed else LOADED


def _model_key(node: Mapping[str, Any]) -> dg.AssetKey:
    return dg.AssetKey([node["schema"], node["name"]])


def _group(node: Mapping[str, Any]) -> str:
    return "seeds" if node["resource_type"] == "seed" else str(node["fqn"][1])


def dbt_events(
    context: dg.AssetExecutionContext, transformed: Transformed
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """What dbt did, as Dagster events: a materialization per table or seed, a check result per test on data.

    Each event costs Dagster some fifteen milliseconds: what says nothing has none.
    """
    nodes = transformed.manifest["nodes"]
    checks = {key.name: key for key in context.selected_asset_check_keys}
    for test in transformed.tests:
        name = nodes[test["unique_id"]]["name"]
        if name in checks:
            yield _check_result(checks[name], test)
    seconds = {result.unique_id: result.seconds for result in transformed.results}
    above = {unique_id: node.get("depends_on", {}).get("nodes", ()) for unique_id, node in nodes.items()}
    # Dagster takes an asset only after those above it
    for node_id in TopologicalSorter(above).static_order():
        node = nodes.get(node_id)
        if node is None:
            continue
        if node["resource_type"] == "seed" and node_id in seconds:
            # no output of the step: most builds load none, and a step is skipped when an output it needs stays away
            context.log_event(dg.AssetMaterialization(_model_key(node), metadata={"seconds": seconds[node_id]}))
        elif _model_key(node) in context.selected_asset_keys:
            # of a table that was not computed again too, for the same reason
            yield dg.MaterializeResult(asset_key=_model_key(node), metadata=_metadata(seconds.get(node_id)))


def _metadata(seconds: float | None) -> dict[str, Any]:
    return {"unchanged": True} if seconds is None else {"seconds": seconds}


def _check_result(key: dg.AssetCheckKey, test: Mapping[str, Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=test["status"] == "pass",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"message": test["message"] or ""},
    )


def manifest_path(dbt_folder: Path) -> Path:
    """Where `ademruimte prepare` leaves dbt's manifest for the code location.

    Raises:
        FileNotFoundError: it was not prepared.
    """
    path = dbt_folder / "target" / "manifest.json"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `ademruimte prepare` first")
    return path
