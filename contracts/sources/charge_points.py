"""Charge points as operators publish them: OCPI 2.2.1 and 2.3.0, modules Locations, Sessions and CDRs.

An EVSE serves one vehicle at a time and its connectors are alternatives (OCPI 2.2.1, 8.3.2): stock is
counted in EVSEs and power is the largest of its connectors, so three tables land. A location always comes whole, with
its EVSEs and their connectors; a delivery holds the locations that changed, or all of them: `crawls` says which.
Of sessions only the energy and their number per EVSE and hour come in.
"""

from datetime import timedelta

import polars as pl

from contracts.cities.profile import City
from contracts.reading import boolean, day, instant, local_date, number, text, whole_number
from contracts.vocabulary import (
    OURS,
    UTC_INSTANT,
    Column,
    Every,
    Noted,
    Received,
    Refused,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
    Way,
)

_STATUSES = (
    "AVAILABLE",
    "BLOCKED",
    "CHARGING",
    "INOPERATIVE",
    "OUTOFORDER",
    "PLANNED",
    "REMOVED",
    "RESERVED",
    "UNKNOWN",
)
_POWER_TYPES = ("AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC")
_FORMATS = ("SOCKET", "CABLE")
_MODULES = ("cdrs", "sessions")
_LOCATION_KEY = ("country_code", "party_id", "location_id")

_WHOSE_NL = {
    "country_code": "landcode van de uitbater, twee letters",
    "party_id": "code van de uitbater, drie tekens",
    "location_id": "nummer van de locatie bij de uitbater (OCPI: Location.id)",
}
_EVSE_UID_NL = {"evse_uid": "nummer van het laadpunt binnen de locatie (OCPI: EVSE.uid)"}
_LAST_UPDATED_NL = {"last_updated": "wanneer de uitbater dit het laatst wijzigde, in UTC"}
_WHOSE = (
    Column("country_code", pl.String, "ISO 3166 alpha-2 code of the operator's party", pattern=r"^[A-Z]{2}$"),
    Column("party_id", pl.String, "the operator's party", pattern=r"^[A-Z0-9]{3}$"),
    Column("location_id", pl.String, "the operator's identifier of the location"),
)
_EVSE_UID = Column("evse_uid", pl.String, "the operator's identifier of the EVSE within the location")
_LAST_UPDATED = Column(
    "last_updated_at", UTC_INSTANT, "when the operator last changed the object", reads="last_updated"
)
_LAST_UPDATED_DATE = Column("last_updated_date", pl.Date, "city date of that change")


def _whose() -> list[pl.Expr]:
    return [text("country_code").str.to_uppercase(), text("party_id").str.to_uppercase(), text("location_id")]


def _with_date(frame: pl.DataFrame, city: City) -> pl.DataFrame:
    return frame.with_columns(local_date("last_updated_at", city.time_zone).alias("last_updated_date"))


_WITHOUT_A_PLACE = Refused(
    "charge points of which nobody knows the place", Way.DOWN, "every_charge_point_has_a_location"
)
_UNCOUNTED = Refused("charge points that the stock then lacks", Way.DOWN, "int_charge_points__crawl_completeness")
# Belgium and the Netherlands; north and east do not overlap there, so exchanged coordinates betray themselves
_NORTH, _EAST = (49.4, 53.7), (2.5, 7.3)
_NOT_SWAPPED = RowRule(
    "latlon_swapped",
    "",
    "latlon_swapped: latitude and longitude are exchanged; the operator must correct it",
    ~(pl.col("latitude").is_between(*_EAST) & pl.col("longitude").is_between(*_NORTH)),
    reason_nl="De breedtegraad en de lengtegraad zijn verwisseld. Zet de noorderbreedte (rond 51) in latitude en de "
    "oosterlengte (rond 3) in longitude.",
    refused=_WITHOUT_A_PLACE,
)


