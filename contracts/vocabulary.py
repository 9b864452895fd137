"""The words a source contract is written in.

Belongs here: what a table promises and how its text becomes typed rows. Does not belong here: fetching,
storing, or running a contract (that is `contracts.gate`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial

import polars as pl

from contracts import reading
from contracts.cities.profile import City

UTC_INSTANT = reading.UTC_INSTANT
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

    Attributes:
        reads: the received column it is read from, where that has another name.
        staged: whether a model may read it; else it only lands, beside what was made of it.
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
    staged: bool = True

    @property
    def wire(self) -> str:
        """The name under which it comes in; its own where it has no other."""
        return self.reads or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Column):
    """A column, all that is known of it: what comes in, how that is read and what lands.

    What the door lets through, the typed columns, the parsing, the contract's page, the template and the landing
    table follow from it. Its reading is one expression over the received text, and its limits are values: both can
    be compiled for a whole file at once.

    Attributes:
        nl: what it holds, with its unit and form, in Dutch for the supplier who fills it.
        spelt: how a supplier writes its name, where we name it otherwise.
        required: whether a delivery without it is not this table at all.
        pseudonym: the purpose of the key that replaces it at the door.
        added: whether no supplier fills it: the reader adds it from the file's name or its surroundings.
        arrives: whether it has a received column; else it follows from others.
        lands: whether it is kept; else it only passes the door, for others to be read from or judged by.
        read: the value from the text, given the name of the received column; by default as its type is read.
        read_in: the same, where the city matters.
        then: the value once the others are read, from them and, where one was read, its own.
        words: what its reading knows beside the values that it allows.
    """

    nl: str = ""
    spelt: str = ""
    required: bool = False
    pseudonym: str = ""
    added: bool = False
    arrives: bool = True
    lands: bool = True
    read: Callable[[str], pl.Expr] | None = field(default=None, compare=False)
    read_in: Callable[[str, City], pl.Expr] | None = field(default=None, compare=False)
    then: pl.Expr | Callable[[City], pl.Expr] | None = field(default=None, compare=False)
    words: tuple[str, ...] = ()

    @property
    def listed(self) -> tuple[str, ...]:
        """The words that may stand in it, where only those of a list may; none where anything may."""
        coded = tuple(self.read.codes) if isinstance(self.read, reading.Coded) else ()
        return (*self.allowed, *coded, *self.words, *(reading.BOOLEANS if self.dtype == pl.Boolean else ()))

    def reading(self, city: City) -> pl.Expr | None:
        """The value from the received text; None where it is not read from any."""
        if self.read_in is not None:
            return self.read_in(self.wire, city).alias(self.name)
        read = self.read or (reading.READERS[self.dtype] if self.arrives and self.lands else None)
        return None if read is None else read(self.wire).alias(self.name)

    def following(self, city: City) -> pl.Expr | None:
        """The value from what was read of the row; None where the reading is all."""
        then = self.then(city) if callable(self.then) else self.then
        return None if then is None else then.alias(self.name)

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


def received_of(fields: Sequence[Field]) -> Received:
    """The door's allow-list; a received column from which two fields are read is one."""
    arriving = [each for each in fields if each.arrives]
    return Received(
        columns=tuple(dict.fromkeys(each.wire for each in arriving)),
        required=tuple(each.wire for each in arriving if each.required),
        pseudonyms={each.wire: each.pseudonym for each in arriving if each.pseudonym},
        meaning_nl={each.wire: each.nl for each in arriving if each.nl},
        added=tuple(each.wire for each in arriving if each.added),
        # also of what follows from others, or a reason could not name it
        spelt={each.wire: each.spelt for each in fields if each.spelt},
    )


def columns_of(fields: Sequence[Field], landed: Sequence[str] = ()) -> tuple[Column, ...]:
    """The typed columns that land."""
    landing = {each.name: each for each in fields if each.lands}
    return tuple(landing[name] for name in landed or landing)


def parse_fields(fields: Sequence[Field], prepare: Parse, rows: pl.DataFrame, city: City) -> pl.DataFrame:
    """Text rows to typed rows: each field from its text, then those that follow from others."""
    readings = [expression for each in fields if (expression := each.reading(city)) is not None]
    following = [expression for each in fields if (expression := each.following(city)) is not None]
    return prepare(rows, city).select(readings).with_columns(following)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableContract:
    """What one table promises.

    Attributes:
        fields: every column, in the order in which a supplier gives them; the next three follow from them.
        received: the text columns that pass the door.
        parse: text rows to typed rows, same height and order; null where the text cannot be read.
        columns: the typed columns, in landing order.
        landed: the names of the typed columns in landing order, where it is another than that of the fields.
        prepare: what must be known of the whole delivery before a field can be read, as columns beside the text.
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
    fields: tuple[Field, ...] = ()
    received: Received = field(default_factory=lambda: Received((), ()))
    parse: Parse = lambda rows, _: rows
    columns: tuple[Column, ...] = ()
    landed: tuple[str, ...] = ()
    prepare: Parse = lambda rows, _: rows
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

    def __post_init__(self) -> None:
        """What follows from the fields."""
        if self.fields and not self.columns:
            object.__setattr__(self, "received", received_of(self.fields))
            object.__setattr__(self, "columns", columns_of(self.fields, self.landed))
            object.__setattr__(self, "parse", partial(parse_fields, self.fields, self.prepare))

    @property
    def schema(self) -> pl.Schema:
        """The landed columns and their types."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    @property
    def listed(self) -> dict[str, list[Field]]:
        """The received columns in which only words of a list may stand, each with the fields that are read from it."""
        arriving = [each for each in self.fields if each.arrives and each.wire not in self.received.pseudonyms]
        by_wire = {each.wire: [other for other in arriving if other.wire == each.wire] for each in arriving}
        return {wire: fields for wire, fields in by_wire.items() if all(each.listed for each in fields)}

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
