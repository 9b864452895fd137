"""A source contract as an Open Data Contract Standard file, version 3.1.0 (Bitol, 2025).

Belongs here: the words of that standard. Does not belong here: pages for people (`orchestration.contract_pages`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.kinds import kind_of
from contracts.reasons import Reason
from contracts.vocabulary import Column, Sensitivity, SourceContract, TableContract

API_VERSION = "v3.1.0"
_CLASSES = {Sensitivity.NONE: "public", Sensitivity.PERSONAL: "restricted"}


Reasons = Mapping[str, Mapping[str, str]]
"""Per table the reasons for which a row is refused, English to Dutch."""


def as_yaml(contract: SourceContract, reasons: Reasons) -> str:
    """The contract as the standard's YAML."""
    # only publishing pays for it
    import yaml  # noqa: PLC0415

    return yaml.safe_dump(data_contract(contract, reasons), sort_keys=False, allow_unicode=True, width=100)


def data_contract(contract: SourceContract, reasons: Reasons) -> dict[str, Any]:
    """The contract in the standard's words: a schema object per table, with its rules as quality checks."""
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": f"urn:ademruimte:contract:{contract.name}",
        "name": contract.name,
        "version": f"{contract.version}.0.0",
        "status": "active",
        "description": {
            "purpose": contract.title_nl,
            "usage": contract.delivery_nl or f"How it comes in: {', '.join(_triggers(contract))}.",
            "limitations": "Columns that the contract does not name are dropped at the door and never stored.",
        },
        "schema": [_object(contract, table, reasons[table.name]) for table in contract.tables],
        "team": {"name": contract.owner},
        "support": [{"channel": contract.owner, "tool": "email", "url": f"mailto:{contract.owner}"}],
        "slaProperties": list(_agreements(contract)),
        "customProperties": _custom(sensitivity=str(contract.sensitivity), fileEndings=list(contract.endings)),
    }


def _triggers(contract: SourceContract) -> list[str]:
    return [*(f"files {ending}" for ending in contract.endings), *(f"pulled at {cron}" for cron in contract.crons)]


def _agreements(contract: SourceContract) -> Iterator[dict[str, Any]]:
    hours = contract.fresh_within.total_seconds() / 3600
    yield {"property": "latency", "value": int(hours), "unit": "h", "driver": "operational"}
    yield {"property": "retention", "value": contract.retention.days, "unit": "d", "driver": "regulatory"}
    for cron in contract.crons:
        yield {"property": "frequency", "value": cron, "scheduler": "cron", "schedule": cron}


def _object(contract: SourceContract, table: TableContract, reasons: Mapping[str, str]) -> dict[str, Any]:
    received = table.received
    return {
        "name": table.name,
        "logicalType": "object",
        "physicalType": "table",
        "physicalName": f"landing.{contract.name}__{table.name}",
        "description": " | ".join(part for part in (table.description, table.description_nl) if part),
        "dataGranularityDescription": f"One row per {', '.join(table.key)}",
        "properties": [_property(contract, table, column) for column in table.columns],
        "quality": [_rule(rule.name, *Reason(rule.name, rule.column).said(table)) for rule in table.rules],
        "customProperties": _custom(
            delivers=table.delivers.value,
            receivedColumns=[name for name in received.columns if name not in received.added],
            requiredColumns=list(received.required),
            pseudonymisedColumns=list(received.pseudonyms),
            versionColumns=list(table.version),
            refusedWhen=dict(reasons),
        ),
    }


def _property(contract: SourceContract, table: TableContract, column: Column) -> dict[str, Any]:
    kind = kind_of(column)
    wire = column.wire
    return {
        "name": column.name,
        "logicalType": kind.standard,
        "physicalType": kind.sql,
        "description": " | ".join(part for part in (column.description, table.received.meaning_nl.get(wire)) if part),
        "required": not column.nullable,
        **_key(column, table),
        **_options(column, kind.standard),
        "classification": "pseudonym" if wire in table.received.pseudonyms else _CLASSES[contract.sensitivity],
        **({"transformSourceObjects": [wire]} if wire in table.received.columns else {}),
        **({"quality": [_one_of(column)]} if column.allowed else {}),
    }


def _key(column: Column, table: TableContract) -> dict[str, Any]:
    if column.name not in table.key:
        return {}
    return {"primaryKey": True, "primaryKeyPosition": table.key.index(column.name) + 1}


def _options(column: Column, logical: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if column.pattern:
        options["pattern"] = column.pattern
    if column.minimum is not None:
        options["minimum"] = column.minimum
    if column.maximum is not None:
        options["maximum"] = column.maximum
    if logical == "timestamp":
        options |= {"timezone": True, "defaultTimezone": "Etc/UTC"}
    return {"logicalTypeOptions": options} if options else {}


def _one_of(column: Column) -> dict[str, Any]:
    return {
        "name": f"{column.name}_is_known",
        "type": "library",
        "metric": "invalidValues",
        "arguments": {"validValues": list(column.allowed)},
        "mustBe": 0,
        "unit": "rows",
        "dimension": "conformity",
        "severity": "error",
    }


def _rule(name: str, reason: str, reason_nl: str) -> dict[str, Any]:
    words = " | ".join(part for part in (reason, reason_nl) if part)
    return {"name": name, "type": "text", "description": words, "dimension": "consistency", "severity": "error"}


def _custom(**values: object) -> list[dict[str, object]]:
    return [{"property": name, "value": value} for name, value in values.items()]
