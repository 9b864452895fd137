"""The model that Power BI opens: the marts under their Dutch names, with what only Power BI asks for."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from warehouse.published.powerbi import names
from warehouse.published.powerbi.marts import Link, Mart, MartColumn, Marts
from warehouse.published.powerbi.measures import MEASURES, Measure, version_measure

CALENDAR, DAY = "dim_date", "date_day"
DEPARTMENT, DEPARTMENT_CODE = "dim_department", "department_id"
BUILD_ID: Final = "build_id"

PREFERRED: Final = frozenset(
    {
        # before the link by municipality
        Link("fct_charge_point_stock_monthly", "sector_area_id", "dim_area", "area_id"),
    }
)
"""Where two links compete: the one that is followed, of those that dbt's relationship tests state."""

OF_TODAY: Final = frozenset(
    {
        "fct_charge_point_findings",
        "fct_charge_points",
        "fct_gap_drivers",
        "fct_method_changes",
        "fct_target_decisions",
        "fct_target_readings",
        "fct_target_verdicts",
        "fct_ticket_backlog",
    }
)
"""What tells how things stand now: a month that somebody picks for the rest of a page must not empty it."""

_NAMED = re.compile(r"\{([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*))?\}")
_NUMBERS: Final = frozenset({"int64", "double", "decimal"})
_BUILD_NOTE = "Publicatie waaruit deze rij komt."


class ModelError(LookupError):
    """What is declared for Power BI does not fit the marts; the message says what, and where it is declared."""


