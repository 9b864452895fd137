"""What a supplier gets back: what would be refused before sending, and what was refused after.

Belongs here: checking a file without landing it, gathering refused lines, and writing them to a file that a
spreadsheet opens safely. Does not belong here: which line is still open (`orchestration.loop.earlier`).
"""

import csv
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import polars as pl
from pydantic import SecretStr

from contracts.faults import FaultError
from contracts.gate import COLUMNS, REASONS, REASONS_NL, WHY
from contracts.vocabulary import LINE, SourceContract, TableContract
from ingestion.areas import Areas
from ingestion.delivery import Context, DroppedFile
from ingestion.door import KeyRing
from orchestration.loop.context import clock_from, context_of
from orchestration.loop.dropped import opening, read_whole, shown_name, supplied_at
from orchestration.loop.earlier import CLOSED_BY, refused_lines
from orchestration.loop.passage import NOT_ITS_FAULT, Passage, Passed, what_broke
from orchestration.settings import Settings
from warehouse.lake import Lake

PSEUDONYM_NL = "(pseudoniem)"
WORKBOOK, TEXT = ".xlsx", ".csv"
_MOST_SHEET_ROWS = 1_000_000
# a cell that starts so is a formula to a spreadsheet, unless it is a plain number
_FORMULA = r"^\s*[=+\-@\t\r]"
_PLAIN_NUMBER = r"^[+-]?\d+([.,]\d+)*$"
_NOT_IN_XML = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
_DELIVERED_NL = {"batch_id": "levering", "origin": "bestand", LINE: "regel"}
_WHY_NL = {REASONS_NL: "wat is er mis", REASONS: "what is wrong"}
_CLOSED_NL = "gesloten door"
_Answer = TypeVar("_Answer")


class ExportError(ValueError):
    """Refused lines cannot be written there; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What landing a file would do; nothing was written.

    Attributes:
        told_as: how the data team names the file, where its own name holds words that are kept nowhere.
        received: rows read.
        refused: per table the refused rows: received text, `line`, and the lists of `contracts.gate.WHY`.
        withheld: by reason, rows that would not pass the door.
        dropped_columns: columns that no contract names.
        not_checked: in Dutch, what could not be checked here.
        fault: why the whole file would be refused.
    """

    origin: str
    told_as: str = ""
    received: int = 0
    refused: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    withheld: Mapping[str, int] = field(default_factory=dict)
    dropped_columns: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    fault: FaultError | None = None

    @property
    def refused_rows(self) -> int:
        """How many rows would be refused."""
        return sum(frame.height for frame in self.refused.values())

    @property
    def is_fine(self) -> bool:
        """Whether all of it would land."""
        return self.fault is None and self.refused_rows == 0


def check(path: Path, contract: SourceContract, settings: Settings, now: datetime) -> Checked:
    """Takes a file along the way that a landing takes, and writes nothing.

    It needs no lake: what an empty or absent profile cannot tell is named in `not_checked`.

    Args:
        path: the file.
        contract: of the source it would be sent to.
        settings: of the profile; its folder need not exist.
        now: the moment at which it would be supplied, unless a `.ready` beside it names another.
    """
    missed: list[str] = []
    context = replace(context_of(settings, Lake(settings.layout.lake)), now=clock_from(settings, now))
    passage = Passage(contract, _watched(context, missed), _any_key, is_for_its_sender=True)
    try:
        with opening(path):
            file = DroppedFile(path, supplied_at(path) or now, read_whole(path, contract))
        checked = _report(path, passage.judge(passage.enter(passage.read(file), is_dropped=True)))
    except FaultError as fault:
        checked = Checked(path.name, fault=fault)
    except NOT_ITS_FAULT as broken:
        checked = Checked(path.name, fault=FaultError("not_its_fault", why=what_broke(broken, contract)))
    told_as = "" if (told := shown_name(path)) == path.name else told
    return replace(checked, told_as=told_as, not_checked=tuple(dict.fromkeys(missed)))


def _any_key() -> KeyRing:
    """Nothing of what is checked is kept, so any key will do, and the city's own need not be here."""
    return KeyRing((SecretStr(secrets.token_hex()),))


def _report(path: Path, passed: Passed) -> Checked:
    contract, splits = passed.contract, passed.splits
    return Checked(
        origin=path.name,
        received=sum(split.received for split in splits.values()),
        refused={name: without_pseudonyms(split.quarantined, contract.table(name)) for name, split in splits.items()},
        withheld=passed.delivery.withheld,
        dropped_columns=tuple(name for dropped in passed.admitted.dropped_columns.values() for name in dropped),
    )


def _watched(context: Context, missed: list[str]) -> Context:
    """A context that notes in Dutch what it was asked and could not tell."""

    def rows(source: str, table: str) -> pl.DataFrame:
        try:
            return context.rows(source, table)
        except LookupError:
            missed.append(f"of de rijen passen bij {source} ({table}): daar is hier niets van geladen")
            raise

    def areas() -> Areas | None:
        return _noted(context.areas, lambda found: found is None, "in welke gemeente of sector iets ligt")

    def registry() -> pl.DataFrame:
        return _noted(context.registry, pl.DataFrame.is_empty, "of de indicator en de eenheid in het register staan")

    def _noted(ask: Callable[[], _Answer], is_nothing: Callable[[_Answer], bool], what: str) -> _Answer:
        found = ask()
        if is_nothing(found):
            missed.append(f"{what}: dat staat niet op deze computer")
        return found

    return replace(context, rows=rows, areas=areas, registry=registry)


