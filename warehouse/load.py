"""Loads committed batches into the landing tables, and says what a build must know beside them.

Belongs here: the landing tables and the one function that fills them. Does not belong here: choosing between
versions of a row (dbt). Each batch is one DuckDB transaction: its rows, its ledger row and the dates it touches
are there together or not at all. The order in which batches are loaded changes nothing but the order of rows.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

import duckdb
import polars as pl

from contracts.cities.calendar import days
from contracts.cities.profile import City
from contracts.gate import CODES, COLUMNS, REASONS, REASONS_NL
from contracts.kinds import INSTANT, TEXT, WHOLE, kind_of
from contracts.reasons import of_any_row
from contracts.vocabulary import LINE, UTC_INSTANT, SourceContract, TableContract
from warehouse.batch import KNOWN_AT, Manifest
from warehouse.durable import require_free, telling_when_full
from warehouse.engine import transaction
from warehouse.lake import Lake

# a row that bears one is about a KPI, and no other is to blame when it is refused
_KPI_ID = "kpi_id"
# other text in its place may be anybody's words
_LIKE_A_KPI = "[a-z][a-z0-9_]{2,79}"
_ORIGIN_COLUMNS = {
    "batch_id": TEXT.sql,
    LINE: WHOLE.sql,
    "supplied_at": INSTANT.sql,
    "content_sha256": TEXT.sql,
    "known_at": INSTANT.sql,
}
# the folder `batch=<id>` is a name, not a column
_FILE = "read_parquet($file, hive_partitioning = false)"
_FRACTIONAL = ("DOUBLE", "FLOAT", "DECIMAL")
# the oldest source, 1777, began in 2010
_CALENDAR = (date(2010, 1, 1), date(2051, 12, 31))
_LEDGER = """
create schema if not exists landing;
create schema if not exists quality;
create table if not exists landing.loaded_batches (
    batch_id varchar primary key, source varchar, origin varchar, supplied_at timestamptz, known_at timestamptz,
    complete_until timestamptz, content_sha256 varchar, contract_version integer
);
create table if not exists landing.batch_counts (
    batch_id varchar, source varchar, table_name varchar, received bigint, accepted bigint, quarantined bigint,
    duplicate bigint, superseded bigint, is_full boolean
);
alter table landing.batch_counts add column if not exists is_full boolean;
create table if not exists landing.refusals (
    batch_id varchar, source varchar, table_name varchar, reason varchar, reason_nl varchar, rows bigint
);
alter table landing.refusals add column if not exists reason_code varchar;
alter table landing.refusals add column if not exists column_name varchar;
create table if not exists landing.refused_kpis (batch_id varchar, source varchar, kpi_id varchar, rows bigint);
create table if not exists landing.affected (source varchar, table_name varchar, event_date date);
create table if not exists landing.source_status (
    source varchar primary key, complete_until timestamptz, last_asked_at timestamptz
);
create table if not exists landing.city_days (
    date date, holiday varchar, closing_reason varchar, is_working_day boolean, working_day_no bigint
);
create table if not exists landing.build (
    build_id varchar, as_of_date date, city varchar, is_synthetic boolean
);
create table if not exists landing.said (
    target_id varchar, status varchar, status_nl varchar, former_status_nl varchar, method_changed boolean,
    as_of_date date, method_version bigint, definition_version bigint
);
create table if not exists quality.dq_verdict (
    kpi_id varchar, verdict varchar, reasons varchar[], build_id varchar
);
comment on table quality.dq_verdict is
    'NL Of de gegevens achter elke indicator te vertrouwen zijn; één rij per indicator '
    '| EN Whether the data behind each indicator can be relied on; one row per indicator';
comment on column quality.dq_verdict.kpi_id is 'NL Code van de indicator | EN Code of the indicator';
comment on column quality.dq_verdict.verdict is
    'NL Oordeel over de gegevens: verified of unverified | EN Judgement of the data: verified or unverified';
comment on column quality.dq_verdict.reasons is
    'NL Waarom de gegevens niet geverifieerd zijn | EN Why the data are not verified';