class Field(NamedTuple):
    """A column of the model.

    Attributes:
        source: its name in the marts.
        kind: its type in Power BI.
        sort_by: name of the column it is sorted by.
    """

    name: str
    source: str
    kind: str
    description: str
    format: str
    folder: str | None
    category: str | None
    sort_by: str | None
    is_hidden: bool
    is_key: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the model, under its Dutch name."""

    name: str
    mart: Mart
    fields: tuple[Field, ...]
    measures: tuple[Measure, ...]

    @property
    def is_calendar(self) -> bool:
        """Whether time is read from it."""
        return self.mart.name == CALENDAR


class Relation(NamedTuple):
    """A column of one table that names a row of another; only one way between two tables may be active."""

    link: Link
    is_active: bool


@dataclass(frozen=True, slots=True)
class Model:
    """All tables, with how they hang together."""

    tables: tuple[Table, ...]
    relations: tuple[Relation, ...]

    def table(self, mart: str) -> Table:
        """The table of a mart.

        Raises:
            ModelError: no such mart is published.
        """
        found = next((table for table in self.tables if table.mart.name == mart), None)
        if found is None:
            raise ModelError(f"no table {mart!r} is published")
        return found

    def field(self, mart: str, column: str) -> Field:
        """A column of a mart.

        Raises:
            ModelError: no such table or column is published.
        """
        found = next((field for field in self.table(mart).fields if field.source == column), None)
        if found is None:
            raise ModelError(f"{mart} has no column {column!r}")
        return found

    def measure(self, name: str) -> tuple[Table, Measure]:
        """A measure, with the table it stands in.

        Raises:
            ModelError: there is none of that name.
        """
        for table in self.tables:
            for measure in table.measures:
                if measure.name == name:
                    return table, measure
        raise ModelError(f"no measure is named {name!r}")


def model_of(marts: Marts) -> Model:
    """The model of these marts.

    Raises:
        ModelError: a measure or link names what the marts do not have.
    """
    links = _links(marts)
    measures = _measures(marts)
    summed = {name for measure in measures for name in names_in(measure.dax)}
    tables = tuple(_table(mart, links, summed, measures) for mart in marts.tables)
    model = Model(tables, tuple(_relations(marts, links)))
    resolved = (_resolved(model, table) for table in tables)
    return Model(tuple(resolved), model.relations)


def names_in(dax: str) -> list[tuple[str, str]]:
    """The marts and columns that an expression names; of a whole table the column is empty."""
    return _NAMED.findall(dax)


def type_of(duckdb: str) -> str:
    """The type of a column in Power BI; a list arrives as a text."""
    beginnings = {
        "bigint": "int64",
        "integer": "int64",
        "double": "double",
        "decimal": "decimal",
        "boolean": "boolean",
        "date": "dateTime",
        "timestamp": "dateTime",
    }
    known = (kind for beginning, kind in beginnings.items() if duckdb.startswith(beginning))
    return "string" if duckdb.endswith("]") else next(known, "string")


def _measures(marts: Marts) -> tuple[Measure, ...]:
    return (*MEASURES, version_measure([f"{mart.name}.{BUILD_ID}" for mart in marts.tables]))


def _links(marts: Marts) -> list[Link]:
    """Every link between two tables of the model."""
    known = {mart.name for mart in marts.tables}
    if unknown := sorted(PREFERRED - set(marts.links)):
        raise ModelError(f"PREFERRED in model.py names {unknown[0]}, which no relationship test states: correct it")
    return [link for link in marts.links if link.many in known and link.one in known and link.many != link.one]


def _relations(marts: Marts, links: Sequence[Link]) -> Iterator[Relation]:
    """The links, each active unless a filter would then reach a table by two ways."""
    ways: dict[str, set[str]] = {mart.name: {mart.name} for mart in marts.tables}
    depths = {mart.name: _depth(mart.name, links) for mart in marts.tables}
    facts = {mart.name for mart in marts.tables if not mart.is_dimension}

    def is_dated_dimension(link: Link) -> bool:
        return link.one == CALENDAR and (link.many not in facts or link.many in OF_TODAY)

    def rank(link: Link) -> tuple[bool, bool, int, bool, bool, bool, Link]:
        of_fact, has_role = link.many in facts, link.many_column != link.one_column
        dated, to_fact, depth = is_dated_dimension(link), link.one in facts, -depths[link.one]
        return dated, to_fact, depth, of_fact, link not in PREFERRED, has_role, link

    for link in sorted(links, key=rank):
        above = {name for name, below in ways.items() if link.one in below}
        # a date of a dimension, or of how things stand now, is a property and not the time of what is counted
        is_active = not is_dated_dimension(link) and not any(ways[name] & ways[link.many] for name in above)
        if is_active:
            for name in above:
                ways[name] |= ways[link.many]
        yield Relation(link, is_active)


def _depth(table: str, links: Iterable[Link], seen: frozenset[str] = frozenset()) -> int:
    """How many tables stand above a table: what is described most closely is followed first."""
    above = {link.one for link in links if link.many == table} - seen - {table}
    return 1 + max((_depth(name, links, seen | {table}) for name in above), default=-1)


def _table(mart: Mart, links: Sequence[Link], summed: set[tuple[str, str]], measures: Sequence[Measure]) -> Table:
    keys = {link.many_column for link in links if link.many == mart.name}
    keys |= {link.one_column for link in links if link.one == mart.name != CALENDAR}
    fields = [_field(mart, column, keys, summed) for column in mart.columns]
    if BUILD_ID not in {column.name for column in mart.columns}:
        build = MartColumn(BUILD_ID, "varchar", _BUILD_NOTE)
        fields.append(_field(mart, build, keys, summed))
    own = tuple(measure for measure in measures if measure.table == mart.name)
    return Table(names.table_name(mart.name), mart, tuple(fields), own)


def _field(mart: Mart, column: MartColumn, keys: set[str], summed: set[tuple[str, str]]) -> Field:
    kind = type_of(column.type)
    is_summed = kind in _NUMBERS and not mart.is_dimension and (mart.name, column.name) in summed
    is_for_others = column.name.endswith(("_en", "_hash")) or column.name == BUILD_ID
    sorted_by = names.SORTED.get(f"{mart.name}.{column.name}")
    return Field(
        name=names.column_name(mart.name, column.name),
        source=column.name,
        kind=kind,
        description=column.description,
        format=_format(column, kind),
        folder=names.FOLDERS.get(column.name),
        category=names.CATEGORIES.get(column.name),
        sort_by=names.column_name(mart.name, sorted_by) if sorted_by else None,
        is_hidden=column.name in keys or is_summed or is_for_others,
        is_key=column.name == (DAY if mart.name == CALENDAR else mart.key if mart.is_dimension else None),
    )


def _format(column: MartColumn, kind: str) -> str:
    if column.type == "date":
        return "dd/mm/yyyy"
    if column.name in names.SHARES:
        return "0.0%;-0.0%;0.0%"
    return {"dateTime": "dd/mm/yyyy hh:nn", "int64": "0", "double": "#,0.##", "decimal": "#,0.##"}.get(kind, "")


def _resolved(model: Model, table: Table) -> Table:
    """A table whose measures speak the names of the model."""
    measures = tuple(measure._replace(dax=_dax(model, measure)) for measure in table.measures)
    return Table(table.name, table.mart, table.fields, measures)


def _dax(model: Model, measure: Measure) -> str:
    def named(found: re.Match[str]) -> str:
        mart, column = found.groups()
        of_column = f"[{model.field(mart, column).name}]" if column else ""
        return f"{dax_name(model.table(mart).name)}{of_column}"

    try:
        return _NAMED.sub(named, measure.dax)
    except ModelError as fault:
        raise ModelError(f"measure {measure.name!r} in measures.py: {fault}; correct its expression") from None


def dax_name(table: str) -> str:
    """A table as DAX writes it."""
    escaped = table.replace("'", "''")
    return f"'{escaped}'"
