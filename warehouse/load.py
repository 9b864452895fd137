"""Loads committed batches into the landing tables, and says what a build must know beside them.

Belongs here: the landing tables and the one function that fills them. Does not belong here: choosing between
versions of a row (dbt). The new batches of a source are one DuckDB transaction: their rows, their ledger rows and the
dates they touch are there together or not at all, and each file is read once for many. The order in which batches are
loaded, and how many at once, changes nothing but the order of rows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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
from warehouse.durable import DiskFullError, require_free, telling_when_full
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
# sorting so many takes some 400 MB; what more of them at once would save is little
_ROWS_AT_ONCE = 500_000
# the folder `batch=<id>` is a name, not a column
_COLUMNS = "read_parquet($file, hive_partitioning = false)"
# of many files: with the path beside each row, under a name that no column has
_FILES = "read_parquet($files, hive_partitioning = false, filename = '::file') as rows"
_ORIGINS = """(
    select
        unnest($files) as file, unnest($places) as place, unnest($batch_ids) as batch_id,
        unnest($supplied) as supplied_at, unnest($contents) as content_sha256, unnest($known) as known_at
) as origins on rows."::file" = origins.file"""
_SHAPES = """
select file_name, string_agg(concat_ws(' ', name, num_children, duckdb_type), chr(10) order by column_id)
from parquet_schema($files)
group by file_name
"""
_HELD = "select file_name, num_rows from parquet_file_metadata($files)"
_OF_THEM = "batch_id in (select unnest($batch_ids))"
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
create table if not exists landing.alerts (
    department_id varchar, target_id varchar, topic varchar, status varchar, outcome varchar, reason varchar,
    first_decided_at timestamptz, last_decided_at timestamptz, builds bigint, held_until date, sent_at timestamptz
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
_ALERT_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("department_id", "target_id", "topic", "status", "outcome", "reason"), pl.String),
    "first_decided_at": UTC_INSTANT,
    "last_decided_at": UTC_INSTANT,
    "builds": pl.Int64,
    "held_until": pl.Date,
    "sent_at": UTC_INSTANT,
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

AlertRow = tuple[str | int | date | datetime | None, ...]
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
    fresh = [_Due(batch, batch) for batch in due if batch.batch_id not in known]
    return _load_all(con, lake, contracts, fresh)


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
    # what a replay let in later did not count then
    due = [_Due(lake.nearest(each, moment), stood) for each, stood in known if not stood.is_refused]
    return _load_all(con, lake, contracts, due, moment)


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


def write_alerts(con: duckdb.DuckDBPyConnection, rows: Iterable[AlertRow]) -> None:
    """Replaces what was decided of each target for each reader.

    Args:
        con: the warehouse.
        rows: the columns of `landing.alerts`.
    """
    decided = pl.DataFrame(list(rows), schema=_ALERT_SCHEMA, orient="row")
    with _registered(con, "decided", decided), transaction(con):
        con.execute("delete from landing.alerts")
        con.execute("insert into landing.alerts by name select * from decided")


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


def _load_all(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    contracts: Mapping[str, SourceContract],
    due: Sequence["_Due"],
    moment: datetime | None = None,
) -> list[Loaded]:
    """Loads batches, those of a source together; the results are in the order of the batches."""
    of_source: dict[str, list[_Due]] = defaultdict(list)
    for each in due:
        of_source[each.manifest.source].append(each)
    loaded: dict[tuple[str, str], Loaded] = {}
    for source, of_it in of_source.items():
        for few in _in_sets(of_it):
            contract = contracts.get(source)
            done = _unknown(source, few) if contract is None else _Set(con, lake, contract, few, moment).load()
            loaded |= {(source, each.batch_id): each for each in done}
    return [loaded[each.manifest.source, each.manifest.batch_id] for each in due]


def _unknown(source: str, due: Iterable["_Due"]) -> list[Loaded]:
    return [Loaded(each.manifest.batch_id, source, error=f"{source}: this city has no such source") for each in due]


def _in_sets(due: Iterable["_Due"]) -> Iterator[list["_Due"]]:
    """As many batches at a time as can be sorted in little memory; a larger one is alone."""
    few: list[_Due] = []
    rows = 0
    for each in due:
        if few and rows + each.rows > _ROWS_AT_ONCE:
            yield few
            few, rows = [], 0
        few.append(each)
        rows += each.rows
    if few:
        yield few


def _forget_lost(con: duckdb.DuckDBPyConnection, lake: Lake, contracts: Mapping[str, SourceContract]) -> None:
    """Removes batches that the lake no longer holds, as when an older backup of it was put back."""
    held = {manifest.batch_id for manifest in lake.manifests()}
    lost: dict[str, list[str]] = defaultdict(list)
    for source, batch_id in con.execute("select source, batch_id from landing.loaded_batches").fetchall():
        if batch_id not in held and source in contracts:
            lost[source].append(batch_id)
    for source, batch_ids in lost.items():
        with transaction(con):
            _forget(con, contracts[source], batch_ids)


def _forget(con: duckdb.DuckDBPyConnection, contract: SourceContract, batch_ids: Sequence[str]) -> None:
    """Removes the rows of batches that count no more; the dates they touched must be computed again."""
    bound = {"batch_ids": batch_ids}
    for table in contract.tables:
        own = f"{landing_name(contract.name, table.name)} where {_OF_THEM}"
        _affect(con, contract, table, f'"{table.event_date}"', own, bound)
        # the name is a contract's, the values are bound
        con.execute(f"delete from {own}", bound)  # noqa: S608
    for kept in ("batch_counts", "refusals", "refused_kpis", "loaded_batches"):
        con.execute(f"delete from landing.{kept} where {_OF_THEM}", bound)  # noqa: S608 - as above


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
class _Due:
    """A batch to load, and the version of it whose counts it bears."""

    manifest: Manifest
    counted: Manifest

    @property
    def rows(self) -> int:
        return sum(table.accepted for table in self.manifest.tables.values())


@dataclass(frozen=True, slots=True)
class _Alike:
    """Files with the same columns, each of another batch.

    Attributes:
        columns: their names and types in DuckDB.
    """

    files: Mapping[str, Manifest]
    columns: Mapping[str, str]

    @property
    def bound(self) -> dict[str, object]:
        """What `_FILES` binds."""
        return {"files": list(self.files)}

    @property
    def origins(self) -> dict[str, object]:
        """What `_ORIGINS` binds: what every row of a batch says of where it came from."""
        batches = list(self.files.values())
        return self.bound | {
            "places": list(range(len(batches))),
            "batch_ids": [batch.batch_id for batch in batches],
            "supplied": [batch.supplied_at for batch in batches],
            "contents": [batch.content_sha256 for batch in batches],
            "known": [batch.known_at for batch in batches],
        }


@dataclass(frozen=True, slots=True)
class _Set:
    """Batches of one source on their way into the landing tables, as they are or as they were at a moment.

    They are there together or not at all. Where that fails, one half is tried and then the other, down to a batch
    that is alone: it is to blame, and no other waits for it.
    """

    con: duckdb.DuckDBPyConnection
    lake: Lake
    contract: SourceContract
    due: Sequence[_Due]
    moment: datetime | None = None

    def load(self) -> list[Loaded]:
        try:
            self._require_room()
            with telling_when_full(self._what), transaction(self.con):
                return self._replace()
        # what is wrong with a batch; a fatal error of the engine is nobody's batch and goes on up
        except (duckdb.DataError, duckdb.ProgrammingError, duckdb.IOException, LoadError) as fault:
            if len(self.due) == 1:
                return [Loaded(self._first.batch_id, self._first.source, error=self._explained(fault))]
        # what a smaller set may have room for
        except (DiskFullError, duckdb.OutOfMemoryException):
            if len(self.due) == 1:
                raise
        middle = len(self.due) // 2
        halves = [replace(self, due=half) for half in (self.due[:middle], self.due[middle:])]
        return [loaded for half in halves for loaded in half.load()]

    @property
    def _first(self) -> Manifest:
        return self.due[0].manifest

    @property
    def _what(self) -> str:
        return f"{self.contract.name}: loading batch {self._first.batch_id}"

    def _require_room(self) -> None:
        files = [self.lake.file(each.manifest, name, "accepted") for each in self.due for name in each.manifest.tables]
        size = sum(file.stat().st_size for file in files if file.exists())
        if files:
            # the folder of the source: that of the rows may be gone, as of an erased batch that counts again
            require_free(files[0].parents[2], size, self._what)

    def _replace(self) -> list[Loaded]:
        """Everything of these batches, within one transaction."""
        self._forget_replaced()
        rows: dict[str, dict[str, int]] = defaultdict(dict)
        drift: dict[str, list[str]] = defaultdict(list)
        for table in self.contract.tables:
            for alike in self._accepted(table):
                self._insert(table, alike)
                for batch in alike.files.values():
                    rows[batch.batch_id][table.name] = batch.tables[table.name].accepted
                    drift[batch.batch_id] += _drift(table, alike.columns)
        self._take_back()
        self._note()
        return [self._loaded(each, rows[each.manifest.batch_id], drift[each.manifest.batch_id]) for each in self.due]

    def _forget_replaced(self) -> None:
        """Removes what these batches replace, as far as it is loaded."""
        replaced = [earlier.batch_id for each in self.due for earlier in self.lake.replaced_by(each.manifest)]
        there = f"select batch_id from landing.loaded_batches where {_OF_THEM}"  # noqa: S608 - nothing but a constant
        loaded = [row[0] for row in self.con.execute(there, {"batch_ids": replaced}).fetchall()]
        if loaded:
            _forget(self.con, self.contract, loaded)

    def _loaded(self, each: _Due, rows: Mapping[str, int], drift: Sequence[str]) -> Loaded:
        notes = [
            *drift,
            *(f"{name}: the contract no longer has this table" for name in each.manifest.tables.keys() - rows),
        ]
        if self.moment is not None and not self.lake.holds_rows(each.counted):
            stood = each.counted.batch_id
            notes.append(f"batch {stood}, which stood then, was erased; its rows are read from what replaced it")
        return Loaded(each.manifest.batch_id, each.manifest.source, rows, tuple(sorted(notes)))

    def _accepted(self, table: TableContract) -> list[_Alike]:
        batches = [each.manifest for each in self.due if table.name in each.manifest.tables]
        return self._alike({str(self.lake.file(each, table.name, "accepted")): each for each in batches})

    def _alike(self, files: Mapping[str, Manifest]) -> list[_Alike]:
        """Files by their columns: read in one statement, all would be cast to those of the first."""
        of_shape: dict[str, dict[str, Manifest]] = defaultdict(dict)
        if files:
            shapes = dict(self.con.execute(_SHAPES, {"files": list(files)}).fetchall())
            for file, batch in files.items():
                of_shape[shapes[file]][file] = batch
        return [_Alike(same, self._columns(next(iter(same)))) for same in of_shape.values()]

    def _columns(self, file: str) -> dict[str, str]:
        described = self.con.execute(f"describe from {_COLUMNS}", {"file": file}).fetchall()
        return {row[0]: row[1] for row in described}

    def _insert(self, table: TableContract, alike: _Alike) -> None:
        """Inserts the rows of one table, oldest event first.

        Raises:
            LoadError: a file does not hold as many rows as its manifest says.
        """
        values = {name: _value(name, alike.columns, dtype) for name, dtype in landing_columns(table).items()}
        [(count,)] = self.con.execute(_insert_statement(self.contract.name, table, values), alike.origins).fetchall()
        _affect(self.con, self.contract, table, values[table.event_date], _FILES, alike.bound)
        held = dict(self.con.execute(_HELD, alike.bound).fetchall())
        for file, batch in alike.files.items():
            promised = batch.tables[table.name].accepted
            # of one batch what was inserted is what it holds
            found = held[file] if len(held) > 1 else count
            if found != promised:
                raise LoadError(
                    f"table {table.name} holds {found} rows, its manifest says {promised}; restore the batch"
                )
        if count != sum(held.values()):
            raise LoadError(f"table {table.name}: {count} rows were read of {sum(held.values())}; restore the batch")

    def _take_back(self) -> None:
        """Removes the rows that were not known yet."""
        if self.moment is None:
            return
        bound = {"batch_ids": [each.manifest.batch_id for each in self.due], "moment": self.moment}
        for table in self.contract.tables:
            own = f"{landing_name(self.contract.name, table.name)} where {_OF_THEM} and known_at > $moment"
            # the name is a contract's, the values are bound
            self.con.execute(f"delete from {own}", bound)  # noqa: S608

    def _note(self) -> None:
        self._append("loaded_batches", [_as_loaded(each) for each in self.due])
        self._append("batch_counts", [counts for each in self.due for counts in _counts(each)])
        for table in dict.fromkeys(name for each in self.due for name in each.counted.tables):
            for alike in self._quarantined(table):
                self._note_refusals(table, alike)

    def _append(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Adds rows to a table of the ledger; a column that none of them has is empty."""
        if rows:
            values = ", ".join(f"unnest(${name}) as {name}" for name in rows[0])
            # the names are this module's, the values are bound
            self.con.execute(
                f"insert into landing.{table} by name select {values}",
                {name: [row[name] for row in rows] for name in rows[0]},
            )

    def _quarantined(self, table: str) -> list[_Alike]:
        """The files with the refused rows of a table."""
        files = {}
        for each in self.due:
            if table in each.counted.tables and each.counted.tables[table].quarantined:
                holder = each.counted if self.lake.holds_rows(each.counted) else each.manifest
                if table in holder.tables:
                    files[str(self.lake.file(holder, table, "quarantine"))] = each.manifest
        return self._alike(files)

    def _note_refusals(self, table: str, alike: _Alike) -> None:
        """Counts the refused rows of a table by reason; a row with two reasons counts under both, its text nowhere."""
        noted = []
        for batch_id, code, column, english, dutch, rows in self._refusals(alike):
            said = dict(zip(("reason", "reason_nl"), of_any_row(code, english, dutch), strict=True))
            of_it = {"batch_id": batch_id, "source": self.contract.name, "table_name": table, "rows": rows}
            noted.append(of_it | said | {"reason_code": code, "column_name": column})
        self._append("refusals", noted)
        if _KPI_ID in alike.columns:
            self.con.execute(
                f"""insert into landing.refused_kpis
                select
                    batch_id, $source, case when regexp_full_match(named, '{_LIKE_A_KPI}') then named end as kpi_id,
                    count(*)
                from (select place, origins.batch_id, trim(rows.{_KPI_ID}) as named from {_FILES} join {_ORIGINS})
                group by place, batch_id, kpi_id order by place, kpi_id""",  # noqa: S608
                alike.origins | {"source": self.contract.name},
            )

    def _refusals(self, alike: _Alike) -> list[tuple[str, str, str, str, str, int]]:
        """Of each batch and reason its code, the column it is about, the sentence in both languages, and how many."""
        # batches of before the reasons were kept in Dutch, or by their code
        dutch = REASONS_NL if REASONS_NL in alike.columns else REASONS
        has_codes = CODES in alike.columns
        code, column = (CODES, COLUMNS) if has_codes else (REASONS, f"list_transform({REASONS}, lambda each: '')")
        # the names are the gate's, the values are bound
        return self.con.execute(
            f"""select batch_id, code, column_name, max(reason), max(reason_nl), count(*)
            from (
                select place, origins.batch_id, unnest({code}) as code, unnest({column}) as column_name,
                    unnest({REASONS}) as reason, unnest({dutch}) as reason_nl
                from {_FILES} join {_ORIGINS}
            )
            group by place, batch_id, code, column_name order by place, code, column_name""",  # noqa: S608
            alike.origins,
        ).fetchall()

    def _explained(self, fault: Exception) -> str:
        reason = str(fault).splitlines()[0]
        return (
            f"{self.contract.name}: batch {self._first.batch_id} ({self._first.origin}) does not fit the "
            f"contract, nothing of it was loaded: {reason}; replay it, or withdraw it from the lake"
        )


