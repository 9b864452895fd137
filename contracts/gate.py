"""The gate: the only place that runs a contract.

A pure function of the received rows and the contract: every row ends as accepted, quarantined with its
reasons, a duplicate, or superseded within the delivery.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from contracts.cities.profile import City
from contracts.faults import SchemaFaultError
from contracts.reading import is_formula, is_rounded, sheet_error
from contracts.reasons import (
    MISSING,
    UNREADABLE,
    above,
    below,
    contradicted,
    in_dutch,
    misshapen,
    not_allowed,
    rounded,
    to_come,
    uncalculated,
    wire_name,
)
from contracts.reasons import sheet_error as holds_error
from contracts.vocabulary import LINE, UTC_INSTANT, Column, RowRule, TableContract

if TYPE_CHECKING:
    import pandera.polars as pa

_BLOCK_ROWS = 500_000
_REASON = "reason"
_REASON_NL = "reason_nl"
_SAID = {LINE: pl.Int64, _REASON: pl.String, _REASON_NL: pl.String}
_COLUMN_OF_REASON = r"^([^:]+): "
REASONS = "reasons"
REASONS_NL = "reasons_nl"


_WHY = {REASONS: pl.List(pl.String), REASONS_NL: pl.List(pl.String)}


@dataclass(frozen=True, slots=True)
class Split:
    """What became of the rows of one table in one delivery.

    Attributes:
        accepted: the contract's columns and `line`.
        quarantined: the received text columns, `line`, `reasons` (list of text) and `reasons_nl`: the same
            reasons in the same order, in Dutch.
        duplicate: rows equal to an accepted row, but for their line.
        superseded: rows of which the same delivery holds a later version.
        clamped: moments past the delivery that were taken back to it.
        noted: values that broke the limits of their column and were replaced, for a refusal would move a figure.
    """

    received: int
    accepted: pl.DataFrame
    quarantined: pl.DataFrame
    duplicate: int
    superseded: int
    clamped: int = 0
    noted: int = 0


def split(received: pl.DataFrame, table: TableContract, city: City, supplied_at: datetime | None = None) -> Split:
    """Runs the contract of a table over received text rows.

    Args:
        received: text columns that passed the door, and `line` (1-based line or page position).
        table: the contract.
        city: whose time zone holds.
        supplied_at: when the delivery was supplied; a row about a later day is refused, a later moment of a system's
            clock taken back to it. None asks nothing.

    Raises:
        SchemaFaultError: a column the table cannot do without is missing.
    """
    _require_columns(received, table)
    if received.is_empty():
        return _nothing(table)
    # a contract may number rows in file order, and its rows must stay beside their lines
    rows = _with_every_column(received, table).sort(LINE)
    typed, noted = _noted(rows, table.parse(rows, city).with_columns(rows[LINE]), table)
    typed, clamped = _clamped(typed, table, supplied_at)
    future = _after(typed, table, city, supplied_at)
    no_values = _no_values(rows, table)
    found = _reasons_of(_unreadable(rows, typed, table), _broken_rules(typed, table))
    reasons = pl.concat([no_values, _unsaid(_translated(found, table), no_values), future])
    read = typed.join(reasons, on=LINE, how="anti", maintain_order="left").select(*table.schema, LINE)
    both = _contradictions(read, table)
    good = read.join(both, on=LINE, how="anti", maintain_order="left")
    reasons = pl.concat([reasons, both])
    accepted, duplicate, superseded = _resolve(good, table)
    return Split(received.height, accepted, _quarantine(rows, reasons), duplicate, superseded, clamped, noted)


def _nothing(table: TableContract) -> Split:
    quarantined = pl.DataFrame(schema={**table.received.schema, **_WHY})
    return Split(0, pl.DataFrame(schema={**table.schema, LINE: pl.Int64}), quarantined, duplicate=0, superseded=0)


def _require_columns(received: pl.DataFrame, table: TableContract) -> None:
    missing = [name for name in table.received.required if name not in received.columns]
    if missing:
        raise SchemaFaultError(
            f"table {table.name}: column {', '.join(missing)} is missing; found: {', '.join(received.columns)}"
        )


def _with_every_column(received: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    absent = [pl.lit(None, pl.String).alias(name) for name in table.received.columns if name not in received.columns]
    return received.with_columns(absent).select(*table.received.columns, LINE)


def _no_values(rows: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """Reasons for cells in which a spreadsheet left something other than the value that belongs there."""
    wires = table.received.columns
    named = {wire_name(table, column) for column in table.key} | table.received.pseudonyms.keys()
    errors = [(wire, rows.select(LINE, sheet_error(wire).alias("error")).drop_nulls("error")) for wire in wires]
    found = [
        *((line, *holds_error(table, wire, error)) for wire, cells in errors for line, error in cells.iter_rows()),
        *((line, *uncalculated(table, wire)) for wire in wires for line in rows.filter(is_formula(wire))[LINE]),
        *(
            (line, *rounded(table, wire))
            for wire in wires
            if wire in named
            for line in rows.filter(is_rounded(wire))[LINE]
        ),
    ]
    return pl.DataFrame(found, schema=_SAID, orient="row")


def _unsaid(reasons: pl.DataFrame, no_values: pl.DataFrame) -> pl.DataFrame:
    """The reasons without those about a cell of which it was said that it holds no value."""
    column = pl.col(_REASON).str.extract(_COLUMN_OF_REASON).alias("column")
    said = no_values.select(LINE, column)
    return (
        reasons.with_columns(column).join(said, on=[LINE, "column"], how="anti", maintain_order="left").drop("column")
    )


def _unreadable(rows: pl.DataFrame, typed: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """Reasons for text that was there but could not be read."""
    found = [
        rows.filter(rows[wire].str.strip_chars().fill_null("").ne("") & typed[column.name].is_null()).select(
            LINE, pl.lit(f"{wire}: {UNREADABLE}").alias(_REASON)
        )
        for column in table.columns
        if (wire := column.reads or column.name) in table.received.columns and column.name not in table.noted
    ]
    return pl.concat([_no_reasons(), *found])


def _reasons_of(unreadable: pl.DataFrame, broken: pl.DataFrame) -> pl.DataFrame:
    """All reasons; of what could not be read it is not also said that it is missing."""
    said = unreadable.with_columns(pl.col(_REASON).str.replace(UNREADABLE, MISSING, literal=True))
    return pl.concat([unreadable, broken.join(said, on=[LINE, _REASON], how="anti", maintain_order="left")])


def _noted(rows: pl.DataFrame, typed: pl.DataFrame, table: TableContract) -> tuple[pl.DataFrame, int]:
    """The rows with another value where one breaks the limits of a column that only notes it, and how many did."""
    count = 0
    for column in (column for column in table.columns if column.name in table.noted):
        wire, value = column.reads or column.name, typed[column.name]
        said = rows[wire].str.strip_chars().fill_null("") != "" if wire in rows.columns else value.is_not_null()
        broken = (said & value.is_null()) | typed.select(_outside(column)).to_series()
        count += int(broken.sum())
        instead = pl.lit(table.noted[column.name], column.dtype)
        typed = typed.with_columns(pl.when(broken).then(instead).otherwise(column.name).alias(column.name))
    return typed, count


def _outside(column: Column) -> pl.Expr:
    value, limits = pl.col(column.name), [pl.lit(value=False)]
    if column.minimum is not None:
        limits.append(value < column.minimum)
    if column.maximum is not None:
        limits.append(value > column.maximum)
    if column.allowed:
        limits.append(~value.is_in(column.allowed))
    if column.pattern:
        limits.append(~value.str.contains(column.pattern))
    return pl.any_horizontal(limits).fill_null(value=False)


def _clamped(typed: pl.DataFrame, table: TableContract, supplied_at: datetime | None) -> tuple[pl.DataFrame, int]:
    """The rows without a moment past their delivery, and how many there were (ADR 43)."""
    if supplied_at is None or not table.clamped:
        return typed, 0
    late = typed.select((pl.col(name) > supplied_at).sum() for name in table.clamped)
    back = [pl.when(pl.col(name) > supplied_at).then(supplied_at).otherwise(name).alias(name) for name in table.clamped]
    return typed.with_columns(back).cast(dict.fromkeys(table.clamped, UTC_INSTANT)), sum(late.row(0))


def _after(typed: pl.DataFrame, table: TableContract, city: City, supplied_at: datetime | None) -> pl.DataFrame:
    """Reasons for rows of a day that had not come when they were supplied: one would outdate all others."""
    if supplied_at is None:
        return _translated(_no_reasons(), table)
    last = supplied_at.astimezone(ZoneInfo(city.time_zone)).date()
    late = [
        (line, *to_come(table, column, last))
        for column in (table.event_date, *table.past)
        for line in typed.filter(pl.col(column) > last)[LINE]
    ]
    return pl.DataFrame(late, schema=_SAID, orient="row")


def _translated(reasons: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """The reasons with their Dutch beside them."""
    return reasons.with_columns(pl.col(_REASON).replace(in_dutch(table)).alias(_REASON_NL))


def _no_reasons() -> pl.DataFrame:
    return pl.DataFrame(schema={LINE: pl.Int64, _REASON: pl.String})


def _broken_rules(typed: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    blocks = [_broken_in_block(block, table) for block in typed.iter_slices(_BLOCK_ROWS)]
    return pl.concat([_no_reasons(), *blocks])


def _broken_in_block(block: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """The reasons pandera finds, one row per line and broken rule."""
    # a second of import that only a landing pays
    from pandera.errors import SchemaErrors  # noqa: PLC0415

    try:
        _pandera_schema(table).validate(block, lazy=True)
    except SchemaErrors as broken:
        return _explain(block, broken.failure_cases, table)
    return _no_reasons()


def _explain(block: pl.DataFrame, failures: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    unlocated = failures.filter(pl.col("index").is_null())
    if unlocated.height:
        raise SchemaFaultError(f"the contract itself is broken: {unlocated['check'].to_list()}")
    lines = block.with_row_index("index").select(pl.col("index").cast(pl.Int32), LINE)
    wire = {column.name: column.reads or column.name for column in table.columns}
    words = pl.col("check").replace({"not_nullable": MISSING})
    named = pl.col("column").replace(wire) + pl.lit(": ") + words
    # a rule over several columns names them in its own words
    reason = pl.when(pl.col("schema_context") == "Column").then(named).otherwise(words)
    return (
        failures.with_columns(pl.col("index").cast(pl.Int32), reason.alias(_REASON))
        .join(lines, on="index")
        .select(pl.col(LINE).cast(pl.Int64), _REASON)
    )


def _pandera_schema(table: TableContract) -> "pa.DataFrameSchema":
    import pandera.polars as pa  # noqa: PLC0415

    columns = {column.name: _pandera_column(column) for column in table.columns}
    return pa.DataFrameSchema(columns, checks=[_pandera_rule(rule) for rule in table.rules])


def _pandera_column(column: Column) -> "pa.Column":
    import pandera.polars as pa  # noqa: PLC0415

    checks = []
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum, error=below(column)))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum, error=above(column)))
    if column.allowed:
        checks.append(pa.Check.isin(column.allowed, error=not_allowed(column)))
    if column.pattern:
        checks.append(pa.Check.str_matches(column.pattern, error=misshapen(column)))
    return pa.Column(column.dtype, checks, nullable=column.nullable)


def _pandera_rule(rule: RowRule) -> "pa.Check":
    import pandera.polars as pa  # noqa: PLC0415

    return pa.Check(
        lambda data: data.lazyframe.select(rule.holds.fill_null(value=True).alias(rule.name)),
        name=rule.name,
        error=rule.reason,
    )


def _contradictions(good: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """Reasons for rows of which another says something else of the same thing, and neither is the later version."""
    if not table.refuses_contradictions:
        return pl.DataFrame(schema=_SAID)
    same = [*table.key, *(name for name in table.version if name not in table.key)]
    distinct = good.unique(list(table.schema), keep="first", maintain_order=True)
    # of an earlier version it does not matter, and a sort of every delivery would cost more than a look for doubles
    doubled = distinct.filter(pl.struct(same).is_duplicated())
    newest = (
        doubled.sort(*table.version or table.key, nulls_last=False).unique(list(table.key), keep="last").select(same)
    )
    rows = good.join(newest, on=same, how="semi", nulls_equal=True).group_by(same).agg(pl.col(LINE).sort())
    said = [(line, *contradicted(table, lines)) for lines in rows[LINE] for line in lines]
    return pl.DataFrame(said, schema=_SAID, orient="row")


def _resolve(good: pl.DataFrame, table: TableContract) -> tuple[pl.DataFrame, int, int]:
    """One row per key: the last version; equal rows are duplicates, earlier versions superseded."""
    distinct = good.unique(list(table.schema), keep="first", maintain_order=True)
    newest = distinct.sort(*table.version, LINE, nulls_last=False).unique(list(table.key), keep="last")
    ordered = newest.sort(*table.event_order, LINE)
    return ordered, good.height - distinct.height, distinct.height - newest.height


def _quarantine(rows: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    said = reasons.unique([LINE, _REASON], keep="first", maintain_order=True).group_by(LINE, maintain_order=True)
    why = said.agg(pl.col(_REASON).alias(REASONS), pl.col(_REASON_NL).alias(REASONS_NL))
    return rows.join(why, on=LINE, how="inner", maintain_order="left")
