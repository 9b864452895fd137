"""Where the model is filled from, in Power Query: PostgreSQL, or the Parquet files of a folder.

A project names one of the two: a gateway asks a login for every source that a query mentions, also in a branch that
is never taken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from warehouse.published.powerbi.model import BUILD_ID, Table

_STEP = "    "


@dataclass(frozen=True, slots=True)
class Expression:
    """A named expression of Power Query, shared by all tables.

    Attributes:
        kind: what it gives.
    """

    name: str
    lines: tuple[str, ...]
    kind: str
    description: str


class Source(Protocol):
    """What the tables are read from."""

    def expressions(self) -> Sequence[Expression]:
        """What every table shares: parameters, and how a table is found."""
        ...

    def query(self, table: Table) -> Sequence[str]:
        """The query that fills a table, line by line."""
        ...


def parameter(name: str, value: str, description: str, *, is_required: bool = True) -> Expression:
    """A parameter that whoever opens the project may change."""
    meta = f'meta [IsParameterQuery=true, Type="Text", IsParameterQueryRequired={str(is_required).lower()}]'
    return Expression(name, (f"{_text(value)} {meta}",), "Text", description)


@dataclass(frozen=True, slots=True)
class Postgres:
    """The views in PostgreSQL."""

    server: str
    database: str

    def expressions(self) -> Sequence[Expression]:
        """See `Source`."""
        return (
            parameter("Server", self.server, "Server van PostgreSQL, met de poort als die niet 5432 is."),
            parameter("Database", self.database, "Databank op die server."),
        )

    def query(self, table: Table) -> Sequence[str]:
        """See `Source`."""
        found = f'Databank{{[Schema = "marts", Item = {_text(table.mart.name)}]}}[Data]'
        return _let(
            ("Databank", "PostgreSQL.Database(Server, Database, [CreateNavigationProperties = false])"),
            ("Tabel", found),
            ("Kolommen", _selected("Tabel", table)),
        )


_POINTER = 'Json.Document(Map{[Name = "current.json"]}[Content])'
_FOUND: Final = (
    "(schema as text, naam as text) as table =>",
    f"{_STEP}let",
    f"{_STEP}{_STEP}Map = Folder.Contents(Folder),",
    f"{_STEP}{_STEP}Wijzer = {_POINTER},",
    f'{_STEP}{_STEP}Delen = Text.Split(Wijzer[parquet], "/") & {{schema, naam & ".parquet"}},',
    f"{_STEP}{_STEP}Bestand = List.Accumulate(Delen, Map, (inhoud, deel) => inhoud{{[Name = deel]}}[Content]),",
    f"{_STEP}{_STEP}Tabel = Parquet.Document(Bestand)",
    f"{_STEP}in",
    f'{_STEP}{_STEP}if Table.HasColumns(Tabel, "{BUILD_ID}") then Tabel',
    f'{_STEP}{_STEP}else Table.AddColumn(Tabel, "{BUILD_ID}", each Wijzer[build_id], type text)',
)
_AS_UTC: Final = (
    "(moment) => if moment is datetimezone then DateTimeZone.RemoveZone(DateTimeZone.ToUtc(moment)) else moment",
)
_AS_TEXT: Final = (
    '(waarde) => if waarde is list then Text.Combine(List.Transform(waarde, Text.From), "; ") else waarde',
)


@dataclass(frozen=True, slots=True)
class Folder:
    """The Parquet files of the published folder, for whoever has no PostgreSQL."""

    folder: str

    def expressions(self) -> Sequence[Expression]:
        """See `Source`."""
        return (
            parameter("Folder", self.folder, "Map met current.json: de map `published` van het profiel."),
            Expression(
                "Tabel",
                _FOUND,
                "Function",
                "Zoekt in current.json welke publicatie telt, en opent daarvan één tabel.",
            ),
            Expression("AlsUtc", _AS_UTC, "Function", "Een moment zonder tijdzone, in UTC."),
            Expression("AlsTekst", _AS_TEXT, "Function", "Een lijst als één tekst."),
        )

    def query(self, table: Table) -> Sequence[str]:
        """See `Source`."""
        types = {column.name: column.type for column in table.mart.columns}
        moments = [name for name, kind in types.items() if kind.startswith("timestamp")]
        lists = [name for name, kind in types.items() if kind.endswith("]")]
        changes = [
            *(f'{{"{name}", AlsUtc, type nullable datetime}}' for name in moments),
            *(f'{{"{name}", AlsTekst, type nullable text}}' for name in lists),
        ]
        found = ("Bestand", f"Tabel({_text(table.mart.schema)}, {_text(table.mart.name)})")
        if not changes:
            return _let(found, ("Kolommen", _selected("Bestand", table)))
        typed = ("Waarden", f"Table.TransformColumns(Bestand, {{{', '.join(changes)}}})")
        return _let(found, typed, ("Kolommen", _selected("Waarden", table)))


READERS: Final = "Lezer"
"""The table that says which department a reader belongs to."""

_READERS = "Lezers"


def readers_parameter() -> Expression:
    """Who belongs to which department, written by whoever manages the report; people stand nowhere else."""
    why = "Wie bij welke afdeling hoort, voor de rol Eigen afdeling: mail=code; mail=code. Een * is elke afdeling."
    return parameter(_READERS, "", why, is_required=False)


def readers_query() -> Sequence[str]:
    """The table of readers, from that parameter."""
    return _let(
        ("Regels", f'List.Select(Text.Split({_READERS}, ";"), each Text.Contains(_, "="))'),
        ("Delen", 'List.Transform(Regels, each List.Transform(Text.Split(_, "="), Text.Trim))'),
        ("Tabel", "#table(type table [Gebruiker = text, Afdeling = text], Delen)"),
    )


def _selected(step: str, table: Table) -> str:
    columns = ", ".join(_text(field.source) for field in table.fields)
    return f"Table.SelectColumns({step}, {{{columns}}})"


def _let(*steps: tuple[str, str]) -> Sequence[str]:
    return tuple(_steps(steps))


def _steps(steps: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield "let"
    for number, (name, made) in enumerate(steps, start=1):
        yield f"{_STEP}{name} = {made}{',' if number < len(steps) else ''}"
    yield "in"
    yield f"{_STEP}{steps[-1][0]}"


def _text(value: str) -> str:
    """A text as Power Query writes it."""
    escaped = value.replace('"', '""')
    return f'"{escaped}"'
