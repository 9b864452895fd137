"""The words a source contract is written in.

Belongs here: what a table promises and how its text becomes typed rows. Does not belong here: fetching,
storing, or running a contract (that is `contracts.gate`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import polars as pl

from contracts.cities.profile import City

UTC_INSTANT = pl.Datetime("us", "UTC")
LINE = "line"


class Sensitivity(StrEnum):
    """How close a source's rows come to a person."""

    NONE = "none"
    PERSONAL = "personal"


class Delivers(StrEnum):
    """What one delivery of a table means for the rows of earlier ones."""

    CHANGES = "changes"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Every:
    """Load on a clock; cron in the city's time zone."""

    cron: str


@dataclass(frozen=True, slots=True)
class OnArrival:
    """Load when a file with one of these endings lies in the source's drop folder."""

    endings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One typed column of a landed table, with the limits a value must respect.

    `reads` names the received column it is read from, where that has another name.
    """

    name: str
    dtype: pl.DataType | type[pl.DataType]
    description: str
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    reads: str = ""

    @property
    def wire(self) -> str:
        """The name under which it comes in; its own where it has no other."""
        return self.reads or self.name


class Way(StrEnum):
    """Where a figure goes when some rows are gone."""

    NEITHER = "neither"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that breaks a rule is refused: which rows that hits, and which way it moves a figure.

    Any row that is missing lowers a total, which completeness tells. What stands here is what a rule does beside that:
    one that hits rows of one kind alone moves a share or an average too.

    Attributes:
        rows: which rows break the rule.
        way: where a figure of the table goes without them.
        told_by: the model or test of the dbt project by which that shows; needed where the way is not neither.
    """

    rows: str
    way: Way = Way.NEITHER
    told_by: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """A value that breaks its column's limits is replaced and counted: a refusal would take rows of one kind away."""

    instead: str | None = None


EVENLY = Refused("rows of every kind")
OURS = Refused("none: our own reader writes the value")


@dataclass(frozen=True, slots=True)
class RowRule:
    """A rule over several columns of one row; `holds` is true or null where the row is right.

    Attributes:
        name: the code of its reason.
        column: the received column it is about; empty where it is about none.
        reason: why a row is refused, for the data team.
        reason_nl: the same in Dutch, for the supplier.
        refused: which rows it hits, and which way that moves a figure.
    """

    name: str
    column: str
    reason: str
    holds: pl.Expr
    reason_nl: str
    refused: Refused


@dataclass(frozen=True, slots=True)
class Received:
    """The columns of a table as the supplier's text: the door's allow-list.

    Attributes:
        columns: every column that may pass the door.
        required: those without which the delivery is not this table at all.
        pseudonyms: columns replaced at the door by a keyed pseudonym, with the purpose of its key.
        meaning_nl: what a column holds, with its unit and form, in Dutch for the supplier who fills it.
        added: columns that no supplier fills: the reader adds them from the file's name or its surroundings.
        spelt: how a supplier writes the name of a column that we name otherwise, also of one derived from his.
    """

    columns: tuple[str, ...]
    required: tuple[str, ...]
    pseudonyms: Mapping[str, str] = field(default_factory=dict)
    meaning_nl: Mapping[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    spelt: Mapping[str, str] = field(default_factory=dict)

    @property
    def schema(self) -> pl.Schema:
        """The received columns, all of them text, and `line`."""
        return pl.Schema({**dict.fromkeys(self.columns, pl.String()), LINE: pl.Int64()})

    def no_rows(self) -> pl.DataFrame:
        """What a delivery without a row of this table brings of it."""
        return pl.DataFrame(schema=self.schema)

    def spelling(self, column: str) -> str:
        """The name of a column as its supplier writes it."""
        return self.spelt.get(column, column)

    def is_filled(self, column: str) -> bool:
        """Whether a supplier fills a column himself: one spelt as an earlier one follows from that."""
        spelt = self.spelling(column)
        return column == next((name for name in self.columns if self.spelling(name) == spelt), None)


Parse = Callable[[pl.DataFrame, City], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class TableContract:
    """What one table promises.

    Attributes:
        received: the text columns that pass the door.
        parse: text rows to typed rows, same height and order; null where the text cannot be read.
        columns: the typed columns, in landing order.
        key: the columns that name one row.
        version: columns that order two rows of one key by content; the last one wins.
        event_date: the column holding the city date a row touches.
        event_order: columns by which the loader orders rows, oldest first.
        speaks_until: the instant column whose maximum is the table's `complete_until`, where the
            supplier does not say it.
        past: further dates that cannot lie after the day of delivery: as a version, one such would win for ever.
        clamped: instants of a system's clock that are taken back to the moment of delivery where they lie past it: a
            refusal would take away what changed last.
        refuses_contradictions: whether of two rows of one key and version that differ neither counts, as in a file;
            else the later line does, as in a crawl that met it twice.
        refused: what refusing a row does, by whatever rule; see `breaches` for those of which it is something else.
        breaches: what becomes of a value that breaks the limits of its column, by landed column.
        description_nl: what one row is, in Dutch for the supplier.
        is_ours: whether we write its rows ourselves, about a delivery, whatever becomes of the supplier's own.
    """

    name: str
    description: str
    received: Received
    parse: Parse
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    version: tuple[str, ...]
    event_date: str
    event_order: tuple[str, ...]
    rules: tuple[RowRule, ...] = ()
    delivers: Delivers = Delivers.CHANGES
    speaks_until: str | None = None
    past: tuple[str, ...] = ()
    clamped: tuple[str, ...] = ()
    refuses_contradictions: bool = False
    refused: Refused = EVENLY
    breaches: Mapping[str, Refused | Noted] = field(default_factory=dict)
    description_nl: str = ""
    is_ours: bool = False

    @property
    def schema(self) -> pl.Schema:
        """The landed columns and their types."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    @property
    def noted(self) -> dict[str, str | None]:
        """The columns whose broken values are replaced and counted, with what they become."""
        return {name: each.instead for name, each in self.breaches.items() if isinstance(each, Noted)}


@dataclass(frozen=True, slots=True)
class SourceContract:
    """One supplier of municipal data and what the city may expect of it.

    Attributes:
        version: raised when the same text would be accepted differently.
        triggers: how it comes in; a source may be both dropped and pulled.
        fresh_within: a delivery older than this is late.
        retention: how long its rows are kept.
        delivery_nl: how a supplier delivers it, in Dutch: where from, how named, how often.
        has_template: its file is our own table, so that an empty one can be handed out.
        registers: the sources whose newest delivery says what of this one may be kept.
    """

    name: str
    title_nl: str
    owner: str
    version: int
    triggers: tuple[Every | OnArrival, ...]
    fresh_within: timedelta
    retention: timedelta
    sensitivity: Sensitivity
    tables: tuple[TableContract, ...]
    delivery_nl: str = ""
    has_template: bool = False
    registers: tuple[str, ...] = ()

    @property
    def crons(self) -> tuple[str, ...]:
        """The clocks on which it is pulled; none where it only arrives."""
        return tuple(trigger.cron for trigger in self.triggers if isinstance(trigger, Every))

    @property
    def endings(self) -> tuple[str, ...]:
        """The endings of the files that may lie in its drop folder; none where it is only pulled."""
        return tuple(ending for each in self.triggers if isinstance(each, OnArrival) for ending in each.endings)

    def table(self, name: str) -> TableContract:
        """The table of that name.

        Raises:
            KeyError: the source promises no such table.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(f"{self.name} promises no table {name}")
