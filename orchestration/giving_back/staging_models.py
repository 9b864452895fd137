"""The staging models of every source, and dbt's description of its landing tables.

Belongs here: writing what the contract code says as dbt reads it. Does not belong here: any computation; what a
model does beyond naming columns stands in a model of its own, downstream.
"""

import json
from collections.abc import Iterator, Mapping
from textwrap import fill

from contracts.vocabulary import SourceContract, TableContract

_GENERATED = "made from the contract code by `ademruimte contracts write`; do not edit"
_WIDTH = 120
# what the loader writes about itself has no contract
OF_THE_LOADER = "pipeline"


def staging_models(contracts: Mapping[str, SourceContract]) -> dict[str, bytes]:
    """The files by their path within the folder of staging models."""
    texts: dict[str, str] = {}
    for contract in contracts.values():
        texts[f"{contract.name}/_{contract.name}.yml"] = "\n".join(_description(contract)) + "\n"
        for table in contract.tables:
            texts[f"{contract.name}/{_model(contract, table)}.sql"] = _select(contract, table)
    return {name: text.encode() for name, text in texts.items()}


def _model(contract: SourceContract, table: TableContract) -> str:
    return f"stg_{contract.name}__{table.name}"


def _select(contract: SourceContract, table: TableContract) -> str:
    names = ", ".join(f"'{column.name}'" for column in table.columns if column.staged)
    columns = fill(names, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    return f"{{#- {_GENERATED} -#}}\n{{{{ landed('{contract.name}', '{table.name}', [\n{columns},\n]) }}}}\n"


def _description(contract: SourceContract) -> Iterator[str]:
    yield f"# {_GENERATED}"
    yield "sources:"
    yield f"  - name: {contract.name}"
    yield "    schema: landing"
    yield f"    description: {_quoted(contract.title_nl, 'accepted rows as the loader wrote them')}"
    yield "    tables:"
    for table in contract.tables:
        yield f"      - name: {table.name}"
        yield f"        identifier: {contract.name}__{table.name}"
        yield f"        description: {json.dumps(table.description, ensure_ascii=False)}"
        key = json.dumps(["landing", contract.name, table.name])
        yield f"        config: {{meta: {{dagster: {{asset_key: {key}}}}}}}"
    yield "models:"
    for table in contract.tables:
        yield f"  - name: {_model(contract, table)}"
        dutch = f"{table.description_nl or contract.title_nl} Zoals geleverd, alle versies."
        yield f"    description: {_quoted(dutch, f'{table.description} As delivered, every version.')}"


def _quoted(dutch: str, english: str) -> str:
    return json.dumps(f"NL {dutch} | EN {english}", ensure_ascii=False)
