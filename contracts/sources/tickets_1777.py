"""Citizen questions to 1777: Open311 GeoReport v2, its bulk file, and the reply log of FixMyStreet.

GeoReport v2 has no moment of first reply: that is in the log of updates, where a supplier has one. Without it
the moment a request closes stands in for the reply, and the KPI says so. No description, name, address,
picture or coordinate passes the door; a coordinate becomes a statistical sector before it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import city_date, dated, day, instant, lower, text
from contracts.vocabulary import (
    OURS,
    UTC_INSTANT,
    Every,
    Field,
    Noted,
    OnArrival,
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


def _status(wire: str) -> pl.Expr:
    # a word that nobody knows must not take the question away
    return pl.coalesce(_state(wire), pl.when(text(wire).is_not_null()).then(pl.lit("open")))


def _described(_: str) -> pl.Expr:
    return _state("status_description")


def _end_of_day(wire: str, city: City) -> pl.Expr:
    # within a day the clock of the promise does not run, so its last second will do
    return _moment(wire, city, "23:59:59")


def _after_asking(column: str) -> pl.Expr:
    """A moment, at the earliest that of the question: clocks of one system run apart, and no row is lost to that."""
    return pl.when(pl.col(column) < pl.col("requested_at")).then("requested_at").otherwise(column)


def _seconds_before_asking(column: str) -> pl.Expr:
    seconds = (pl.col("requested_at") - pl.col(column)).dt.total_seconds()
    return pl.when(seconds > 0).then(seconds)


_STATUS = pl.col("status").replace({"reopened": "open", "duplicate": "closed", "withdrawn": "closed"})
_STATE = pl.when(pl.col("state").is_in(("duplicate", "withdrawn"))).then("state").otherwise("status")
_IS_DERIVED = pl.col("closed_at").is_null() & _STATUS.eq_missing("closed")
_CLOSED = pl.when(_IS_DERIVED).then(_after_asking("updated_at")).otherwise(_after_asking("closed_at"))
_PUT_LATER = pl.max_horizontal(_seconds_before_asking("updated_at"), _seconds_before_asking("closed_at"))

_REQUESTS_FIELDS = (
    Field("service_request_id", pl.String, "the ticket system's identifier", pattern=_IDENTIFIER, required=True,
          nl="nummer van de melding: hoogstens 64 tekens, zonder spaties"),
    Field("status", pl.String, "open or closed (GeoReport v2); a word nobody knows is open", allowed=("open", "closed"),
          required=True, nl="open of closed, of het woord van uw systeem; een woord dat we niet kennen telt als open",
          read=_status, then=_STATUS, words=tuple(STATE_WORDS)),
    Field("state", pl.String, "what became of it, in one of five words; null in what came before version 4",
          nullable=True, allowed=STATES, arrives=False, read=_described, then=_STATE),
    Field("status_description", pl.String, "the state in the system's own word, no sentence", nullable=True,
          nl="de toestand in het woord van uw systeem, geen zin", read=lower),
    Field("service_code", pl.String, "code of the theme", nullable=True, nl="code van het thema"),
    Field("service_name", pl.String, "name of the theme", nullable=True, nl="naam van het thema"),
    Field("service_subtype", pl.String, "part of the theme", nullable=True, nl="onderdeel van het thema"),
    Field("agency_responsible", pl.String, "service that must answer, in the system's words", nullable=True,
          nl="dienst die moet antwoorden"),
    Field("zipcode", pl.String, "postal code of the report", nullable=True, nl="postcode van de melding"),
    Field("sector_id", pl.String, "statistical sector of the report", nullable=True, pattern=r"^\S{1,20}$",
          nl="statistische sector van de melding; de plaats zelf bewaren we niet"),
    Field("channel", pl.String, "how the citizen came", nullable=True, allowed=CHANNELS,
          nl="langs waar de burger kwam, bijvoorbeeld telefoon, balie of website", read=_channel),
    Field("duplicate_of", pl.String, "the earlier request it repeats", nullable=True, pattern=_IDENTIFIER,
          nl="nummer van de eerdere melding die deze herhaalt"),
    Field("is_first_line", pl.Boolean, "whether the operator answered at once", nullable=True,
          nl="ja als de vraag meteen aan de balie of telefoon beantwoord is"),
    Field("has_text", pl.Boolean, "whether the citizen wrote something; the text stays out", nullable=True,
          nl="of de burger iets schreef; de tekst zelf bewaren we niet"),
    Field("requested_at", UTC_INSTANT, "when the citizen asked", reads="requested_datetime", required=True,
          nl="wanneer de burger het vroeg", read_in=_moment),
    Field("updated_at", UTC_INSTANT, "last change; the closing moment once closed", nullable=True,
          reads="updated_datetime", nl="wanneer de melding het laatst veranderde",
          read_in=_moment, then=_after_asking("updated_at")),
    Field("expected_at", UTC_INSTANT, "when the city expects to answer", nullable=True, reads="expected_datetime",
          nl="wanneer de stad denkt te antwoorden", read_in=_moment),
    Field("closed_at", UTC_INSTANT, "when it was closed", nullable=True, reads="closed_datetime",
          nl="wanneer de melding gesloten werd", read_in=_end_of_day, then=_CLOSED),
    Field("is_closing_derived", pl.Boolean, "whether closed_at is the last change, for want of better", arrives=False,
          then=_IS_DERIVED),
    Field("put_later_seconds", pl.Int64,
          "by how much its last change or closing lay before the question, whose moment they then have; mostly null",
          nullable=True, minimum=0, arrives=False, then=_PUT_LATER),
    Field("requested_date", pl.Date, "city date of the question", arrives=False, then=city_date("requested_at")),
)  # fmt: skip

REQUESTS = TableContract(
    name="requests",
    description="One question or report of a citizen.",
    description_nl="Eén vraag of melding van een burger, zoals ze stond bij de levering.",
    fields=_REQUESTS_FIELDS,
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

_EVENTS_FIELDS = (
    Field("service_request_id", pl.String, "the request it happened to", pattern=_IDENTIFIER, required=True,
          nl="nummer van de melding"),
    Field("event_id", pl.String, "the log's identifier of it", pattern=r"^\S{1,100}$", required=True,
          nl="nummer van de gebeurtenis in uw logboek: hoogstens 100 tekens, zonder spaties"),
    Field("event_type", pl.String, "what happened", allowed=EVENT_TYPES, required=True, nl="wat er gebeurde",
          read=lower),
    Field("status", pl.String, "open or closed, where the log says so", nullable=True, allowed=("open", "closed"),
          nl="open of closed, als het logboek dat zegt", read=lower),
    Field("actor_role", pl.String, "who did it, never a name", nullable=True, allowed=("citizen", "staff", "system"),
          nl="wie het deed: citizen, staff of system; nooit een naam", read=lower),
    Field("event_at", UTC_INSTANT, "when it happened", reads="event_datetime", required=True, nl="wanneer het gebeurde",
          read_in=_moment),
    Field("event_date", pl.Date, "city date of it", arrives=False, then=city_date("event_at")),
)  # fmt: skip

EVENTS = TableContract(
    name="events",
    description="One thing that happened to a request: an answer, a new state, a reopening.",
    description_nl="Eén gebeurtenis van een melding: een antwoord, een andere toestand, een heropening.",
    fields=_EVENTS_FIELDS,
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
