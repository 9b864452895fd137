"""The gate: the only place that runs a contract.

A pure function of the received rows and the contract: every row ends as accepted, quarantined with its
reasons, a duplicate, or superseded within the delivery.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from contracts.cities.profile import City
from contracts.faults import SchemaFaultError
from contracts.reading import is_formula, is_rounded, sheet_error
from contracts.reasons import Reason, broken_limits, missing, unreadable, wire_name
from contracts.vocabulary import LINE, UTC_INSTANT, Column, RowRule, TableContract

if TYPE_CHECKING:
    import pandera.polars as pa

_BLOCK_ROWS = 500_000
# one reason for one line: its code, the column it is about, and the same in English and Dutch
_CODE, _COLUMN, _REASON, _REASON_NL = "code", "column", "reason", "reason_nl"
_SAID = {LINE: pl.Int64, **dict.fromkeys((_CODE, _COLUMN, _REASON, _REASON_NL), pl.String)}
CODES, COLUMNS, REASONS, REASONS_NL = "reason_codes", "reason_columns", "reasons", "reasons_nl"
WHY = dict.fromkeys((CODES, COLUMNS, REASONS, REASONS_NL), pl.List(pl.String))
"""What stands beside a refused row: lists of equal length, in which one place is one reason."""


@dataclass(frozen=True, slots=True)
class Split:
    """What became of the rows of one table in one delivery.

    Attributes:
        accepted: the contract's columns and `line`.
        quarantined: the received text columns, `line`, and the lists of `WHY`.
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


