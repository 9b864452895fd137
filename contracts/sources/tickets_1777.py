"""Citizen questions to 1777: Open311 GeoReport v2, its bulk file, and the reply log of FixMyStreet.

GeoReport v2 has no moment of first reply: that is in the log of updates, where a supplier has one. Without it
the moment a request closes stands in for the reply, and the KPI says so. No description, name, address,
picture or coordinate passes the door; a coordinate becomes a statistical sector before it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import boolean, dated, day, instant, local_date, text
from contracts.vocabulary import (
    OURS,
    UTC_INSTANT,
    Column,
    Every,
    Noted,
    OnArrival,
    Received,
    Refused,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
    Way,
)

CHANNELS = ("phone", "email", "web", "app", "desk", "other")
EVENT_TYPES = (
    "received",
    "auto_ack",
    "replied",
    "status",
    "reopened",
    "closed",
    "duplicate",
    "withdrawn",
    "category",
)
STATES = ("open", "reopened", "closed", "duplicate", "withdrawn")
STATE_WORDS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "acknowledged",
            "action_scheduled",
            "assigned",
            "closure_requested",
            "forward_to_external",
            "gemeld",
            "in_afwachting",
            "in_afwachting_van_behandeling",
            "in_behandeling",
            "in_onderzoek",
            "in_progress",
            "in_uitvoering",
            "ingepland",
            "internal_referral",
            "investigating",
            "new",
            "nieuw",
            "on_hold",
            "ontvangen",
            "open",
            "pending",
            "planned",
            "reaction_received",
            "reaction_requested",
            "ready_to_send",
            "received",
            "reopen_requested",
            "send_failed",
            "submitted",
            "verzoek_tot_afhandeling",
            "verzoek_tot_heropening",
            "wacht_op_burger",
            "wacht_op_derden",
        ),
        "open",
    ),
    **dict.fromkeys(("heropend", "reopened"), "reopened"),
    **dict.fromkeys(
        (
            "afgehandeld",
            "afgesloten",
            "closed",
            "completed",
            "done_external",
            "fixed",
            "fixed_council",
            "fixed_user",
            "geen_gevolg",
            "gesloten",
            "niet_bevoegd",
            "niet_opgelost",
            "no_further_action",
            "not_councils_responsibility",
            "not_responsible",
            "opgelost",
            "resolved",
            "unable_to_fix",
        ),
        "closed",
    ),
    **dict.fromkeys(("closed_duplicate", "dubbel", "duplicate"), "duplicate"),
    **dict.fromkeys(
        ("cancelled", "canceled", "geannuleerd", "hidden", "ingetrokken", "spam", "test", "withdrawn"), "withdrawn"
    ),
}
"""What a word of state of a ticket system means, in a request and in an update alike; spelt as `state_word` does."""

# the calendar of working days begins here
_FIRST_MOMENT = datetime(2010, 1, 1, tzinfo=UTC)
_IDENTIFIER = r"^\S{1,64}$"
# as a spreadsheet writes a moment; it knows no zone
_WALL_CLOCKS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
)
_ZONED = r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)? ?(Z|UTC|[+-]\d\d:?\d\d)$"
# the first that fits decides: an e-mail is sent over the web too, and WhatsApp is no app of the city
_CHANNEL_WORDS = (
    ("other", "whatsapp|twitter|facebook|social"),
    ("email", "mail"),
    ("phone", r"\bphone|telefo|\bcall|\btel\b"),
    ("app", r"\bapp\b|mobile|android|iphone|ios"),
    ("desk", "desk|balie|loket|counter|walk"),
    ("web", "web|site|portal|online|self service|open311|api"),
)


def state_word(written: str) -> str:
    """A word of state in one spelling: lower case, its parts joined by underscores."""
    return "_".join(written.lower().replace("-", " ").split())


def state_of(written: str) -> str | None:
    """What a word of state means; None where nobody here knows it."""
    word = state_word(written)
    # FixMyStreet writes who fixed or closed it behind the word
    return STATE_WORDS.get(word) or ("closed" if word.startswith(("fixed", "closed")) else None)


def _state(column: str) -> pl.Expr:
    return text(column).map_elements(state_of, return_dtype=pl.String, skip_nulls=True)


def _moment(column: str, city: City, hour_of_day: str = "00:00:00") -> pl.Expr:
    """An instant as GeoReport or a Belgian spreadsheet writes it; a bare date is that day at the hour given."""
    written = dated(column)
    belgian = pl.coalesce(
        written.str.to_datetime(form, time_unit="us", strict=False) for form in _WALL_CLOCKS
    ).dt.replace_time_zone(city.time_zone, ambiguous="earliest", non_existent="null")
    whole_day = day(column).dt.to_string("%Y-%m-%d") + pl.lit(f"T{hour_of_day}")
    wall_clock = whole_day.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
    midnight = wall_clock.dt.replace_time_zone(city.time_zone, ambiguous="earliest", non_existent="null")
    # a spreadsheet writes midnight after a bare date
    bare = written.str.contains(r"^\S{8,10}([T ]00:00:00(\.0+)?)?$")
    exact = pl.coalesce(instant(column, city.time_zone), _zoned(written))
    return (
        pl.when(bare)
        .then(midnight.dt.convert_time_zone("UTC"))
        .otherwise(pl.coalesce(exact, belgian.dt.convert_time_zone("UTC")))
        .cast(UTC_INSTANT)
    )


def _zoned(written: pl.Expr) -> pl.Expr:
    """An instant whose seconds may be left out (W3C), with a blank before the hour or the zone (databases)."""
    parts = written.str.extract_groups(_ZONED)
    seconds = pl.coalesce(parts.struct.field("3"), pl.lit(":00"))
    zone = parts.struct.field("4").replace({"Z": "+00:00", "UTC": "+00:00"})
    spelled = pl.concat_str(parts.struct.field("1"), pl.lit("T"), parts.struct.field("2"), seconds, zone)
    return spelled.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False)


def _channel(column: str) -> pl.Expr:
    said = text(column).str.to_lowercase()
    exact = pl.when(said.is_in(CHANNELS)).then(said)
    by_word = [pl.when(said.str.contains(words)).then(pl.lit(name)) for name, words in _CHANNEL_WORDS]
    return pl.coalesce(exact, *by_word, pl.when(said.is_not_null()).then(pl.lit("other"))).alias(column)


def _parse_requests(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    read = rows.select(
        text("service_request_id"),
        # a word that nobody knows must not take the question away
        pl.coalesce(_state("status"), pl.when(text("status").is_not_null()).then(pl.lit("open"))).alias("said_state"),
        _state("status_description").alias("described_state"),
        text("status_description").str.to_lowercase(),
        text("service_code"),
        text("service_name"),
        text("service_subtype"),
        text("agency_responsible"),
        text("zipcode"),
        text("sector_id"),
        _channel("channel"),
        text("duplicate_of"),
        boolean("is_first_line"),
        boolean("has_text"),
        _moment("requested_datetime", city).alias("requested_at"),
        _moment("updated_datetime", city).alias("said_updated_at"),
        _moment("expected_datetime", city).alias("expected_at"),
        # within a day the clock of the promise does not run, so its last second will do
        _moment("closed_datetime", city, "23:59:59").alias("said_closed_at"),
    )
    is_ended = pl.col("described_state").is_in(("duplicate", "withdrawn"))
    status = pl.col("said_state").replace({"reopened": "open", "duplicate": "closed", "withdrawn": "closed"})
    asked, updated = pl.col("requested_at"), _after_asking("said_updated_at")
    is_derived = pl.col("said_closed_at").is_null() & status.eq_missing("closed")
    moved = [(asked - pl.col(name)).dt.total_seconds() for name in ("said_updated_at", "said_closed_at")]
    return read.with_columns(
        status.alias("status"),
        pl.when(is_ended).then("described_state").otherwise("said_state").alias("state"),
        updated.alias("updated_at"),
        pl.when(is_derived).then(updated).otherwise(_after_asking("said_closed_at")).alias("closed_at"),
        is_derived.alias("is_closing_derived"),
        pl.max_horizontal(pl.when(each > 0).then(each) for each in moved).alias("put_later_seconds"),
        local_date("requested_at", city.time_zone).alias("requested_date"),
    ).drop("said_state", "described_state", "said_updated_at", "said_closed_at")


def _after_asking(column: str) -> pl.Expr:
    """A moment, at the earliest that of the question: clocks of one system run apart, and no row is lost to that."""
    return pl.when(pl.col(column) < pl.col("requested_at")).then("requested_at").otherwise(column)


def _parse_events(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    return rows.select(
        text("service_request_id"),
        text("event_id"),
        text("event_type").str.to_lowercase(),
        text("status").str.to_lowercase(),
        text("actor_role").str.to_lowercase(),
        _moment("event_datetime", city).alias("event_at"),
    ).with_columns(local_date("event_at", city.time_zone).alias("event_date"))


REQUESTS = TableContract(
    name="requests",
    description="One question or report of a citizen.",
    description_nl="Eén vraag of melding van een burger, zoals ze nu staat.",
    received=Received(
        columns=(
            "service_request_id",
            "status",
            "status_description",
            "service_code",
            "service_name",
            "service_subtype",
            "agency_responsible",
            "zipcode",
            "sector_id",
            "channel",
            "duplicate_of",
            "is_first_line",
            "has_text",
            "requested_datetime",
            "updated_datetime",
            "expected_datetime",
            "closed_datetime",
        ),
        required=("service_request_id", "status", "requested_datetime"),
        meaning_nl={
            "service_request_id": "nummer van de melding: hoogstens 64 tekens, zonder spaties",
            "status": "open of closed, of het woord van uw systeem; een woord dat we niet kennen telt als open",
            "status_description": "de toestand in het woord van uw systeem, geen zin",
            "service_code": "code van het thema",
            "service_name": "naam van het thema",
            "service_subtype": "onderdeel van het thema",
            "agency_responsible": "dienst die moet antwoorden",
            "zipcode": "postcode van de melding",
            "sector_id": "statistische sector van de melding; de plaats zelf bewaren we niet",
            "channel": "langs waar de burger kwam, bijvoorbeeld telefoon, balie of website",
            "duplicate_of": "nummer van de eerdere melding die deze herhaalt",
            "is_first_line": "ja als de vraag meteen aan de balie of telefoon beantwoord is",
            "has_text": "of de burger iets schreef; de tekst zelf bewaren we niet",
            "requested_datetime": "wanneer de burger het vroeg",
            "updated_datetime": "wanneer de melding het laatst veranderde",
            "expected_datetime": "wanneer de stad denkt te antwoorden",
            "closed_datetime": "wanneer de melding gesloten werd",
        },
    ),
    parse=_parse_requests,
    columns=(
        Column("service_request_id", pl.String, "the ticket system's identifier", pattern=_IDENTIFIER),
        Column(
            "status",
            pl.String,
            "open or closed (GeoReport v2); a word nobody knows is open",
            allowed=("open", "closed"),
        ),
        Column(
            "state",
            pl.String,
            "what became of it, in one of five words; null in what came before version 4",
            nullable=True,
            allowed=STATES,
        ),
        Column("status_description", pl.String, "the state in the system's own word, no sentence", nullable=True),
        Column("service_code", pl.String, "code of the theme", nullable=True),
        Column("service_name", pl.String, "name of the theme", nullable=True),
        Column("service_subtype", pl.String, "part of the theme", nullable=True),
        Column("agency_responsible", pl.String, "service that must answer, in the system's words", nullable=True),
        Column("zipcode", pl.String, "postal code of the report", nullable=True),
        Column("sector_id", pl.String, "statistical sector of the report", nullable=True, pattern=r"^\S{1,20}$"),
        Column("channel", pl.String, "how the citizen came", nullable=True, allowed=CHANNELS),
        Column("duplicate_of", pl.String, "the earlier request it repeats", nullable=True, pattern=_IDENTIFIER),
        Column("is_first_line", pl.Boolean, "whether the operator answered at once", nullable=True),
        Column("has_text", pl.Boolean, "whether the citizen wrote something; the text stays out", nullable=True),
        Column("requested_at", UTC_INSTANT, "when the citizen asked", reads="requested_datetime"),
        Column(
            "updated_at",
            UTC_INSTANT,
            "last change; the closing moment once closed",
            nullable=True,
            reads="updated_datetime",
        ),
        Column("expected_at", UTC_INSTANT, "when the city expects to answer", nullable=True, reads="expected_datetime"),
        Column("closed_at", UTC_INSTANT, "when it was closed", nullable=True, reads="closed_datetime"),
        Column("is_closing_derived", pl.Boolean, "whether closed_at is the last change, for want of better"),
        Column(
            "put_later_seconds",
            pl.Int64,
            "by how much its last change or closing lay before the question, whose moment they then have; mostly null",
            nullable=True,
            minimum=0,
        ),
        Column("requested_date", pl.Date, "city date of the question"),
    ),
    key=("service_request_id",),
    version=("updated_at",),
    event_date="requested_date",
    event_order=("requested_at", "service_request_id"),
    clamped=("updated_at", "closed_at"),
    # a dropped file says no more than the last question in it
    speaks_until="requested_at",
    rules=(
        RowRule(
            "asked_within_the_calendar",
            "requested_datetime",
            "lies before 2010, where the calendar of working days begins",
            pl.col("requested_at") >= _FIRST_MOMENT,
            reason_nl="ligt vóór 2010. Oudere meldingen horen er niet bij.",
            refused=Refused("questions of before 2010, which count in no period"),
        ),
    ),
    breaches={
        "status": OURS,
        "state": OURS,
        "channel": OURS,
        "duplicate_of": Refused("repeated questions, which do not count"),
        # a question that was answered fills what an open one leaves empty: nothing it leaves takes it away
        **dict.fromkeys(("sector_id", "is_first_line", "has_text", "updated_at", "expected_at", "closed_at"), Noted()),
        "put_later_seconds": OURS,
    },
)

EVENTS = TableContract(
    name="events",
    description="One thing that happened to a request: an answer, a new state, a reopening.",
    description_nl="Eén gebeurtenis van een melding: een antwoord, een andere toestand, een heropening.",
    received=Received(
        columns=("service_request_id", "event_id", "event_type", "status", "actor_role", "event_datetime"),
        required=("service_request_id", "event_id", "event_type", "event_datetime"),
        meaning_nl={
            "service_request_id": "nummer van de melding",
            "event_id": "nummer van de gebeurtenis in uw logboek: hoogstens 100 tekens, zonder spaties",
            "event_type": "wat er gebeurde",
            "status": "open of closed, als het logboek dat zegt",
            "actor_role": "wie het deed: citizen, staff of system; nooit een naam",
            "event_datetime": "wanneer het gebeurde",
        },
    ),
    parse=_parse_events,
    columns=(
        Column("service_request_id", pl.String, "the request it happened to", pattern=_IDENTIFIER),
        Column("event_id", pl.String, "the log's identifier of it", pattern=r"^\S{1,100}$"),
        Column("event_type", pl.String, "what happened", allowed=EVENT_TYPES),
        Column("status", pl.String, "open or closed, where the log says so", nullable=True, allowed=("open", "closed")),
        Column(
            "actor_role", pl.String, "who did it, never a name", nullable=True, allowed=("citizen", "staff", "system")
        ),
        Column("event_at", UTC_INSTANT, "when it happened", reads="event_datetime"),
        Column("event_date", pl.Date, "city date of it"),
    ),
    key=("service_request_id", "event_id"),
    version=("event_at",),
    event_date="event_date",
    event_order=("event_at", "service_request_id", "event_id"),
    speaks_until="event_at",
    rules=(
        RowRule(
            "happened_within_the_calendar",
            "event_datetime",
            "lies before 2010, where the calendar of working days begins",
            pl.col("event_at") >= _FIRST_MOMENT,
            reason_nl="ligt vóór 2010. Geef het juiste moment.",
            refused=Refused("events of before 2010, which count in no period"),
        ),
    ),
    refused=Refused("answers: a question of which the answer is gone counts as late", Way.DOWN, "dim_source"),
    breaches={"event_type": OURS, "status": OURS, "actor_role": OURS},
)

CONTRACT = SourceContract(
    name="tickets_1777",
    title_nl="Meldingen 1777",
    owner="1777@kortrijk.example",
    version=5,
    triggers=(Every("20 * * * *"), OnArrival((".csv", ".xlsx"))),
    fresh_within=timedelta(days=1),
    retention=timedelta(days=365 * 5),
    sensitivity=Sensitivity.PERSONAL,
    tables=(REQUESTS, EVENTS),
    delivery_nl="De stad vraagt de meldingen op bij het meldingssysteem (GeoReport v2, JSON of XML), liefst met het "
    "antwoordlogboek servicerequestupdates: zonder dat logboek geldt het sluiten van een melding als antwoord. "
    "Geef een automatische ontvangstmelding de code auto_ack: ze telt niet als antwoord. Kan dat niet, lever dan de "
    "bulkexport van het systeem als bestand, met alle meldingen die sinds de vorige levering veranderd zijn.",
)