comment on column quality.dq_verdict.build_id is 'NL Code van de bouw | EN Code of the build';
"""
_STATUS_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.String,
    "complete_until": UTC_INSTANT,
    "last_asked_at": UTC_INSTANT,
}
_REPLACE_STATUS = """
insert into landing.source_status by name
select source, max(complete_until) as complete_until, max(last_asked_at) as last_asked_at
from (
    select source, complete_until, last_asked_at from asked
    union all by name
    select source, complete_until from landing.loaded_batches
)
group by source
order by source
"""

StatusRow = tuple[str, datetime | None, datetime | None]


class LoadError(RuntimeError):
    """The landing tables cannot hold what a contract or batch says; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading one batch did.

    Attributes:
        rows: rows inserted per table; empty when the batch could not be loaded.
        drift: what differs from the contract, or can no longer be shown as it was, in words.
        error: why nothing of this batch was loaded, or None.
    """

    batch_id: str
    source: str
    rows: Mapping[str, int] = field(default_factory=dict)
    drift: tuple[str, ...] = ()
    error: str | None = None


def landing_name(source: str, table: str) -> str:
    """The landing table of a source's table, with its schema."""
    return f'landing."{source}__{table}"'


def ensure_landing(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, SourceContract]) -> None:
    """Makes every landing table, typed and empty; a column that a contract gained is added.

    Raises:
        LoadError: a column's type in the contract is no longer that of the table.
    """
    with transaction(con):
        con.execute(_LEDGER)
        for source, table in _tables(contracts):
            _ensure_table(con, f"{source}__{table.name}", landing_columns(table))


def landing_columns(table: TableContract) -> dict[str, str]:
    """The columns of a landing table and their DuckDB types."""
    return {**{column.name: kind_of(column).sql for column in table.columns}, **_ORIGIN_COLUMNS}


def load(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    contracts: Mapping[str, SourceContract],
    batches: Collection[str] | None = None,
) -> list[Loaded]:
    """Loads every live batch that counts and is not loaded yet; one that fails stops only itself.

    A batch that the lake no longer holds is forgotten: an older backup of it was put back.

    Args:
        con: the warehouse.
        lake: where the batches lie.
        contracts: the contracts by source.
        batches: the only batches to load; None for all. A build names its own, so that what lands
            meanwhile waits for the next.

    Returns:
        One result per batch tried; empty when there was nothing new.

    Raises:
        DiskFullError: it might not fit; that batch and those after it were not loaded.
        LoadError: see `ensure_landing`.
    """
    ensure_landing(con, contracts)
    _forget_lost(con, lake, contracts)
    known = {row[0] for row in con.execute("select batch_id from landing.loaded_batches").fetchall()}
    due = (batch for batch in lake.counting() if batches is None or batch.batch_id in batches)
    return [_load_batch(con, lake, contracts, batch) for batch in due if batch.batch_id not in known]


def load_known(
    con: duckdb.DuckDBPyConnection, lake: Lake, contracts: Mapping[str, SourceContract], moment: datetime
) -> list[Loaded]:
    """Loads into an empty warehouse what was known at a moment: of each batch the version that stood then.

    Where that version can no longer be read beside the others (`Lake.nearest`), the nearest one is loaded without
    the rows that were not known yet, and its rows are counted as they were then.

    Returns:
        One result per batch that was known.

    Raises:
        DiskFullError, LoadError: see `load`.
    """
    ensure_landing(con, contracts)
    known = [(each, lake.stood(each, moment)) for each in lake.counting() if each.known_at <= moment]
    return [
        _load_batch(con, lake, contracts, lake.nearest(each, moment), _Then(stood, moment))
        for each, stood in known
        # what a replay let in later did not count then
        if not stood.is_refused
    ]


def write_profile(con: duckdb.DuckDBPyConnection, city: City) -> None:
    """Replaces the city's calendar."""
    with _registered(con, "calendar", days(city, *_CALENDAR)), transaction(con):
        con.execute("delete from landing.city_days")
        con.execute("insert into landing.city_days by name select * from calendar order by date")


def write_status(con: duckdb.DuckDBPyConnection, rows: Iterable[StatusRow]) -> None:
    """Replaces what is known of each source: the later of what its batches and the state say.

    Args:
        con: the warehouse.
        rows: source, complete_until and last_asked_at, as the state knows them.
    """
    asked = pl.DataFrame(list(rows), schema=_STATUS_SCHEMA, orient="row")
    with _registered(con, "asked", asked), transaction(con):
        con.execute("delete from landing.source_status")
        con.execute(_REPLACE_STATUS)


def write_build(con: duckdb.DuckDBPyConnection, build_id: str, as_of: date, city: str, *, is_synthetic: bool) -> None:
    """Replaces the one row that says which build this is."""
    with transaction(con):
        con.execute("delete from landing.build")
        con.execute("insert into landing.build values (?, ?, ?, ?)", [build_id, as_of, city, is_synthetic])


