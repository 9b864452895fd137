"""1777 tickets: GeoReport requests and their updates, or a bulk file, as two flat tables of text.

What a citizen wrote, who they are and where they stood ends here: a text becomes `has_text`, a coordinate a
statistical sector.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import SecretStr

from contracts.cities.profile import City
from contracts.reading import number
from contracts.sources.tickets_1777 import EVENTS, REQUESTS, STATE_WORDS, state_of, state_word
from contracts.vocabulary import LINE, Received
from ingestion.areas import SECTOR, Areas
from ingestion.clocks import clock_warnings, not_past
from ingestion.delivery import Context, Delivery, DroppedFile, digest_of
from ingestion.endpoint import Endpoint
from ingestion.errors import SupplierError
from ingestion.http import Client, address
from ingestion.protocols import open311
from ingestion.protocols.dropped_file import original_bytes
from ingestion.protocols.open311_memory import (
    CHANGE_OVERLAP,
    UPDATES_OVERLAP,
    WINDOW,
    Memory,
    Seen,
    is_gone,
    remembered,
)
from ingestion.protocols.spreadsheet import read_book
from ingestion.source import AskedSource

Row = Mapping[str, Any]
Cells = dict[str, str | None]

REPLY_LOG = "servicerequestupdates"
PENDING = "waits for its number: the server knows a token only"
_ONE_WORD = re.compile(r"\s*\w[\w-]{0,39}\s*")
_TAKEN_FROM = {
    "channel": ("channel", "source"),
    "duplicate_of": ("duplicate_of", "parent_service_request_id"),
    "is_first_line": ("is_first_line", "first_line"),
    "closed_datetime": ("closed_datetime", "closed_date"),
    "status_description": ("status_description", "external_status_code"),
}
_READ_OTHERWISE = {
    "extended_attributes",
    "notes",
    *(name for names in _TAKEN_FROM.values() for name in names),
}
_AUTOMATIC = {"auto_ack", "autoreply", "auto_reply", "acknowledged", "acknowledgement", "ontvangstbevestiging"}
_ROLES = {"citizen", "staff", "system"}
# what follows on a request, such as another one, does not close this one
_NOTE_TYPES = {
    "opened": "received",
    "request_opened": "received",
    "closed": "closed",
    "request_closed": "closed",
    "request_reopened": "reopened",
    "reply": "replied",
    "response": "replied",
    "category_changed": "category",
}
_WITHOUT_LOG = (
    "Ask the supplier; where no reply log is kept any more, set ADEMRUIMTE_TICKETS_1777_UPDATES to 0: closing a "
    "request then stands in for its answer"
)
_BULK = Received(
    columns=(
        "service_request_id",
        "requested_datetime",
        "updated_datetime",
        "expected_datetime",
        "closed_date",
        "status",
        "status_description",
        "source",
        "service_code",
        "service_name",
        "service_subtype",
        "agency_responsible",
        "zipcode",
        "description",
        "lat",
        "long",
        "duplicate_of",
        "is_first_line",
    ),
    required=("service_request_id", "requested_datetime"),
)
_BULK_UPDATES = Received(
    columns=("update_id", "service_request_id", "status", "updated_datetime", "external_status_code", "description"),
    required=("update_id", "service_request_id", "updated_datetime"),
)


class Open311Endpoint(Endpoint):
    """How the desk of 1777 is asked."""

    url: str
    """The Open311 GeoReport v2 base address."""
    token: SecretStr | None = None
    """The key of that desk."""
    since: date | None = None
    """The first day asked (YYYY-MM-DD)."""
    updated_after: bool | None = None
    """1 when the server filters on `updated_after`, 0 when it only seems to; empty: found out at every pull."""
    updates: bool = True
    """0 when the server keeps no reply log (servicerequestupdates) and refuses to be asked for it."""
    auto_ack: str = ""
    """Codes (external_status_code, with commas) by which the server marks its automatic acknowledgements, beside
    auto_ack."""


class Tickets1777(AskedSource[Open311Endpoint]):
    """Questions to 1777 and what became of them."""

    endpoint = Open311Endpoint

    def fetch(self, endpoint: Open311Endpoint, context: Context) -> Delivery:
        """What changed since the last pull, complete up to the server's time; at first every request since SINCE.

        Where the reply log fails, the requests still come, but the delivery speaks only up to where the log was last
        read: a question that was answered since must not seem unanswered. An answer without its question says nothing,
        so where the requests fail nothing comes and the log is asked again.

        Raises:
            TransientSupplierError, PermanentSupplierError: see `ingestion.protocols.open311`.
        """
        before = remembered(context.memory, endpoint.since)
        automatic = _AUTOMATIC | {_word(code) for code in endpoint.auto_ack.split(",")} - {None}
        with Client(endpoint.url) as client:
            desk = open311.open_desk(client, endpoint.url, endpoint.token)
            now = context.now()
            warnings = clock_warnings(address(endpoint.url), desk.server_time, now)
            desk = replace(desk, server_time=not_past(desk.server_time, now))
            told = endpoint.updated_after
            tells_changes = desk.filters_on_change() if told is None else told
            start = _first_moment(endpoint.since, context, desk, before)
            log = _reply_log(desk, before, start) if endpoint.updates else _ReplyLog()
            crawl = _crawl(desk, before, start, context.city.time_zone, log, tells_changes=tells_changes)
        delivery = _delivery(address(endpoint.url), crawl, before, context, automatic)
        return replace(delivery, warnings=(*warnings, *delivery.warnings, *_unfollowed(address(endpoint.url), crawl)))

    def read(self, file: DroppedFile, context: Context) -> Delivery:
        """A bulk file of requests, of updates, or of both on a sheet each; complete up to the last moment it holds.

        Raises:
            UnreadableFileError: it has the header of neither.
        """
        name = file.path.name
        book = read_book(original_bytes(file), name, {REQUESTS.name: _BULK, EVENTS.name: _BULK_UPDATES})
        rows = {table: frame.to_dicts() for table, frame in book.tables.items()}
        requests = [_with_status(row) for row in rows.get(REQUESTS.name, [])]
        happened = [(event, row[LINE]) for row in rows.get(EVENTS.name, []) for event in events_of(row)]
        tables = {
            REQUESTS.name: flatten(requests, context.areas(), [row[LINE] for row in requests]),
            EVENTS.name: _events([event for event, _ in happened], [line for _, line in happened]),
        }
        doubts = _doubts(name, tables[REQUESTS.name], context.city)
        return Delivery(origin=name, tables=tables, supplied_at=file.supplied_at, withheld=book.unread, warnings=doubts)


SOURCE = Tickets1777()


def flatten(requests: Sequence[object], areas: Areas | None = None, lines: Sequence[int] | None = None) -> pl.DataFrame:
    """Requests as rows of text.

    Args:
        requests: as they came; of a field that no contract names only the name is kept, for it may hold a
            person's words.
        areas: the sectors in which a coordinate lies; without them it is only forgotten.
        lines: where each stood in a file; without them `line` is the position in the crawl.
    """
    rows = [request if isinstance(request, dict) else {} for request in requests]
    known = REQUESTS.received.columns
    unknown = sorted({str(name) for row in rows for name in row} - {*known, *_READ_OTHERWISE, LINE})
    cells = [tuple(_cells(row).values()) for row in rows]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(known, pl.String), orient="row")
    nothing = [pl.lit(None, pl.String).alias(name) for name in unknown]
    places = pl.Series(LINE, lines or range(1, len(rows) + 1), dtype=pl.Int64)
    return _with_sector(frame, rows, areas).with_columns(nothing).with_columns(places)


def events_of(update: Row, automatic: Iterable[str | None] = _AUTOMATIC) -> list[Cells]:
    """What one update of the reply log says: a new state, an answer to the citizen, or both.

    A text for the citizen is an answer unless it is marked as sent by a machine. The text itself stays out.
    """
    word = _word(update.get("status"))
    code = _word(update.get("external_status_code"))
    actor = _word(update.get("actor_role")) or "staff"
    # refused like any other role that we do not know, but it may be the name of a person
    actor = actor if actor in _ROLES else "unknown"
    marks = {*automatic}
    if code in marks or word in marks:
        return [_event(update, "", "auto_ack", "system")]
    kind = _kind(word)
    answers = _says(update.get("description")) and actor != "citizen"
    if answers and kind == "status":
        return [_event(update, "", "replied", actor)]
    return [_event(update, "", kind, actor), *([_event(update, "/reply", "replied", actor)] if answers else [])]


@dataclass(frozen=True, slots=True)
class _ReplyLog:
    """What the reply log said, where there is one; `fault` says why it could not be read."""

    updates: list[object] | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class _Crawl:
    """What one pull read; a full one shows every request asked since `start`, a partial one the changed.

    Attributes:
        unanswered: the older open requests of a server that gives none by its number: nothing is known of them.
    """

    rows: list[object]
    log: _ReplyLog
    server_time: datetime
    start: datetime
    is_full: bool
    unanswered: frozenset[str] = frozenset()


def _first_moment(day: date | None, context: Context, desk: open311.Desk, before: Memory) -> datetime:
    """From where requests are read: all of them at first, the window of late changes afterwards."""
    window = desk.server_time - WINDOW
    if day is None:
        return window
    since = open311.midnight(day, context.city.time_zone)
    return since if before.reread_at is None else max(since, window)


def _reply_log(desk: open311.Desk, before: Memory, start: datetime) -> _ReplyLog:
    """The updates since the log was last read; one that could be read and is gone is at fault, not absent."""
    since = before.updates_until - UPDATES_OVERLAP if before.updates_until else before.first_moment or start
    try:
        updates = desk.updates_between(since, desk.server_time)
    except SupplierError as broken:
        return _ReplyLog(fault=f"{broken}. {_WITHOUT_LOG}")
    if updates is None and before.updates_until is not None:
        return _ReplyLog(fault=f"{address(desk.base)}: no longer offers the log it offered before. {_WITHOUT_LOG}")
    return _ReplyLog(updates)


def _crawl(  # noqa: PLR0913 - each is another input
    desk: open311.Desk, before: Memory, start: datetime, time_zone: str, log: _ReplyLog, *, tells_changes: bool
) -> _Crawl:
    now, updates = desk.server_time, log.updates or []
    changed = None
    if tells_changes and before.complete_until and not before.must_reread(now):
        changed = desk.requests_changed(before.complete_until - CHANGE_OVERLAP)
    rows = desk.requests_between(start, now) if changed is None else []
    shown = {_id(row) for row in (*rows, *(changed or ()))}
    older = set(before.older_and_open(start)) if changed is None else set()
    # what a window no longer shows may only be closed: it is asked before it is missed
    wanted = {*older, *(before.expected(start) if changed is None else ())}
    wanted |= {_id(update) for update in updates if before.is_new_update(_update_id(update), digest_of(update))}
    named = desk.requests_named(by_number := sorted(wanted - shown - {""}))
    unanswered = older - shown if by_number and not named and not _answers_by_number(desk, rows) else set()
    # a change may be of a request from before the first day: a month with a few of its requests misleads
    first = (before.first_moment or start).isoformat()
    inside = [row for row in (*(changed or ()), *named) if not (asked := _asked(row, time_zone)) or asked >= first]
    return _Crawl([*rows, *inside], log, now, start, changed is None, frozenset(unanswered))


def _answers_by_number(desk: open311.Desk, rows: Sequence[object]) -> bool:
    """Whether a request that is certainly there is found by its number; where there is none, it is supposed so."""
    there = next((key for row in rows if (key := _id(row))), None)
    return there is None or bool(desk.requests_named([there]))


def _unfollowed(shown: str, crawl: _Crawl) -> tuple[str, ...]:
    if not (count := len(crawl.unanswered)):
        return ()
    said = (
        f"{shown}: gives no request by its number, so {count} older open requests are not followed any more and stay "
        "open; ask the supplier for `service_request_id`"
    )
    return (said,)


def _delivery(
    origin: str, crawl: _Crawl, before: Memory, context: Context, automatic: Iterable[str | None]
) -> Delivery:
    rows = [row for row in crawl.rows if not _is_pending(row)]
    frame = flatten(rows, context.areas())
    digests = _digests(frame, rows)
    fresh = {key for key, digest in digests.items() if before.is_new(key, digest)}
    is_fresh = pl.Series([(_id(row)) in fresh for row in rows], dtype=pl.Boolean)
    missing = before.missing_from([*digests, *crawl.unanswered], crawl.start) if crawl.is_full else {}
    events = [
        *(event for row in rows if _id(row) in fresh for event in _noted(row)),
        *_happened(crawl.log.updates or [], before, automatic),
        *(_withdrawal(key, crawl.server_time) for key, seen in missing.items() if is_gone(seen)),
    ]
    return Delivery(
        origin=origin,
        tables={REQUESTS.name: frame.filter(is_fresh), EVENTS.name: _events(events)},
        supplied_at=crawl.server_time,
        complete_until=_spoken_until(crawl, before),
        withheld={PENDING: pending} if (pending := len(crawl.rows) - len(rows)) else {},
        memory=_after(before, crawl, digests, missing, context).as_json(),
        faults={REPLY_LOG: crawl.log.fault} if crawl.log.fault else {},
        warnings=_doubts(origin, frame.filter(is_fresh), context.city),
    )


def _doubts(shown: str, requests: pl.DataFrame, city: City) -> tuple[str, ...]:
    """What to say of requests that the contract takes in otherwise than they are written."""
    moved = REQUESTS.parse(requests, city)["put_later_seconds"].drop_nulls().to_list()
    unknown = sum(state_of(word) is None for word in requests["status"].str.strip_chars().drop_nulls() if word)
    said = []
    if moved:
        said.append(
            f"{shown}: {len(moved)} requests changed or closed before they were asked (by up to {max(moved)} s); they "
            "count as changed when they were asked. Ask the supplier to set its clocks right"
        )
    if unknown:
        said.append(
            f"{shown}: {unknown} requests stand in a state that is not known here; they count as open. Their words are "
            "in `status_description`; ask the supplier what they mean"
        )
    return tuple(said)


def _spoken_until(crawl: _Crawl, before: Memory) -> datetime:
    """Up to where requests and replies are both known; where no reply was ever read, nowhere."""
    if crawl.log.fault is None:
        return crawl.server_time
    return before.updates_until or before.first_moment or crawl.start


def _after(
    before: Memory, crawl: _Crawl, digests: Mapping[str, str], missing: Mapping[str, Seen], context: Context
) -> Memory:
    """What the next pull must know: every request that may still change."""
    seen = {key: seen for key, seen in missing.items() if not is_gone(seen)}
    seen |= {key: before.requests[key] for key in crawl.unanswered & before.requests.keys()}
    if not crawl.is_full:
        seen = dict(before.requests)
    for row in crawl.rows:
        if (key := _id(row)) in digests:
            asked = _asked(row, context.city.time_zone)
            seen[key] = Seen(digests[key], asked, isinstance(row, dict) and _is_open(row))
    window = crawl.server_time - WINDOW
    # one without a legible moment is known only as long as the window shows it
    kept = {
        key: one for key, one in seen.items() if not (key and one.asked) or one.is_open or not one.lies_before(window)
    }
    return Memory(
        since=before.since,
        first_moment=before.first_moment or crawl.start,
        complete_until=crawl.server_time,
        reread_at=crawl.server_time if crawl.is_full else before.reread_at,
        requests=kept,
        updates=_noted_updates(crawl.log, before),
        updates_until=before.updates_until if crawl.log.updates is None else crawl.server_time,
    )


def _noted_updates(log: _ReplyLog, before: Memory) -> Mapping[str, str]:
    if log.updates is None:
        return before.updates
    return {_update_id(update): digest_of(update) for update in log.updates}


def _digests(frame: pl.DataFrame, rows: Sequence[object]) -> dict[str, str]:
    """One digest per request; those without a number together under the empty one."""
    known = frame.select(REQUESTS.received.columns).rows()
    # a set: at the seam of two windows a server may show the same request in both
    parts: dict[str, set[str]] = {}
    for row, cells in zip(rows, known, strict=True):
        parts.setdefault(_id(row), set()).add(str([cells, list(_noted(row))]))
    return {key: digest_of(sorted(found)) for key, found in parts.items()}


def _with_sector(frame: pl.DataFrame, rows: Sequence[Row], areas: Areas | None) -> pl.DataFrame:
    """Coordinates become the sector they lie in; without boundaries they are only forgotten."""
    if areas is None or not rows:
        return frame
    places = pl.DataFrame(
        [(_text(row.get("long")), _text(row.get("lat"))) for row in rows],
        schema={"long": pl.String, "lat": pl.String},
        orient="row",
    ).select(number("long"), number("lat"))
    sectors = areas.of(places["long"], places["lat"], SECTOR)
    return frame.with_columns(pl.coalesce("sector_id", sectors).alias("sector_id"))


def _cells(row: Row) -> Cells:
    """The cells of one request, in the order of the contract."""
    cells = {name: _text(_first(row, _TAKEN_FROM.get(name, (name,)))) for name in REQUESTS.received.columns}
    # what a status says beside open and closed is a state in the system's own word
    own = None if _word(cells["status"]) in ("open", "closed") else cells["status"]
    cells["status_description"] = next((said for said in (cells["status_description"], own) if _is_state(said)), None)
    if "description" in row:
        cells["has_text"] = "true" if _says(row["description"]) else "false"
    return cells


def _is_state(said: str | None) -> bool:
    """Whether it is one word or several that a system is known to write; else it may be what a person wrote."""
    return said is not None and (_ONE_WORD.fullmatch(said) is not None or _word(said) in STATE_WORDS)


def _first(row: Row, names: Iterable[str]) -> object:
    """The first field that is filled in, in the row itself or in its extension."""
    extended = row.get("extended_attributes")
    places = [row, extended] if isinstance(extended, dict) else [row]
    found = (place[name] for place in places for name in names if place.get(name) not in (None, ""))
    return next(found, None)


def _with_status(row: Row) -> Row:
    """A bulk file may tell the state by its closing date only."""
    return row if _text(row.get("status")) else {**row, "status": "closed" if row.get("closed_date") else "open"}


def _noted(row: object) -> Iterator[Cells]:
    """The notes that some servers (Chicago) hang under a request; the words in them stay out."""
    notes = _first(row, ("notes",)) if isinstance(row, dict) else None
    if isinstance(notes, dict):
        notes = notes.get("note", notes)
    for note in notes if isinstance(notes, list) else [notes]:
        if isinstance(note, dict) and note.get("datetime"):
            kind = _NOTE_TYPES.get(_word(note.get("type")) or "", "status")
            moment = _text(note["datetime"])
            yield {
                "service_request_id": _id(row),
                "event_id": f"note/{kind}/{moment}",
                "event_type": kind,
                "status": None,
                "actor_role": None,
                "event_datetime": moment,
            }


def _happened(updates: Sequence[object], before: Memory, automatic: Iterable[str | None]) -> Iterator[Cells]:
    for update in updates:
        # an overlap brings most of them twice
        if isinstance(update, dict) and before.is_new_update(_update_id(update), digest_of(update)):
            yield from events_of(update, automatic)


def _kind(word: str | None) -> str:
    state = state_of(word) if word else None
    return "status" if state in (None, "open") else str(state)


def _state(word: str | None) -> str | None:
    """Open or closed, where a word says so of the question itself."""
    state = state_of(word) if word else None
    return "open" if state == "reopened" else state if state in ("open", "closed") else None


def _is_open(row: Row) -> bool:
    word = _word(row.get("status"))
    return word is None or state_of(word) in (None, "open", "reopened")


def _event(update: Row, part: str, kind: str, actor: str) -> Cells:
    return {
        "service_request_id": _text(update.get("service_request_id")),
        # its part alone would make one event of several
        "event_id": f"{own}{part}" if (own := _update_id(update)) else None,
        "event_type": kind,
        "status": _state(_word(update.get("status"))),
        "actor_role": actor,
        "event_datetime": _text(update.get("updated_datetime")),
    }


def _withdrawal(key: str, now: datetime) -> Cells:
    """A request that two full readings did not show."""
    return {
        "service_request_id": key,
        "event_id": f"missing/{now:%Y-%m-%dT%H:%M:%SZ}",
        "event_type": "withdrawn",
        "status": None,
        "actor_role": "system",
        "event_datetime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
    }


def _events(events: Sequence[Cells], lines: Sequence[int] | None = None) -> pl.DataFrame:
    columns = EVENTS.received.columns
    frame = pl.DataFrame(
        [tuple(event[name] for name in columns) for event in events],
        schema=dict.fromkeys(columns, pl.String),
        orient="row",
    )
    return frame.with_columns(pl.Series(LINE, lines or range(1, len(events) + 1), dtype=pl.Int64))


def _is_pending(row: object) -> bool:
    return isinstance(row, dict) and not _id(row) and bool(_text(row.get("token")))


def _id(row: object) -> str:
    return (_text(row.get("service_request_id")) or "").strip() if isinstance(row, dict) else ""


def _update_id(update: object) -> str:
    return (_text(update.get("update_id")) or "").strip() if isinstance(update, dict) else ""


def _asked(row: object, time_zone: str) -> str:
    """The moment of asking as UTC, for the memory; empty when the contract will refuse it anyway."""
    try:
        asked = datetime.fromisoformat(_text(row["requested_datetime"]) or "")  # type: ignore[index]  # any row
    except (KeyError, TypeError, ValueError):
        return ""
    return (asked if asked.tzinfo else asked.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC).isoformat()


def _word(sent: object) -> str | None:
    """A state or code as one word in lower case."""
    written = _text(sent)
    return state_word(written) if written else None


def _says(sent: object) -> bool:
    return bool((_text(sent) or "").strip())


def _text(sent: object) -> str | None:
    """A value of the wire as plain text: identifiers come as numbers or as text."""
    if sent is None or isinstance(sent, dict | list):
        return None
    return str(sent).lower() if isinstance(sent, bool) else str(sent)
