"""The page of refusals: for every rule that refuses a row what it hits in real files, and which way a figure then goes.

Belongs here: laying the contracts beside what was counted. Does not belong here: counting (`make acceptance` holds the
committed counts against the real files), or what a refusal does, which stands beside each rule in its contract.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from contracts.reasons import Reason, published
from contracts.registry import all_cities
from contracts.vocabulary import Refused, SourceContract, TableContract, Way
from orchestration.giving_back.markdown import code_first, inline, markdown_table

COUNTED = Path(__file__).with_name("real_refusals.json")
_INTRODUCTION = """# What is refused, and which way that moves a figure

A row that is missing lowers a total, and completeness tells. A rule that hits rows of one kind alone moves a share or
an average too: it is no refusal but a note or a clamp, or a model or test tells of it, which is then named here.
*Hits* are rows of the real files (`make acceptance` counts them again)."""
_OF_EVERY_TABLE = "a day to come, a cell that a spreadsheet spoilt, or two lines that contradict each other"

Counts = Mapping[str, Mapping[str, Mapping[str, int]]]


def page(contracts: Iterable[SourceContract]) -> str:
    """The page, from the contracts and the committed counts."""
    counts: Counts = json.loads(COUNTED.read_text("utf-8"))
    tables = [(f"{contract.name}.{table.name}", table) for contract in contracts for table in contract.tables]
    return "\n\n".join([_INTRODUCTION, *(part for name, table in tables for part in _section(name, table, counts))])


def _section(name: str, table: TableContract, counts: Counts) -> Iterator[str]:
    counted = counts.get(name, {})
    rows, hits = Counter(counted.get("rows", {})), Counter(counted.get("reasons", {}))
    refused = [(reason.said(table)[0], each) for reason, each in met(table).items()]
    others = sum(hits.values()) - sum(hits[reason] for reason, _ in refused)
    yield f"## `{name}`: {rows['received']} real rows"
    yield markdown_table(
        ("refused when", "hits", "takes away", "moves a figure"),
        [
            *((code_first(reason), str(hits[reason]), *_effect(each)) for reason, each in refused),
            (_OF_EVERY_TABLE, str(others), *_effect(table.refused)),
        ],
    )
    if table.noted:
        kept = ", ".join(f"`{column}` ({instead or 'empty'})" for column, instead in table.noted.items())
        yield f"Noted and replaced instead of refused, {rows['noted']} times: {kept}."


def met(table: TableContract) -> Mapping[Reason, Refused]:
    """The reasons for which a supplier's row may be refused, and what refusing it does."""
    # which city reads it makes no difference to whether a text can be read
    return published(table, next(iter(all_cities().values())))


def said_of(table: TableContract) -> dict[str, str]:
    """The same in words, English to Dutch."""
    return dict(reason.said(table) for reason in met(table))


def _effect(refused: Refused) -> tuple[str, str]:
    way = "no" if refused.way is Way.NEITHER else f"{refused.way}; told by `{refused.told_by}`"
    return inline(refused.rows), way