def write_said(con: duckdb.DuckDBPyConnection, said: pl.DataFrame) -> None:
    """Replaces what was last said of each target by what the log holds of it.

    Args:
        con: the warehouse.
        said: a row per target; a column that an earlier version did not write is empty.
    """
    columns = [row[0] for row in con.execute("describe landing.said").fetchall()]
    known = said.select(name for name in columns if name in said.columns)
    with _registered(con, "known", known), transaction(con):
        con.execute("delete from landing.said")
        con.execute("insert into landing.said by name select * from known")


def clear_affected(con: duckdb.DuckDBPyConnection) -> None:
    """Forgets the touched dates; only for a build that is committed and so has redone them."""
    con.execute("delete from landing.affected")


def _tables(contracts: Mapping[str, SourceContract]) -> list[tuple[str, TableContract]]:
    return [(contract.name, table) for contract in contracts.values() for table in contract.tables]


def _ensure_table(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str]) -> None:
    typed = ", ".join(f'"{column}" {dtype}' for column, dtype in columns.items())
    con.execute(f'create table if not exists landing."{name}" ({typed})')
    present = _present_columns(con, name)
    for column, dtype in columns.items():
        if column not in present:
            con.execute(f'alter table landing."{name}" add column "{column}" {dtype}')
        elif present[column] != dtype:
            raise LoadError(
                f"landing.{name}.{column} is {present[column]}, the contract says {dtype}; run `ademruimte rebuild`"
            )