def _parse_locations(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    frame = rows.select(
        *_whose(),
        # absent is true; what is there and cannot be read is not
        pl.when(text("publish").is_not_null())
        .then(boolean("publish"))
        .otherwise(pl.lit(value=True))
        .alias("is_published"),
        number("latitude").alias("latitude"),
        number("longitude").alias("longitude"),
        text("parking_type").str.to_uppercase(),
        text("operator_name"),
        boolean("twentyfourseven").alias("is_open_24_7"),
        number("hours_min_per_day").alias("hours_min_per_day"),
        text("municipality_id"),
        text("sector_id"),
        boolean("is_in_municipality"),
        instant("last_updated").alias("last_updated_at"),
    )
    return _with_date(frame, city)


def _parse_evses(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    frame = rows.select(
        *_whose(),
        text("evse_uid"),
        text("evse_id"),
        text("status").str.to_uppercase(),
        text("parking_restrictions").str.to_uppercase(),
        instant("last_updated").alias("last_updated_at"),
    )
    return _with_date(frame, city)


def _parse_connectors(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    frame = rows.select(
        *_whose(),
        text("evse_uid"),
        text("connector_id"),
        text("standard"),
        text("format").str.to_uppercase(),
        text("power_type").str.to_uppercase(),
        whole_number("max_voltage").alias("max_voltage_v"),
        whole_number("max_amperage").alias("max_amperage_a"),
        whole_number("max_electric_power").alias("max_electric_power_w"),
        instant("last_updated").alias("last_updated_at"),
    )
    return _with_date(frame, city)


LOCATIONS = TableContract(
    name="locations",
    description="One place with charge points, as its operator publishes it.",
    description_nl="Eén plaats met laadpunten, zoals de uitbater ze bekendmaakt.",
    received=Received(
        columns=(
            *_LOCATION_KEY,
            "publish",
            "latitude",
            "longitude",
            "parking_type",
            "operator_name",
            "twentyfourseven",
            "hours_min_per_day",
            "municipality_id",
            "sector_id",
            "is_in_municipality",
            "last_updated",
        ),
        required=(*_LOCATION_KEY, "last_updated"),
        meaning_nl={
            **_WHOSE_NL,
            "publish": "of iedereen de locatie mag zien; leeg is ja. Wat privé is, lezen we niet",
            "latitude": "noorderbreedte in graden, WGS 84, rond 51",
            "longitude": "oosterlengte in graden, WGS 84, rond 3",
            "parking_type": "soort parkeerplaats, een OCPI-woord. Een nieuw woord bewaren we, met een waarschuwing",
            "operator_name": "naam van de uitbater",
            "twentyfourseven": "of de locatie altijd open is; leeg als dat niet gezegd is",
            "hours_min_per_day": "open uren op de weekdag met de minste uren; berekend uit opening_times",
            "municipality_id": "gemeente waarin het punt ligt; berekend uit de gemeentegrenzen, niet uit het adres",
            "sector_id": "statistische sector waarin het punt ligt; berekend",
            "is_in_municipality": "of het punt in onze stad ligt; berekend",
            **_LAST_UPDATED_NL,
        },
        added=("hours_min_per_day", "municipality_id", "sector_id", "is_in_municipality"),
    ),
    parse=_parse_locations,
    columns=(
        *_WHOSE,
        Column("is_published", pl.Boolean, "may be shown to the public; true when absent", reads="publish"),
        Column("latitude", pl.Float64, "degrees north, WGS 84", minimum=-90, maximum=90),
        Column("longitude", pl.Float64, "degrees east, WGS 84", minimum=-180, maximum=180),
        Column("parking_type", pl.String, "open OCPI enumeration, in capitals: any word is kept", nullable=True),
        Column("operator_name", pl.String, "name of the operator", nullable=True),
        Column(
            "is_open_24_7",
            pl.Boolean,
            "open all hours; null when the operator does not say",
            nullable=True,
            reads="twentyfourseven",
        ),
        Column(
            "hours_min_per_day",
            pl.Float64,
            "open hours on the weekday with the fewest; null when the operator does not say",
            nullable=True,
            minimum=0,
            maximum=24,
        ),
        Column("municipality_id", pl.String, "municipality the point lies in, by boundary", nullable=True),
        Column("sector_id", pl.String, "statistical sector the point lies in, by boundary", nullable=True),
        Column(
            "is_in_municipality",
            pl.Boolean,
            "whether the point lies in the city of this profile; null without a boundary file",
            nullable=True,
        ),
        _LAST_UPDATED,
        _LAST_UPDATED_DATE,
    ),
    key=_LOCATION_KEY,
    version=("last_updated_at",),
    event_date="last_updated_date",
    event_order=("last_updated_at", *_LOCATION_KEY),
    rules=(_NOT_SWAPPED,),
    refused=_WITHOUT_A_PLACE,
    breaches={"hours_min_per_day": OURS, "is_in_municipality": OURS, "is_open_24_7": Noted()},
)

EVSES = TableContract(
    name="evses",
    description="One EVSE: a point that charges one vehicle at a time.",
    description_nl="Eén laadpunt: er kan één voertuig tegelijk laden.",
    received=Received(
        columns=(*_LOCATION_KEY, "evse_uid", "evse_id", "status", "parking_restrictions", "last_updated"),
        required=(*_LOCATION_KEY, "evse_uid", "status", "last_updated"),
        meaning_nl={
            **_WHOSE_NL,
            **_EVSE_UID_NL,
            "evse_id": "eMI3-code van het laadpunt, zoals BE*ABC*E123: daaraan herkennen we het op elk platform",
            "status": "toestand van het laadpunt, een woord van OCPI; een ander woord telt als UNKNOWN",
            "parking_restrictions": "voor wie de plaats is, woorden van OCPI met een komma ertussen. Een nieuw woord "
            "bewaren we, met een waarschuwing",
            **_LAST_UPDATED_NL,
        },
    ),
    parse=_parse_evses,
    columns=(
        *_WHOSE,
        _EVSE_UID,
        Column("evse_id", pl.String, "eMI3 identifier, as sent", nullable=True),
        Column("status", pl.String, "closed OCPI enumeration", allowed=_STATUSES),
        Column(
            "parking_restrictions",
            pl.String,
            "open OCPI enumeration, in capitals, sorted, with commas between; null when there are none",
            nullable=True,
        ),
        _LAST_UPDATED,
        _LAST_UPDATED_DATE,
    ),
    key=(*_LOCATION_KEY, "evse_uid"),
    version=("last_updated_at",),
    event_date="last_updated_date",
    event_order=("last_updated_at", *_LOCATION_KEY, "evse_uid"),
    refused=_UNCOUNTED,
    # a word that is new to us would leave the state before it standing
    breaches={"status": Noted("UNKNOWN")},
)

CONNECTORS = TableContract(
    name="connectors",
    description="One socket or cable of an EVSE; the connectors of one EVSE are alternatives.",
    description_nl="Eén stopcontact of kabel van een laadpunt; er is er maar één tegelijk in gebruik.",
    received=Received(
        columns=(
            *_LOCATION_KEY,
            "evse_uid",
            "connector_id",
            "standard",
            "format",
            "power_type",
            "max_voltage",
            "max_amperage",
            "max_electric_power",
            "last_updated",
        ),
        required=(*_LOCATION_KEY, "evse_uid", "connector_id", "power_type"),
        meaning_nl={
            **_WHOSE_NL,
            **_EVSE_UID_NL,
            "connector_id": "nummer van de aansluiting binnen het laadpunt",
            "standard": "soort stekker, een woord van OCPI. Een nieuw woord bewaren we, met een waarschuwing",
            "format": "stopcontact (SOCKET) of vaste kabel (CABLE)",
            "power_type": "soort stroom, een woord van OCPI; een ander woord weigeren we",
            "max_voltage": "hoogste spanning in volt, tussen fase en nulleider",
            "max_amperage": "hoogste stroom in ampère",
            "max_electric_power": "hoogste vermogen in watt, niet in kilowatt; leeg of 0 als de uitbater niets zegt; "
            "wat niet kan, lezen we niet: het vermogen volgt dan uit spanning en stroom",
            **_LAST_UPDATED_NL,
        },
    ),
    parse=_parse_connectors,
    columns=(
        *_WHOSE,
        _EVSE_UID,
        Column("connector_id", pl.String, "identifier within the EVSE"),
        Column("standard", pl.String, "open OCPI enumeration: kept as it comes", nullable=True),
        Column("format", pl.String, "closed OCPI enumeration", nullable=True, allowed=_FORMATS),
        Column("power_type", pl.String, "closed OCPI enumeration", allowed=_POWER_TYPES),
        Column(
            "max_voltage_v",
            pl.Int64,
            "volt; line to neutral per the specification",
            minimum=1,
            maximum=2000,
            reads="max_voltage",
        ),
        Column("max_amperage_a", pl.Int64, "ampere", minimum=1, maximum=4000, reads="max_amperage"),
        Column(
            "max_electric_power_w",
            pl.Int64,
            "watt, where declared",
            nullable=True,
            minimum=1000,
            maximum=1_500_000,
            reads="max_electric_power",
        ),
        _LAST_UPDATED,
        _LAST_UPDATED_DATE,
    ),
    key=(*_LOCATION_KEY, "evse_uid", "connector_id"),
    version=("last_updated_at",),
    event_date="last_updated_date",
    event_order=("last_updated_at", *_LOCATION_KEY, "evse_uid", "connector_id"),
    refused=_UNCOUNTED,
    # a power that cannot be follows from voltage and amperage
    breaches={"format": Noted(), "max_electric_power_w": Noted()},
)


def _parse_crawls(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    return rows.select(
        instant("started_at"),
        instant("ended_at"),
        boolean("is_full"),
        whole_number("location_count"),
        whole_number("evse_count"),
        day("sessions_from").alias("sessions_from_date"),
        day("sessions_to").alias("sessions_to_date"),
    ).with_columns(local_date("started_at", city.time_zone).alias("crawl_date"))


_COUNTED = RowRule(
    "uncounted_full_crawl",
    "",
    "uncounted_full_crawl: a full crawl does not say how many locations and EVSEs it named",
    ~pl.col("is_full") | (pl.col("location_count").is_not_null() & pl.col("evse_count").is_not_null()),
    reason_nl="Een volledige bevraging zegt niet hoeveel locaties en laadpunten ze noemde. Die rij schrijven we zelf: "
    "meld dit aan het datateam.",
    refused=OURS,
)

CRAWLS = TableContract(
    name="crawls",
    description="One pull of an operator: whether it holds all its locations or only those that changed.",
    description_nl="Eén keer dat we de gegevens bij een uitbater ophaalden; dat schrijven we zelf op.",
    is_ours=True,
    received=Received(
        columns=(
            "started_at",
            "ended_at",
            "is_full",
            "location_count",
            "evse_count",
            "sessions_from",
            "sessions_to",
        ),
        required=("started_at", "is_full"),
        meaning_nl={
            "started_at": "klok van de uitbater bij de eerste bladzijde",
            "ended_at": "klok van de uitbater bij de laatste bladzijde",
            "is_full": "of alle openbare locaties genoemd werden, of alleen wat gewijzigd is",
            "location_count": "aantal openbare locaties dat genoemd werd; leeg als we ze niet konden lezen",
            "evse_count": "aantal laadpunten dat genoemd werd; leeg als we ze niet konden lezen",
            "sessions_from": "eerste dag waarvan alle laadsessies er zijn; leeg als we er geen vroegen",
            "sessions_to": "laatste dag waarvan alle laadsessies er zijn; leeg als we er geen vroegen",
        },
        added=(
            "started_at",
            "ended_at",
            "is_full",
            "location_count",
            "evse_count",
            "sessions_from",
            "sessions_to",
        ),
    ),
    parse=_parse_crawls,
    columns=(
        Column("started_at", UTC_INSTANT, "the operator's clock at the first page"),
        Column("ended_at", UTC_INSTANT, "the operator's clock at the last page"),
        Column("is_full", pl.Boolean, "every public location was named; else only those that changed"),
        Column(
            "location_count",
            pl.Int64,
            "public locations named; null when the locations could not be read",
            nullable=True,
            minimum=0,
        ),
        Column("evse_count", pl.Int64, "EVSEs of these locations named; null likewise", nullable=True, minimum=0),
        Column(
            "sessions_from_date",
            pl.Date,
            "first city date whose sessions came whole; null when none were asked",
            nullable=True,
            reads="sessions_from",
        ),
        Column(
            "sessions_to_date",
            pl.Date,
            "last city date whose sessions came whole; null when none were asked",
            nullable=True,
            reads="sessions_to",
        ),
        Column("crawl_date", pl.Date, "city date of the pull"),
    ),
    key=("started_at",),
    version=("ended_at",),
    event_date="crawl_date",
    event_order=("started_at",),
    rules=(_COUNTED,),
    refused=OURS,
)


def _parse_sessions(rows: pl.DataFrame, city: City) -> pl.DataFrame:
    return rows.select(
        *_whose(),
        text("evse_uid"),
        text("module"),
        instant("hour_at"),
        number("energy_kwh").alias("energy_kwh"),
        whole_number("session_count"),
        whole_number("charged_minutes"),
    ).with_columns(local_date("hour_at", city.time_zone).alias("charge_date"))


CHARGE_SESSIONS_HOURLY = TableContract(
    name="charge_sessions_hourly",
    description="Energy charged at one EVSE in one hour, and how many sessions began in it. Whole city dates only; "
    "`crawls` says which. Nothing of a single session is kept.",
    description_nl="De energie die in één uur aan één laadpunt geladen werd, en hoeveel sessies toen begonnen. Van een "
    "sessie zelf bewaren we niets: geen laadpas, geen nummer, geen tijdstip.",
    received=Received(
        columns=(
            *_LOCATION_KEY,
            "evse_uid",
            "module",
            "hour_at",
            "energy_kwh",
            "session_count",
            "charged_minutes",
        ),
        required=(*_LOCATION_KEY, "evse_uid", "module", "hour_at", "energy_kwh", "session_count"),
        meaning_nl={
            **_WHOSE_NL,
            **_EVSE_UID_NL,
            "module": "waaruit het komt: sessions (voorlopig) of cdrs (definitief)",
            "hour_at": "begin van het uur, in UTC",
            "energy_kwh": "geladen energie in dat uur, in kWh; gelijk gespreid over de tijd van laden",
            "session_count": "aantal laadsessies dat in dat uur begon",
            "charged_minutes": "minuten waarin geladen werd, naar boven afgerond op een kwartier",
        },
    ),
    parse=_parse_sessions,
    columns=(
        *_WHOSE,
        _EVSE_UID,
        Column("module", pl.String, "OCPI module it comes from; a CDR is final, a session is not", allowed=_MODULES),
        Column("hour_at", UTC_INSTANT, "start of the hour"),
        Column(
            "energy_kwh",
            pl.Float64,
            "kWh; the energy of a session is spread evenly over the time it charged",
            minimum=0,
            maximum=1000,
        ),
        Column("session_count", pl.Int64, "sessions that began in the hour", minimum=0),
        Column(
            "charged_minutes",
            pl.Int64,
            "minutes of charging in the hour, in quarters that were begun; null in what came before version 3",
            nullable=True,
            minimum=15,
            maximum=60,
        ),
        Column("charge_date", pl.Date, "city date of the hour"),
    ),
    key=(*_LOCATION_KEY, "evse_uid", "module", "hour_at"),
    version=("hour_at",),
    event_date="charge_date",
    event_order=("hour_at", *_LOCATION_KEY, "evse_uid", "module"),
    refused=OURS,
)

CONTRACT = SourceContract(
    name="charge_points",
    title_nl="Laadpunten",
    owner="mobiliteit@kortrijk.example",
    version=4,
    triggers=(Every("15 */4 * * *"),),
    fresh_within=timedelta(days=1),
    retention=timedelta(days=365 * 10),
    sensitivity=Sensitivity.PERSONAL,
    tables=(LOCATIONS, EVSES, CONNECTORS, CRAWLS, CHARGE_SESSIONS_HOURLY),
    delivery_nl="Geef ons een adres en een sleutel voor OCPI 2.2.1 of 2.3.0 (module Locations, en als de concessie het "
    "zegt ook CDRs of Sessions). Een lijst zonder OCPI-omslag mag ook: als JSON, al dan niet ingepakt met gzip, of "
    "bladzijde na bladzijde met items en next. Tel een laadpunt maar één keer mee en geef het vermogen in watt.",
)
