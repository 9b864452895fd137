"""What earlier deliveries of a source say of a new one, and a new one of them.

Belongs here: which accepted rows were known already, and which refused lines are still open. Both follow from the
lake each time: a correction that arrives late, or a replay, changes them. Only the hashes of what each batch refused
are kept beside the batches, so that a file does not open all those before it. Does not belong here: what a supplier
is told (`orchestration.giving_back`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path

import polars as pl

from contracts.cities.profile import City
from contracts.gate import CODES, COLUMNS, REASONS, REASONS_NL, WHY, Split
from contracts.vocabulary import LINE, UTC_INSTANT, Delivers, SourceContract, TableContract
from orchestration.loop.dropped import RULES_OF_THIS_PROCESS
from warehouse.batch import KNOWN_AT, Manifest, naming_its_batch
from warehouse.durable import replace_derived
from warehouse.frames import read_frame, scan_frame
from warehouse.lake import Lake

CLOSED_BY = "closed_by"
PUT_RIGHT = "is_put_right"
_MOST_BATCHES = 200
# comparing may cost a fraction of what reading and checking those rows cost
_MOST_TIMES = 5
_FEW_ROWS = 100_000
# names that no received column bears
_KEY = "hash of its key"
_TEXT = "hash of its text"
_PLACE = "place of the line"
_DELIVERED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "batch_id": pl.String,
    "origin": pl.String,
    "supplied_at": UTC_INSTANT,
    "known_at": UTC_INSTANT,
}


_CLOSING: Mapping[str, pl.DataType | type[pl.DataType]] = {CLOSED_BY: pl.String, PUT_RIGHT: pl.Boolean}
# what closing asks of a refused line; nothing in it can be read
_INDEXED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **_DELIVERED,
    LINE: pl.Int64,
    _KEY: pl.UInt64,
    _TEXT: pl.UInt64,
}
# who made an index: the hashes of another polars, or the keys of another contract, are not those of today
_MADE_BY = "made_by"
_OPEN = [pl.lit(None, dtype).alias(name) for name, dtype in _CLOSING.items()]


def recognised(
    lake: Lake, contract: SourceContract, splits: Mapping[str, Split], known_before: datetime | None = None
) -> dict[str, int]:
    """Per table how many accepted rows an earlier live batch holds with the same content.

    They stay accepted: which batch came first may change no value. It is a lower bound: newest first, at
    most 200 batches are looked into, and of those whose dates overlap at most five times as many rows as were
    accepted (and at least 100 000), so that it never costs what the landing itself does.

    Args:
        lake: where the earlier batches lie.
        contract: of the source.
        splits: what became of the rows of the new delivery.
        known_before: only batches known before this moment count (a replay); None for all.
    """
    batches = lake.newest(contract.name, _MOST_BATCHES)
    earlier = [batch for batch in batches if known_before is None or batch.known_at < known_before]
    tables = [table for table in contract.tables if table.name in splits]
    return {table.name: _known(lake, table, splits[table.name].accepted, earlier) for table in tables}


def with_known_at(lake: Lake, table: TableContract, split: Split, replaced: Manifest, now: datetime) -> Split:
    """The fates of a table's rows, each accepted row with the moment from which the city knew it.

    What a row says was known once a version of its batch accepted it: not while it stood refused, or was withheld.

    Args:
        lake: where the batches lie.
        table: the contract of the table.
        split: what today's gate made of it.
        replaced: the batch that is replaced.
        now: when it is.

    Returns:
        The split; its accepted rows have a column `known_at` where not all are known as long as the batch is.
    """
    if split.accepted.is_empty():
        return split
    if table.name not in replaced.tables:
        return _dated(split, pl.lit(now, UTC_INSTANT))
    before = lake.read(replaced, table.name, "accepted")
    told = pl.col(KNOWN_AT) if KNOWN_AT in before.columns else pl.lit(replaced.known_at, UTC_INSTANT).alias(KNOWN_AT)
    on = _recognised_by(table, before, split, replaced)
    # an older contract may have accepted several rows of what is one today
    since = before.select(*on, told).group_by(on).agg(pl.col(KNOWN_AT).min())
    known = split.accepted.join(since, on=on, how="left", nulls_equal=True, maintain_order="left", validate="m:1")
    moments = known[KNOWN_AT].fill_null(now)
    return split if (moments == replaced.known_at).all() else _dated(split, moments)


def _dated(split: Split, moments: pl.Series | pl.Expr) -> Split:
    return replace(split, accepted=split.accepted.with_columns(moments.alias(KNOWN_AT)))


def _recognised_by(table: TableContract, before: pl.DataFrame, split: Split, replaced: Manifest) -> list[str]:
    """The columns by which a row is the one that was accepted before.

    Its line; where a line holds several rows (an update and the answer in it) its key as well. Where the file
    itself is read anew its lines may be numbered otherwise: then all that it says.
    """
    readable = [name for name, dtype in table.schema.items() if before.schema.get(name) == dtype]
    if not set(table.key) <= set(readable):
        return [LINE]
    if replaced.original is not None:
        return readable
    today = pl.concat([split.accepted[LINE], split.quarantined[LINE]])
    one_row_each = not today.is_duplicated().any() and not before[LINE].is_duplicated().any()
    return [LINE] if one_row_each else [LINE, *table.key]


def _known(lake: Lake, table: TableContract, accepted: pl.DataFrame, earlier: Iterable[Manifest]) -> int:
    columns = list(table.schema)
    first, last = _span(accepted, table)
    touched = pl.col(table.event_date).is_between(pl.lit(first), pl.lit(last))
    new = accepted.select(columns)
    for file in _worth_reading(lake, table, accepted, earlier):
        if new.is_empty():
            break
        with naming_its_batch(file):
            before = scan_frame(file).filter(touched).select(columns).collect()
        new = new.join(before, on=columns, how="anti", nulls_equal=True)
    return accepted.height - new.height


def _span(accepted: pl.DataFrame, table: TableContract) -> tuple[object, object]:
    dates = accepted[table.event_date]
    return dates.min(), dates.max()


def _worth_reading(
    lake: Lake, table: TableContract, accepted: pl.DataFrame, earlier: Iterable[Manifest]
) -> Iterator[Path]:
    """The files that may hold one of the rows, until their number exceeds what comparing is worth."""
    types = {name: str(dtype) for name, dtype in accepted.schema.items()}
    first, last = _span(accepted, table)
    rows_left = max(_FEW_ROWS, _MOST_TIMES * accepted.height)
    for batch in earlier:
        counts = batch.tables.get(table.name)
        if counts is None or counts.columns != types or not _overlaps(first, last, counts.first_date, counts.last_date):
            continue
        rows_left -= counts.accepted
        if rows_left < 0:
            return
        yield lake.file(batch, table.name, "accepted")


def _overlaps(first: object, last: object, other_first: object, other_last: object) -> bool:
    return None not in {first, other_first} and bool(first <= other_last and other_first <= last)  # type: ignore[operator]


def refused_lines(lake: Lake, table: TableContract, city: City, batches: Iterable[Manifest]) -> pl.DataFrame:
    """Every refused line of a table, and the batch that closed it.

    A line is open until a later delivery (by the supplier's time, then by when the city knew it) speaks of it:

    * it holds a row with the same key, accepted or refused again;
    * it is the same file again: it repeats at least half of the accepted keys of the first, or bears its name
      and repeats one (or there was none to repeat). A name alone is no proof: every month may bring `data.csv`;
    * it is a snapshot, which speaks of everything.

    Args:
        lake: where the batches lie.
        table: the contract of the table.
        city: whose time zone holds.
        batches: live batches of its source.

    Returns:
        The received text, `line`, the lists of `contracts.gate.WHY`, batch_id, origin, supplied_at, known_at,
        `closed_by` (a batch_id, or null while it is open) and `is_put_right`: false where that delivery refused
        the same key, text or line of the file again. Oldest delivery first.
    """
    reading = _Reading(lake, table, city)
    in_order = sorted((batch for batch in batches if table.name in batch.tables), key=_moment)
    lines = reading.refusals(in_order)
    for batch in in_order:
        lines = reading.closed(lines, batch, in_order)
    return lines.drop(_KEY, _TEXT)


def lines_closed_by(lake: Lake, contract: SourceContract, city: City, manifest: Manifest) -> int:
    """How many lines were open until this delivery put them right, among the newest 200 batches; only for a file."""
    if not _is_file(manifest):
        return 0
    batches = lake.newest(contract.name, _MOST_BATCHES)
    tables = [table for table in contract.tables if table.name in manifest.tables]
    return sum(_Reading(lake, table, city).closed_now(batches, manifest) for table in tables)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The refused lines of one table, each with the hash of its key where that can be read."""

    lake: Lake
    table: TableContract
    city: City

    def closed_now(self, batches: Sequence[Manifest], manifest: Manifest) -> int:
        batches = [batch for batch in batches if self.table.name in batch.tables]
        earlier = sorted((batch for batch in batches if _moment(batch) < _moment(manifest)), key=_moment)
        spoken_of = [batch.batch_id for batch in (*earlier, manifest)]
        refused = self._indexed(manifest.source, [*batches, manifest]).filter(pl.col("batch_id").is_in(spoken_of))
        # what this one says nothing of need not be looked for in all the others
        lines = self.closed(refused.with_columns(_OPEN), manifest, earlier).filter(
            (pl.col(CLOSED_BY) == manifest.batch_id) & pl.col(PUT_RIGHT)
        )
        lines = lines.with_columns(_OPEN)
        for batch in earlier:
            if lines.is_empty():
                break
            lines = self.closed(lines, batch, earlier).filter(pl.col(CLOSED_BY).is_null())
        return lines.height

    def refusals(self, batches: Iterable[Manifest]) -> pl.DataFrame:
        empty = pl.DataFrame(schema={**self.table.received.schema, **WHY, **_DELIVERED, **_INDEXED, **_CLOSING})
        found = (batch for batch in batches if batch.tables[self.table.name].quarantined)
        return pl.concat([empty, *(self._of_batch(batch).select(empty.columns) for batch in found)])

    def _indexed(self, source: str, batches: Iterable[Manifest]) -> pl.DataFrame:
        """The refused lines of these batches by their hashes, each batch read once in the life of a profile.

        The file follows from the lake: a batch that was replaced or withdrawn is not asked for and falls out.
        """
        wanted = {batch.batch_id: batch for batch in batches if batch.tables[self.table.name].quarantined}
        path = self.lake.beside(source, f"refused_{self.table.name}.parquet")
        before = _kept_index(path)
        kept = before.filter(pl.col("batch_id").is_in(list(wanted)))
        fresh = wanted.keys() - set(kept["batch_id"])
        now = pl.concat([kept, *(self._of_batch(wanted[one]).select(list(_INDEXED)) for one in sorted(fresh))])
        if fresh or now.height != before.height:
            content = BytesIO()
            now.write_parquet(content, metadata={_MADE_BY: _maker()})
            replace_derived(path, content.getvalue())
        return now

    def _of_batch(self, batch: Manifest) -> pl.DataFrame:
        """A key that numbers equal rows in the order of their file cannot be read from refused rows alone."""
        text = self.table.received.columns
        lines = _with_all_of_why(self.lake.read(batch, self.table.name, "quarantine"))
        lines = lines.with_columns(pl.lit(None, pl.String).alias(name) for name in text if name not in lines.columns)
        key = self._key_of(self.table.parse(lines.select(*text, LINE), self.city).lazy()).collect()
        delivered = [pl.lit(getattr(batch, name), dtype).alias(name) for name, dtype in _DELIVERED.items()]
        hashed = pl.struct(text).hash().alias(_TEXT)
        return pl.concat([lines, key], how="horizontal").with_columns(hashed, *delivered, *_OPEN)

    def _key_of(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The hash of each row's key; a key of which a part cannot be read is no key."""
        key = [pl.col(name).cast(self.table.schema[name]) for name in self.table.key]
        is_whole = pl.all_horizontal(part.is_not_null() for part in key)
        return rows.select(pl.when(is_whole).then(pl.struct(key).hash()).alias(_KEY))

    def closed(self, lines: pl.DataFrame, batch: Manifest, batches: Iterable[Manifest]) -> pl.DataFrame:
        """The lines, those that were open before this batch and of which it speaks closed by it."""
        same_time = (pl.col("supplied_at") == batch.supplied_at) & (pl.col("known_at") < batch.known_at)
        before = (pl.col("supplied_at") < batch.supplied_at) | same_time
        numbered = lines.with_row_index(_PLACE)
        still_open = numbered.filter(pl.col(CLOSED_BY).is_null() & before)
        if still_open.is_empty():
            return lines
        refused = lines.filter(pl.col("batch_id") == batch.batch_id)
        spoken = self._spoken_of(still_open, refused.select(_KEY), batch, batches)
        is_spoken_of = pl.col(_PLACE).is_in(spoken[_PLACE].implode())
        is_right = ~pl.col(_PLACE).is_in(self._again(spoken, refused)[_PLACE].implode())
        return numbered.with_columns(
            pl.when(is_spoken_of).then(pl.lit(batch.batch_id)).otherwise(CLOSED_BY).alias(CLOSED_BY),
            pl.when(is_spoken_of).then(is_right).otherwise(PUT_RIGHT).alias(PUT_RIGHT),
        ).drop(_PLACE)

    def _again(self, spoken: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
        """The lines that a delivery refuses again: the same key, the same text, or the same line of its file."""
        return pl.concat(
            [
                spoken.join(refused, on=_KEY, how="semi"),
                spoken.join(refused, on=_TEXT, how="semi"),
                spoken.join(refused, on=["origin", LINE], how="semi"),
            ]
        )

    def _spoken_of(
        self, still_open: pl.DataFrame, again: pl.DataFrame, batch: Manifest, batches: Iterable[Manifest]
    ) -> pl.DataFrame:
        if self.table.delivers is Delivers.SNAPSHOT:
            return still_open
        keys = pl.concat([self._accepted_keys(batch, still_open.select(_KEY)), again])
        by_key = still_open.join(keys, on=_KEY, how="semi")
        others = still_open.join(by_key, on=_PLACE, how="anti")
        first = {one.batch_id: one for one in batches}
        repeated = [found for found in others["batch_id"].unique() if self._repeats(batch, first[found])]
        return pl.concat([by_key, others.filter(pl.col("batch_id").is_in(repeated))])

    def _repeats(self, batch: Manifest, first: Manifest) -> bool:
        """Whether a file is an earlier one again, put right."""
        held, holds = first.tables[self.table.name].accepted, batch.tables[self.table.name].accepted
        same_name = batch.origin == first.origin
        if not (_is_file(batch) and _is_file(first)) or (not same_name and 2 * holds < held):
            return False
        if held == 0:
            return same_name
        if self._cannot_meet(batch, first):
            return False
        common = self._accepted_keys(batch, self._accepted_keys(first)).height
        return common > 0 if same_name else 2 * common >= held

    def _cannot_meet(self, batch: Manifest, first: Manifest) -> bool:
        """Whether two deliveries speak of other dates, where the date is part of the key."""
        one, other = batch.tables[self.table.name], first.tables[self.table.name]
        dates = (one.first_date, one.last_date, other.first_date, other.last_date)
        return self.table.event_date in self.table.key and None not in dates and not _overlaps(*dates)

    def _accepted_keys(self, batch: Manifest, wanted: pl.DataFrame | None = None) -> pl.DataFrame:
        """The distinct keys of the accepted rows of a batch, or the wanted ones among them."""
        file = self.lake.file(batch, self.table.name, "accepted")
        keys = self._key_of(scan_frame(file))
        sought = keys if wanted is None else keys.join(wanted.lazy(), on=_KEY, how="semi")
        with naming_its_batch(file):
            return sought.unique().collect()


def _with_all_of_why(quarantined: pl.DataFrame) -> pl.DataFrame:
    """Refused rows with every list of `WHY`: a batch from before one was kept has the text of its reasons alone."""
    nothing = pl.col(REASONS).list.eval(pl.lit(""))
    instead = {CODES: nothing, COLUMNS: nothing, REASONS_NL: pl.col(REASONS)}
    return quarantined.with_columns(
        said.alias(name) for name, said in instead.items() if name not in quarantined.columns
    )


def _kept_index(path: Path) -> pl.DataFrame:
    """What was indexed of refused lines; nothing where the file is gone, torn or made by other rules."""
    with suppress(OSError, pl.exceptions.PolarsError, KeyError):
        if pl.read_parquet_metadata(path)[_MADE_BY] == _maker():
            return read_frame(path).select(list(_INDEXED))
    return pl.DataFrame(schema=_INDEXED)


def _maker() -> str:
    return f"{pl.__version__} {RULES_OF_THIS_PROCESS}"


def _moment(batch: Manifest) -> tuple[datetime, datetime]:
    return batch.supplied_at, batch.known_at


def _is_file(batch: Manifest) -> bool:
    """Whether it came as a file: a pull bears its address, and every pull the same one."""
    return "://" not in batch.origin