def _as_loaded(due: _Due) -> dict[str, object]:
    """A batch as the ledger names it."""
    said = ("batch_id", "source", "origin", "supplied_at", "known_at", "content_sha256", "contract_version")
    return {name: getattr(due.manifest, name) for name in said} | {"complete_until": due.counted.complete_until}


def _counts(due: _Due) -> Iterator[dict[str, object]]:
    """What the ledger counts of each table of a batch."""
    counted = ("received", "accepted", "quarantined", "duplicate", "superseded", "is_full")
    for name, table in due.counted.tables.items():
        of_it = {"batch_id": due.manifest.batch_id, "source": due.manifest.source, "table_name": name}
        yield of_it | {count: getattr(table, count) for count in counted}


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
    return (
        f"insert into {landing_name(source, table.name)} ({names}) select {typed} from {_FILES} join {_ORIGINS} "  # noqa: S608
        f"order by {order}, origins.place"
    )


def _value(name: str, found: Mapping[str, str], wanted: str) -> str:
    """The SQL of one landed value: of its batch, read from the file, or null where the file has no such column."""
    if name == KNOWN_AT and name in found:
        return f"coalesce(rows.{name}, origins.{name})"
    if name in _ORIGIN_COLUMNS and name != LINE:
        return f"origins.{name}"
    if name not in found:
        return f"cast(null as {wanted})"
    if wanted == WHOLE.sql and found[name].startswith(_FRACTIONAL):
        # a cast alone would make 2 of 2.5
        fraction = f"""when rows."{name}" <> trunc(rows."{name}") then error('column {name} holds a fraction')"""
        return f'case {fraction} else cast(rows."{name}" as bigint) end'
    return f'cast(rows."{name}" as {wanted})'


@contextmanager
def _registered(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> Iterator[None]:
    """A frame that SQL can name."""
    con.register(name, frame)
    try:
        yield
    finally:
        con.unregister(name)
