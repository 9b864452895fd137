"""The seeds of the registry: what dbt declares about them, and their rows as text.

Columns, types, choices and references are declared once, in `seeds/shared/_seeds.yml`; nothing of it is repeated.
"""

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from ingestion.delivery import REGISTRY
from orchestration.dbt_project import SHARED, city_seeds
from orchestration.settings import Settings
from warehouse.durable import replace_synced

DECLARATION = SHARED / "_seeds.yml"
# in the order in which a person reads them; `departments` names who may own a target
SEEDS = (
    "targets",
    "target_milestones",
    "target_seasons",
    "target_wordings",
    "target_decisions",
    "target_readings",
    "target_owners",
    "target_links",
    "denominators",
    "policy_tree",
    "covenant_actions",
    "departments",
    "lekp_goals",
)
# official lists: the same for every city, never edited by one
READ_ONLY = frozenset({"lekp_goals"})
# an id is kept for ever, and a version is raised by the import alone
FIXED_COLUMNS = ("target_id", "kpi_id", "definition_version")
# the shapes that only a plan can have, and all paths that lead through milestones
SHAPES = ("s_curve", "project_steps")
MILESTONE_PATHS = ("milestones", *SHAPES)
Row = dict[str, str]
Value = str | float | date | None


class RegistryError(LookupError):
    """The registry cannot be read or changed; the message says where, why and what to do."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a seed as dbt declares it.

    Attributes:
        kind: varchar, double, bigint, boolean or date.
        choices: the only values it may hold; empty when any will do.
        refers_to: seed and column that must know the value.
    """

    name: str
    kind: str
    required: bool
    choices: tuple[str, ...] = ()
    refers_to: tuple[str, str] | None = None

    def value(self, text: str) -> Value:
        """What a cell means; None when it is empty.

        Raises:
            ValueError: the text is not of the column's kind.
        """
        if not text:
            return None
        if self.kind in _READERS:
            return _READERS[self.kind](text)
        return text


@dataclass(frozen=True, slots=True)
class Table:
    """One seed: its declaration and its rows, in the order of the file.

    Attributes:
        key: the columns that together name a row.
        rows: text by column; an empty cell is an empty text. Row n stands on line n + 2 of its file.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rows: tuple[Row, ...] = ()

    @property
    def header(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """A column by its name."""
        return next(column for column in self.columns if column.name == name)

    def key_of(self, row: Row) -> tuple[str, ...]:
        """What names a row."""
        return tuple(row[name] for name in self.key)

    def numbered(self) -> Iterator[tuple[int, Row]]:
        """Every row with its line in the file."""
        return enumerate(self.rows, 2)


Registry = Mapping[str, Table]


def read_registry(folder: Path) -> dict[str, Table]:
    """Every seed of the registry, the city's own from a folder and the shared ones from the project.

    A city has no file for what it has not: that seed is without rows.

    Raises:
        RegistryError: the folder is missing, or the columns of a seed are not those that dbt declares.
    """
    if not folder.is_dir():
        raise RegistryError(f"{folder} is no folder; name one that holds the seeds of a city")
    return {name: _with_rows(table, folder) for name, table in declared().items()}


@cache
def declared() -> Registry:
    """The seeds of the registry as dbt declares them, without rows; read once, as they ship with the code."""
    properties = yaml.safe_load(DECLARATION.read_text("utf-8"))["seeds"]
    known = {seed["name"]: _table(seed) for seed in properties if seed["name"] in SEEDS}
    return {name: known[name] for name in SEEDS}


def write_table(folder: Path, table: Table) -> None:
    """Puts a seed in its place as a whole, so that a reader never sees half of it."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, table.header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table.rows)
    replace_synced(folder / f"{table.name}.csv", text.getvalue().encode())


def registry_units(settings: Settings) -> pl.DataFrame:
    """What a hand-filled figure is held against at the door.

    Returns:
        kpi_id, unit, needs_check (two people must have entered and checked it) and is_public (both boolean), for
        each KPI of the registry and each indicator that is followed without a target; none for a city without a
        registry. A KPI whose targets differ in these has a row for each.
    """
    targets, others = city_seeds(settings.city.name) / "targets.csv", SHARED / "other_indicators.csv"
    if not targets.is_file():
        return pl.DataFrame(schema=REGISTRY)
    flags = [(pl.col(name) == "true").alias(name) for name in ("needs_check", "is_public")]
    seeds = [pl.read_csv(seed, infer_schema=False).select("kpi_id", "unit", *flags) for seed in (targets, others)]
    return pl.concat(seeds).unique(maintain_order=True)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is no number")
    return number


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    # another way of writing would sort wrongly as text
    if day.isoformat() != text:
        raise ValueError(f"{text!r} is not written as {day.isoformat()}")
    return day


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


_READERS: dict[str, Callable[[str], Value]] = {"double": _finite, "bigint": int, "date": _day, "boolean": _boolean}


def _table(seed: dict[str, Any]) -> Table:
    tests = {column["name"]: _tests(column) for column in seed.get("columns", [])}
    columns = tuple(_column(name, kind, tests.get(name, {})) for name, kind in seed["config"]["column_types"].items())
    unique = tuple(name for name, told in tests.items() if "unique" in told)
    together = _tests(seed).get("unique_combination", {}).get("columns", ())
    return Table(seed["name"], columns, tuple(together) or unique)


def _tests(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = (next(iter(test.items())) for test in described.get("data_tests", []))
    return {name: told.get("arguments", {}) for name, told in found}


def _column(name: str, kind: str, tests: dict[str, dict[str, Any]]) -> Column:
    reference = tests.get("relationships")
    refers_to = (reference["to"].split("'")[1], reference["field"]) if reference else None
    choices = tests.get("accepted_values", {}).get("values", ())
    return Column(name, kind, "not_null" in tests or "unique" in tests, tuple(choices), refers_to)


def _with_rows(table: Table, folder: Path) -> Table:
    path = (SHARED if table.name in READ_ONLY else folder) / f"{table.name}.csv"
    if not path.is_file():
        return table
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if header != table.header:
            raise RegistryError(f"{path.name}: {_other_columns(header, table.header)}; declare both in _seeds.yml")
        return replace(table, rows=tuple(_row(table, cells, line) for line, cells in enumerate(reader, 2)))


def _row(table: Table, cells: list[str], line: int) -> Row:
    if len(cells) != len(table.columns):
        counted = f"{len(cells)} cells instead of {len(table.columns)}"
        raise RegistryError(f"{table.name}.csv line {line}: {counted}; put a text that holds a comma in quotes")
    return dict(zip(table.header, cells, strict=True))


def _other_columns(found: list[str], wanted: list[str]) -> str:
    missing = [name for name in wanted if name not in found]
    unknown = [name for name in found if name not in wanted]
    told = [f"misses the column {', '.join(missing)}"] * bool(missing)
    told += [f"has the undeclared column {', '.join(unknown)}"] * bool(unknown)
    return " and ".join(told) or "has its columns in another order"