def without_pseudonyms(lines: pl.DataFrame, table: TableContract, shown: str | None = PSEUDONYM_NL) -> pl.DataFrame:
    """The lines with what stands for a person replaced."""
    hidden = [name for name in table.received.pseudonyms if name in lines.columns]
    return lines.with_columns(
        pl.when(pl.col(name).is_not_null()).then(pl.lit(shown, pl.String)).alias(name) for name in hidden
    )


def reasons_of(lines: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """One row per refused line and reason.

    Args:
        lines: refused rows with `line` and the lists of `contracts.gate.WHY`.
        table: their contract.

    Returns:
        `line`, `column` (as the supplier names it; empty where a rule names none), `value` (its text), `reason`
        and `reason_nl`.
    """
    named = lines.select(
        pl.all().exclude(WHY),
        pl.col(COLUMNS).alias("column"),
        pl.col(REASONS).alias("reason"),
        pl.col(REASONS_NL).alias("reason_nl"),
    )
    each = named.explode("column", "reason", "reason_nl")
    # only the column's own text is taken: a name of ours may be one of the supplier's
    values = [pl.when(pl.col("column") == name).then(pl.col(name)) for name in table.received.columns]
    spelt = pl.col("column").replace(dict(table.received.spelt))
    return each.select(LINE, spelt, pl.coalesce(values).alias("value"), "reason", "reason_nl").sort(LINE)


def given_back(lake: Lake, contract: SourceContract, settings: Settings, *, closed: bool) -> dict[str, pl.DataFrame]:
    """Per table the refused lines of a source, oldest delivery first; those that were closed only when asked.

    See `orchestration.loop.earlier.refused_lines` for the columns. Nothing in them came past the door unredacted.
    """
    batches = lake.live(contract.name)
    found: dict[str, pl.DataFrame] = {}
    for table in contract.tables:
        lines = refused_lines(lake, table, settings.city, batches)
        found[table.name] = lines if closed else lines.filter(pl.col(CLOSED_BY).is_null())
    return found


def export(tables: Mapping[str, pl.DataFrame], contract: SourceContract, path: Path) -> int:
    """Writes refused lines with the reason beside each, for the supplier to correct and send again.

    The columns we ask for keep their names, so that the corrected file can be delivered as it is. A pseudonym
    is left empty: sent back, it would pass for a value.

    Args:
        tables: per table refused rows, as `check` or `given_back` gives them.
        contract: of their source.
        path: an .xlsx (a sheet per table) or a .csv.

    Returns:
        How many lines.

    Raises:
        ExportError: the ending is another one, or there are too many lines for a sheet.
    """
    if path.suffix.lower() not in {WORKBOOK, TEXT}:
        raise ExportError(f"{path.name}: schrijf naar een bestand op {WORKBOOK} of {TEXT}")
    sheets = {name: _sheet(lines, contract.table(name)) for name, lines in tables.items() if not lines.is_empty()}
    if path.suffix.lower() == TEXT:
        _write_text(sheets, path)
    else:
        _write_workbook(sheets, path)
    return sum(sheet.height for sheet in sheets.values())


def _sheet(lines: pl.DataFrame, table: TableContract) -> pl.DataFrame:
    """The columns of an export, all of them text that no spreadsheet runs."""
    lines = without_pseudonyms(lines, table, shown=None)
    delivered = [pl.col(name).cast(pl.String).alias(nl) for name, nl in _DELIVERED_NL.items() if name in lines.columns]
    closed = [pl.col(CLOSED_BY).alias(_CLOSED_NL)] if CLOSED_BY in lines.columns and lines[CLOSED_BY].count() else []
    why = [pl.col(name).list.join(" ").alias(nl) for name, nl in _WHY_NL.items()]
    asked = [pl.col(name).alias(spelt) for name, spelt in _spelt(lines, table).items()]
    return lines.select(*delivered, *closed, *why, *asked).select(_harmless(pl.all()))


def _spelt(lines: pl.DataFrame, table: TableContract) -> dict[str, str]:
    """The columns that a supplier fills, by the names under which he can deliver them again."""
    asked = [name for name in table.received.columns if name in lines.columns and name not in table.received.added]
    # what the API alone fills keeps our name beside the one that a file fills
    return {name: table.received.spelling(name) if table.received.is_filled(name) else name for name in asked}


def _harmless(cell: pl.Expr) -> pl.Expr:
    text = cell.str.replace_all(_NOT_IN_XML, "")
    runs = text.str.contains(_FORMULA) & ~text.str.contains(_PLAIN_NUMBER)
    return pl.when(runs).then("'" + text).otherwise(text).name.keep()


def _write_text(sheets: Mapping[str, pl.DataFrame], path: Path) -> None:
    named = sheets if len(sheets) < 2 else {name: _named(sheet, name) for name, sheet in sheets.items()}
    rows = pl.concat(named.values(), how="diagonal") if named else pl.DataFrame()
    # with its mark and its separator a Dutch Excel opens it by a double click
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(rows.columns)
        writer.writerows(rows.iter_rows())


def _named(sheet: pl.DataFrame, name: str) -> pl.DataFrame:
    return sheet.select(pl.lit(name).alias("tabel"), pl.all())


def _write_workbook(sheets: Mapping[str, pl.DataFrame], path: Path) -> None:
    # only an export pays for it
    from openpyxl import Workbook  # noqa: PLC0415

    book = Workbook(write_only=True)
    for name, sheet in (sheets or {"niets": pl.DataFrame()}).items():
        if sheet.height > _MOST_SHEET_ROWS:
            raise ExportError(f"{path.name}: {sheet.height} regels passen niet op een blad; schrijf naar {TEXT}")
        page = book.create_sheet(name[:31])
        page.append(sheet.columns)
        for row in sheet.iter_rows():
            page.append(row)
    book.save(path)