def _present_columns(con: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
    """The columns of a landing table and their types, in the table's order."""
    rows = con.execute(
        """select column_name, data_type from information_schema.columns
        where table_schema = 'landing' and table_name = ? and table_catalog = current_database()
        order by ordinal_position""",
        [name],
    ).fetchall()
    return dict(rows)


def _load_batch(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    contracts: Mapping[str, SourceContract],
    manifest: Manifest,
    then: "_Then | None" = None,
) -> Loaded:
    contract = contracts.get(manifest.source)
    if contract is None:
        return Loaded(manifest.batch_id, manifest.source, error=f"{manifest.source}: this city has no such source")
    return _Batch(con, lake, contract, manifest, then).load()


def _forget_lost(con: duckdb.DuckDBPyConnection, lake: Lake, contracts: Mapping[str, SourceContract]) -> None:
    """Removes batches that the lake no longer holds, as when an older backup of it was put back."""
    held = {manifest.batch_id for manifest in lake.manifests()}
    for source, batch_id in con.execute("select source, batch_id from landing.loaded_batches").fetchall():
        if batch_id not in held and source in contracts:
            with transaction(con):
                _forget(con, contracts[source], batch_id)


def _forget(con: duckdb.DuckDBPyConnection, contract: SourceContract, batch_id: str) -> None:
    """Removes the rows of a batch that counts no more; the dates they touched must be computed again."""
    for table in contract.tables:
        own = f"{landing_name(contract.name, table.name)} where batch_id = $batch_id"
        _affect(con, contract, table, f'"{table.event_date}"', own, {"batch_id": batch_id})
        # the name is a contract's, the value is bound
        con.execute(f"delete from {own}", {"batch_id": batch_id})  # noqa: S608
    for kept in ("batch_counts", "refusals", "refused_kpis", "loaded_batches"):
        con.execute(f"delete from landing.{kept} where batch_id = ?", [batch_id])  # noqa: S608 - as above


def _affect(  # noqa: PLR0913, PLR0917 - where the rows lie, and what they are
    con: duckdb.DuckDBPyConnection,
    contract: SourceContract,
    table: TableContract,
    day: str,
    rows: str,
    bound: Mapping[str, object],
) -> None:
    """Notes the city dates that rows touch, each once."""
    # the names are a contract's, the values are bound
    con.execute(
        f"""insert into landing.affected
        select * from (select distinct $source as source, $table_name as table_name, {day} as day from {rows})
        where day is not null
        except select source, table_name, event_date from landing.affected""",  # noqa: S608
        {"source": contract.name, "table_name": table.name, **bound},
    )


@dataclass(frozen=True, slots=True)
class _Then:
    """A moment, and the version of a batch that stood at it."""

    stood: Manifest
    moment: datetime


@dataclass(frozen=True, slots=True)
class _Batch:
    """One batch on its way into the landing tables, as it is or as it was `then`."""

    con: duckdb.DuckDBPyConnection
    lake: Lake
    contract: SourceContract
    manifest: Manifest
    then: _Then | None = None

    def load(self) -> Loaded:
        self._require_room()
        try:
            with telling_when_full(self._what), transaction(self.con):
                return self._replace()
        # what is wrong with this batch; a fatal error of the engine is nobody's batch and goes on up
        except (duckdb.DataError, duckdb.ProgrammingError, duckdb.IOException, LoadError) as fault:
            return Loaded(self.manifest.batch_id, self.manifest.source, error=self._explained(fault))

    @property
    def _what(self) -> str:
        return f"{self.manifest.source}: loading batch {self.manifest.batch_id}"

    def _require_room(self) -> None:
        files = [self.lake.file(self.manifest, name, "accepted") for name in self.manifest.tables]
        size = sum(file.stat().st_size for file in files if file.exists())
        if files:
            require_free(files[0].parent, size, self._what)

    def _replace(self) -> Loaded:
        """Everything of one batch, within one transaction."""
        for earlier in self.lake.replaced_by(self.manifest):
            _forget(self.con, self.contract, earlier.batch_id)
        drift: list[str] = []
        rows: dict[str, int] = {}
        for table in self.contract.tables:
            if table.name in self.manifest.tables:
                rows[table.name] = self._insert(table, drift)
        drift.extend(f"{name}: the contract no longer has this table" for name in self.manifest.tables.keys() - rows)
        if self.then is not None:
            drift.extend(self._take_back(self.then))
        self._note()
        return Loaded(self.manifest.batch_id, self.manifest.source, rows, tuple(sorted(drift)))

    def _insert(self, table: TableContract, drift: list[str]) -> int:
        """Inserts the rows of one table, oldest event first.

        Returns:
            How many.
        """
        file = {"file": str(self.lake.file(self.manifest, table.name, "accepted"))}
        found = {row[0]: row[1] for row in self.con.execute(f"describe from {_FILE}", file).fetchall()}
        drift.extend(_drift(table, found))
        values = {name: _value(name, found, dtype) for name, dtype in landing_columns(table).items()}
        statement = _insert_statement(self.contract.name, table, values)
        [(count,)] = self.con.execute(statement, file | self._origin()).fetchall()
        _affect(self.con, self.contract, table, values[table.event_date], _FILE, file)
        return self._as_promised(table, count)

    def _take_back(self, then: _Then) -> Iterator[str]:
        """Removes the rows that were not known yet.

        Returns:
            In words what cannot be shown any more as it was.
        """
        for table in self.contract.tables:
            own = f"{landing_name(self.contract.name, table.name)} where batch_id = ? and known_at > ?"
            # the name is a contract's, the values are bound
            self.con.execute(f"delete from {own}", [self.manifest.batch_id, then.moment])  # noqa: S608
        if not self.lake.holds_rows(then.stood):
            yield f"batch {then.stood.batch_id}, which stood then, was erased; its rows are read from what replaced it"

    @property
    def _counted(self) -> Manifest:
        """The version whose counts the batch bears."""
        return self.manifest if self.then is None else self.then.stood

    def _origin(self) -> dict[str, object]:
        """What every row of the batch says of where it came from."""
        return {
            "batch_id": self.manifest.batch_id,
            "supplied_at": self.manifest.supplied_at,
            "content_sha256": self.manifest.content_sha256,
            "known_at": self.manifest.known_at,
        }

    def _as_promised(self, table: TableContract, found: int) -> int:
        promised = self.manifest.tables[table.name].accepted
        if found != promised:
            raise LoadError(f"table {table.name} holds {found} rows, its manifest says {promised}; restore the batch")
        return found

    def _note(self) -> None:
        batch = self.manifest
        self.con.execute(
            "insert into landing.loaded_batches values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                batch.batch_id,
                batch.source,
                batch.origin,
                batch.supplied_at,
                batch.known_at,
                self._counted.complete_until,
                batch.content_sha256,
                batch.contract_version,
            ],
        )
        for name, table in self._counted.tables.items():
            counts = [table.received, table.accepted, table.quarantined, table.duplicate, table.superseded]
            self.con.execute(
                "insert into landing.batch_counts values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [batch.batch_id, batch.source, name, *counts, table.is_full],
            )
            if table.quarantined:
                self._note_refusals(name)

    def _note_refusals(self, table: str) -> None:
        """Counts the refused rows of a table by reason; a row with two reasons counts under both, its text nowhere."""
        holder = self._counted if self.lake.holds_rows(self._counted) else self.manifest
        if table not in holder.tables:
            return
        file = str(self.lake.file(holder, table, "quarantine"))
        found = {row[0] for row in self.con.execute(f"describe from {_FILE}", {"file": file}).fetchall()}
        for code, column, english, dutch, rows in self._refusals(file, found):
            said = of_any_row(code, english, dutch)
            self.con.execute(
                "insert into landing.refusals values (?, ?, ?, ?, ?, ?, ?, ?)",
                [self.manifest.batch_id, self.manifest.source, table, *said, rows, code, column],
            )
        if _KPI_ID in found:
            self.con.execute(
                f"""insert into landing.refused_kpis
                select $batch_id, $source, case when regexp_full_match(named, '{_LIKE_A_KPI}') then named end, count(*)
                from (select trim({_KPI_ID}) as named from {_FILE}) group by all order by all""",  # noqa: S608
                {"file": file, "batch_id": self.manifest.batch_id, "source": self.manifest.source},
            )

    def _refusals(self, file: str, found: Collection[str]) -> list[tuple[str, str, str, str, int]]:
        """Of each reason its code, the column it is about, the sentence in English and Dutch, and how many rows."""
        # batches of before the reasons were kept in Dutch, or by their code
        dutch = REASONS_NL if REASONS_NL in found else REASONS
        code, column = (CODES, COLUMNS) if CODES in found else (REASONS, f"list_transform({REASONS}, lambda each: '')")
        # the names are the gate's, the value is bound
        return self.con.execute(
            f"""select code, column_name, max(reason), max(reason_nl), count(*)
            from (
                select unnest({code}) as code, unnest({column}) as column_name, unnest({REASONS}) as reason,
                    unnest({dutch}) as reason_nl
                from {_FILE}
            )
            group by code, column_name order by all""",  # noqa: S608
            {"file": file},
        ).fetchall()

    def _explained(self, fault: Exception) -> str:
        reason = str(fault).splitlines()[0]
        return (
            f"{self.manifest.source}: batch {self.manifest.batch_id} ({self.manifest.origin}) does not fit the "
            f"contract, nothing of it was loaded: {reason}; replay it, or withdraw it from the lake"
        )


