"""The files of a Power BI project, and how they get where an expert opens them."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from warehouse.published.powerbi.identity import tag
from warehouse.published.powerbi.marts import Marts
from warehouse.published.powerbi.model import Model, model_of
from warehouse.published.powerbi.report import report_files
from warehouse.published.powerbi.schemas import schema
from warehouse.published.powerbi.source import Source
from warehouse.published.powerbi.tmdl import model_files

NAME: Final = "Ademruimte"
MODEL, REPORT, PROJECT = f"{NAME}.SemanticModel", f"{NAME}.Report", f"{NAME}.pbip"
_DEFINITION = "definition"


def write_project(marts: Marts, source: Source, folder: Path) -> bool:
    """Writes the project: the model anew, the report only where none lies yet, for that is the expert's from then on.

    Returns:
        Whether the report was written.

    Raises:
        ModelError: what is declared for Power BI does not fit the marts; nothing was written.
    """
    model = model_of(marts)
    files, report = _model_files(model, source), _report_files(model)
    is_fresh = not (folder / REPORT).exists()
    # a table that is gone may not stay in the model; what Desktop keeps beside it, in `.pbi`, may
    shutil.rmtree(folder / MODEL / _DEFINITION, ignore_errors=True)
    for path, text in (files | (report if is_fresh else {})).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    return is_fresh


def _model_files(model: Model, source: Source) -> dict[str, str]:
    definition = {f"{MODEL}/{_DEFINITION}/{path}": text for path, text in model_files(model, source).items()}
    return {
        PROJECT: as_json(
            {
                "$schema": schema("pbip/pbipProperties/1.0.0"),
                "version": "1.0",
                "artifacts": [{"report": {"path": REPORT}}],
                "settings": {"enableAutoRecovery": True},
            }
        ),
        f"{MODEL}/.platform": as_json(_platform("SemanticModel")),
        f"{MODEL}/definition.pbism": as_json(
            {"$schema": schema("item/semanticModel/definitionProperties/1.0.0"), "version": "4.2", "settings": {}}
        ),
        **definition,
    }


def _report_files(model: Model) -> dict[str, str]:
    files: dict[str, Mapping[str, Any]] = {
        ".platform": _platform("Report"),
        "definition.pbir": {
            "$schema": schema("item/report/definitionProperties/2.0.0"),
            "version": "4.0",
            "datasetReference": {"byPath": {"path": f"../{MODEL}"}},
        },
        **report_files(model),
    }
    return {f"{REPORT}/{path}": as_json(content) for path, content in files.items()}


def _platform(kind: str) -> Mapping[str, Any]:
    return {
        "$schema": schema("gitIntegration/platformProperties/2.0.0"),
        "metadata": {"type": kind, "displayName": NAME},
        "config": {"version": "2.0", "logicalId": tag("item", kind)},
    }


def as_json(content: Mapping[str, Any]) -> str:
    """A file of the project, as Desktop writes it."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