def split(
    received: pl.DataFrame,
    table: TableContract,
    city: City,
    supplied_at: datetime | None = None,
    titles: Mapping[str, str] | None = None,
) -> Split:
    """Runs the contract of a table over received text rows.

    Args:
        received: text columns that passed the door, and `line` (1-based line or page position).
        table: the contract.
        city: whose time zone holds.
        supplied_at: when the delivery was supplied; a row about a later day is refused, a later moment of a system's
            clock taken back to it. None asks nothing.
        titles: how its file writes our columns, where that is known; its supplier reads the reasons with these.

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
    spoilt = _spoilt(rows, table)
    broken = _unsaid(_unsaid(_broken_rules(typed, table), unread := _unreadable(rows, typed, table)), spoilt)
    reasons = pl.concat([spoilt, _unsaid(unread, spoilt), broken, _to_come(typed, table, city, supplied_at)])
    read = typed.join(reasons, on=LINE, how="anti", maintain_order="left").select(*table.schema, LINE)
    both = _contradictions(read, table)
    good = read.join(both, on=LINE, how="anti", maintain_order="left")
    reasons = _as_titled(pl.concat([reasons, both]), table, titles or {})
    accepted, duplicate, superseded = _resolve(good, table)
    return Split(received.height, accepted, _quarantine(rows, reasons), duplicate, superseded, clamped, noted)


def _nothing(table: TableContract) -> Split:
    quarantined = pl.DataFrame(schema={**table.received.schema, **WHY})
    return Split(0, pl.DataFrame(schema={**table.schema, LINE: pl.Int64}), quarantined, duplicate=0, superseded=0)


def _require_columns(received: pl.DataFrame, table: TableContract) -> None:
    missing = [name for name in table.received.required if name not in received.columns]
    if missing:
        raise SchemaFaultError(
            "lacks_columns", f"table {table.name}", missing=", ".join(missing), found=", ".join(received.columns)
        )


def _with_every_column(received: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    absent = [pl.lit(None, pl.String).alias(name) for name in table.received.columns if name not in received.columns]
    return received.with_columns(absent).select(*table.received.columns, LINE)


def _said(lines: pl.Series, reason: Reason, table: TableContract) -> pl.DataFrame:
    """One reason, said of some lines."""
    words = zip((_CODE, _COLUMN, _REASON, _REASON_NL), (reason.code, reason.column, *reason.said(table)), strict=True)
    return pl.DataFrame({LINE: lines}).select(LINE, *(pl.lit(word).alias(name) for name, word in words))


def _all(found: Iterable[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=_SAID), *(each for each in found if not each.is_empty())])


def _unsaid(reasons: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """The reasons without those of a column of which something else was said already of that line."""
    of_a_column = said.filter(pl.col(_COLUMN) != "")
    return reasons.join(of_a_column, on=[LINE, _COLUMN], how="anti", maintain_order="left")


def _spoilt(rows: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """Reasons for cells in which a spreadsheet left something other than the value that belongs there."""
    wires = table.received.columns
    named = {wire_name(table, column) for column in table.key} | table.received.pseudonyms.keys()
    errors = {wire: rows.select(LINE, sheet_error(wire).alias(_CODE)).drop_nulls(_CODE) for wire in wires}
    return _all(
        [
            *(
                _said(cells[LINE], Reason.of("sheet_error", wire, error=error), table)
                for wire, found in errors.items()
                for (error,), cells in found.group_by(_CODE, maintain_order=True)
            ),
            *(_said(rows.filter(is_formula(wire))[LINE], Reason("uncalculated", wire), table) for wire in wires),
            *(
                _said(rows.filter(is_rounded(wire))[LINE], Reason("rounded", wire), table)
                for wire in wires
                if wire in named
            ),
        ]
    )


def _unreadable(rows: pl.DataFrame, typed: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """Reasons for text that was there but could not be read."""
    return _all(
        _said(
            rows.filter((rows[column.wire].str.strip_chars().fill_null("") != "") & typed[column.name].is_null())[LINE],
            unreadable(column),
            table,
        )
        for column in table.columns
        if column.wire in table.received.columns and column.name not in table.noted
    )


def _noted(rows: pl.DataFrame, typed: pl.DataFrame, table: TableContract) -> tuple[pl.DataFrame, int]:
    """The rows with another value where one breaks the limits of a column that only notes it, and how many did."""
    count = 0
    for column in (column for column in table.columns if column.name in table.noted):
        wire, value = column.wire, typed[column.name]
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


def _to_come(typed: pl.DataFrame, table: TableContract, city: City, supplied_at: datetime | None) -> pl.DataFrame:
    """Reasons for rows of a day that had not come when they were supplied: one would outdate all others."""
    if supplied_at is None:
        return _all([])
    last = supplied_at.astimezone(ZoneInfo(city.time_zone)).date()
    return _all(
        _said(typed.filter(pl.col(name) > last)[LINE], Reason.of("to_come", wire_name(table, name), last=last), table)
        for name in (table.event_date, *table.past)
    )


def _broken_rules(typed: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    return _all(_broken_in_block(block, table) for block in typed.iter_slices(_BLOCK_ROWS))


def _broken_in_block(block: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """The reasons pandera finds, one row per line and broken rule."""
    # a second of import that only a landing pays
    from pandera.errors import SchemaErrors  # noqa: PLC0415

    try:
        _pandera_schema(table).validate(block, lazy=True)
    except SchemaErrors as broken:
        return _explain(block, broken.failure_cases, table)
    return _all([])


def _explain(block: pl.DataFrame, failures: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    unlocated = failures.filter(pl.col("index").is_null())
    if unlocated.height:
        raise SchemaFaultError("broken_contract", checks=unlocated["check"].to_list())
    lines = block.with_row_index("index").select(pl.col("index").cast(pl.Int32), LINE)
    located = failures.with_columns(pl.col("index").cast(pl.Int32)).join(lines, on="index", maintain_order="left")
    reasons: dict[tuple[object, ...], Reason] = {
        **{(column.name, "not_nullable"): missing(column, table) for column in table.columns},
        **{(column.name, each.code): each for column in table.columns for each in broken_limits(column, table)},
        **{(None, rule.name): Reason(rule.name, rule.column) for rule in table.rules},
    }
    # a rule over several columns is of no column to pandera
    named = pl.when(pl.col("schema_context") == "Column").then("column")
    return _all(
        _said(cells[LINE].cast(pl.Int64), reasons[column, check], table)
        for (column, check), cells in located.group_by(named.alias("column"), "check", maintain_order=True)
    )


def _pandera_schema(table: TableContract) -> "pa.DataFrameSchema":
    import pandera.polars as pa  # noqa: PLC0415

    columns = {column.name: _pandera_column(column, table) for column in table.columns}
    return pa.DataFrameSchema(columns, checks=[_pandera_rule(rule) for rule in table.rules])


def _pandera_column(column: Column, table: TableContract) -> "pa.Column":
    import pandera.polars as pa  # noqa: PLC0415

    limits: dict[str, Callable[[str], pa.Check]] = {
        "below": lambda code: pa.Check.ge(column.minimum, error=code),
        "above": lambda code: pa.Check.le(column.maximum, error=code),
        "unlisted": lambda code: pa.Check.isin(column.allowed, error=code),
        "misshapen": lambda code: pa.Check.str_matches(column.pattern, error=code),
        "unmatched": lambda code: pa.Check.str_matches(column.pattern, error=code),
    }
    checks = [limits[reason.code](reason.code) for reason in broken_limits(column, table)]
    return pa.Column(column.dtype, checks, nullable=column.nullable)


def _pandera_rule(rule: RowRule) -> "pa.Check":
    import pandera.polars as pa  # noqa: PLC0415

    return pa.Check(
        lambda data: data.lazyframe.select(rule.holds.fill_null(value=True).alias(rule.name)),
        name=rule.name,
        error=rule.name,
    )


def _contradictions(good: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """Reasons for rows of which another says something else of the same thing, and neither is the later version."""
    if not table.refuses_contradictions:
        return _all([])
    same = [*table.key, *(name for name in table.version if name not in table.key)]
    distinct = good.unique(list(table.schema), keep="first", maintain_order=True)
    # of an earlier version it does not matter, and a sort of every delivery would cost more than a look for doubles
    doubled = distinct.filter(pl.struct(same).is_duplicated())
    newest = (
        doubled.sort(*table.version or table.key, nulls_last=False).unique(list(table.key), keep="last").select(same)
    )
    rows = good.join(newest, on=same, how="semi", nulls_equal=True).group_by(same).agg(pl.col(LINE).sort())
    wires = (wire_name(table, name) for name in table.key)
    wire = next(name for name in wires if name in table.received.columns)
    # there may be as many of them as lines: each a frame of its own would take minutes
    found = [(line, *_contradiction(wire, lines, table)) for lines in rows[LINE] for line in lines]
    return pl.DataFrame(found, schema=_SAID, orient="row")


def _contradiction(wire: str, lines: pl.Series, table: TableContract) -> tuple[str, ...]:
    *others, last = map(str, lines)
    reason = Reason.of("contradicted", wire, first=", ".join(others), last=last)
    return reason.code, reason.column, *reason.said(table)


def _resolve(good: pl.DataFrame, table: TableContract) -> tuple[pl.DataFrame, int, int]:
    """One row per key: the last version; equal rows are duplicates, earlier versions superseded."""
    distinct = good.unique(list(table.schema), keep="first", maintain_order=True)
    newest = distinct.sort(*table.version, LINE, nulls_last=False).unique(list(table.key), keep="last")
    ordered = newest.sort(*table.event_order, LINE)
    return ordered, good.height - distinct.height, distinct.height - newest.height


def _as_titled(reasons: pl.DataFrame, table: TableContract, titles: Mapping[str, str]) -> pl.DataFrame:
    """The reasons with each column called as its file does; one that follows from another is called as that one."""
    usual = {name: table.received.spelling(name) for name in (*table.received.columns, *table.received.spelt)}
    of_the_file = {usual[name]: title for name, title in titles.items() if name in usual}
    called = {name: of_the_file[spelt] for name, spelt in usual.items() if spelt in of_the_file}
    words = pl.col(_REASON_NL).str.slice(pl.col(_COLUMN).replace(usual).str.len_chars())
    titled = pl.when(pl.col(_COLUMN).is_in(list(called))).then(pl.col(_COLUMN).replace(called) + words)
    return reasons.with_columns(titled.otherwise(_REASON_NL).alias(_REASON_NL)) if called else reasons


def _quarantine(rows: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    said = reasons.unique([LINE, _REASON], keep="first", maintain_order=True).group_by(LINE, maintain_order=True)
    why = said.agg(
        pl.col(one).alias(many) for one, many in zip((_CODE, _COLUMN, _REASON, _REASON_NL), WHY, strict=True)
    )
    return rows.join(why, on=LINE, how="inner", maintain_order="left")
