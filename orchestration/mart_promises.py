"""What readers of the published tables count on, and what they must be told before it changes.

Belongs here: comparing what dbt's descriptions promise with what was promised. Does not belong here: whether a table
is what they promise (dbt's enforced contracts).
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from contracts.marts.descriptions import dutch
from warehouse.published.powerbi.measures import MEASURES
from warehouse.published.powerbi.model import names_in
from warehouse.published.powerbi.pages import PAGES, Page

PROMISED: Final = Path("contracts/marts/promised_columns.csv")
"""What was promised last, in the project."""
NOTICES: Final = Path("docs/marts.md")
"""Where readers are told of a change, in the project."""

_SHOWN = ("bridge_", "dim_", "fct_")
_HEADER = ("table", "version", "column", "type", "meaning_nl")


class Column(NamedTuple):
    """A column as its readers know it."""

    type: str
    meaning_nl: str


@dataclass(frozen=True, slots=True)
class Mart:
    """A published table; `version` goes up when somebody who counts on a column must act."""

    version: int
    columns: Mapping[str, Column]


def described(models: Path) -> dict[str, Mart]:
    """The tables that readers see, as dbt's files describe them.

    Args:
        models: the folder of dbt's models.
    """
    files = [path for part in ("marts", "verdicts") for path in sorted((models / part).rglob("*.yml"))]
    told = [model for path in files for model in yaml.safe_load(path.read_text("utf-8")).get("models", ())]
    return {model["name"]: _mart(model) for model in told if model["name"].startswith(_SHOWN)}


def _mart(model: Mapping[str, Any]) -> Mart:
    version = model.get("config", {}).get("meta", {}).get("version", 1)
    columns = {each["name"]: Column(each["data_type"], dutch(each["description"])) for each in model["columns"]}
    return Mart(version, columns)


def read_promised(file: Path) -> dict[str, Mart]:
    """What was promised last; nothing where there is no such file yet."""
    if not file.exists():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        # written table by table
        tables = groupby(csv.DictReader(lines), itemgetter("table", "version"))
        return {
            table: Mart(int(version), {row["column"]: Column(row["type"], row["meaning_nl"]) for row in rows})
            for (table, version), rows in tables
        }


def as_file(marts: Mapping[str, Mart]) -> bytes:
    """The same marts as the file that keeps them."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_HEADER)
    for name in sorted(marts):
        rows.writerows((name, marts[name].version, column, *said) for column, said in marts[name].columns.items())
    return text.getvalue().encode()


def broken(before: Mapping[str, Mart], now: Mapping[str, Mart], notices: str) -> Iterator[str]:
    """What a reader counts on and is not told of: a sentence for each column, with the pages of the report it hits.

    Args:
        before: what was promised last.
        now: what is described.
        notices: the page on which readers are told, with a line `- <table> <version>: …` for every change.
    """
    for table, mart in sorted(before.items()):
        found = now.get(table, Mart(mart.version, {}))
        changes = list(_changes(mart, found))
        if not changes:
            continue
        version = mart.version + 1
        is_raised = found.version >= version or table not in now
        if is_raised and f"- {table} {max(found.version, version)}:" in notices:
            continue
        for column, what in changes:
            pages = ", ".join(page.name for page in PAGES if _uses(page, table, column)) or "no page"
            yield (
                f"{table}.{column} {what}, which {pages} of the Power BI report uses: set `version: {version}` in the "
                f"meta of {table} and add a line `- {table} {version}: …` to {NOTICES}, in Dutch"
            )


def _changes(before: Mart, now: Mart) -> Iterator[tuple[str, str]]:
    for name, column in before.columns.items():
        found = now.columns.get(name)
        if found is None:
            yield name, "was removed or renamed"
        elif found.type != column.type:
            yield name, f"was {column.type} and is {found.type}"
        elif found.meaning_nl != column.meaning_nl:
            yield name, "means something else"


def _uses(page: Page, table: str, column: str) -> bool:
    shown = {name for visual in page.visuals for name in (*visual.columns, visual.series)}
    return f"{table}.{column}" in shown or any(
        (table, column) in names_in(measure.dax) for measure in MEASURES if measure.name in _measures_of(page)
    )


def _measures_of(page: Page) -> Sequence[str]:
    return [name for visual in page.visuals for name in visual.measures]