def _drift(table: TableContract, found: Mapping[str, str]) -> list[str]:
    """How the columns of a file differ from the contract, in words."""
    promised = {column.name: kind_of(column).sql for column in table.columns} | {LINE: _ORIGIN_COLUMNS[LINE]}
    extra = [f"{table.name}.{name}: not in the contract, ignored" for name in found.keys() - promised - {KNOWN_AT}]
    absent = [f"{table.name}.{name}: missing, null" for name in promised.keys() - found]
    other = [
        f"{table.name}.{name}: written as {found[name]}, read as {dtype}"
        for name, dtype in promised.items()
        if name in found and found[name] != dtype
    ]
    return [*extra, *absent, *other]


def _insert_statement(source: str, table: TableContract, values: Mapping[str, str]) -> str:
    names = ", ".join(f'"{name}"' for name in values)
    typed = ", ".join(f'{value} as "{name}"' for name, value in values.items())
    order = ", ".join(f'"{name}"' for name in (*table.event_order, LINE))
    # the names are a contract's, the values are bound
    return f"insert into {landing_name(source, table.name)} ({names}) select {typed} from {_FILE} order by {order}"  # noqa: S608


def _value(name: str, found: Mapping[str, str], wanted: str) -> str:
    """The SQL of one landed value: bound, read from the file, or null where the file has no such column."""
    if name == KNOWN_AT and name in found:
        return f'coalesce("{name}", cast(${name} as {wanted}))'
    if name in _ORIGIN_COLUMNS and name != LINE:
        return f"cast(${name} as {wanted})"
    if name not in found:
        return f"cast(null as {wanted})"
    if wanted == WHOLE.sql and found[name].startswith(_FRACTIONAL):
        # a cast alone would make 2 of 2.5
        fraction = f"""when "{name}" <> trunc("{name}") then error('column {name} holds a fraction')"""
        return f'case {fraction} else cast("{name}" as bigint) end'
    return f'cast("{name}" as {wanted})'


@contextmanager
def _registered(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> Iterator[None]:
    """A frame that SQL can name."""
    con.register(name, frame)
    try:
        yield
    finally:
        con.unregister(name)
