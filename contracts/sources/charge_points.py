"""Charge points as operators publish them: OCPI 2.2.1 and 2.3.0, modules Locations, Sessions and CDRs.

An EVSE serves one vehicle at a time and its connectors are alternatives (OCPI 2.2.1, 8.3.2): stock is
counted in EVSEs and power is the largest of its connectors, so three tables land. A location always comes whole, with
its EVSEs and their connectors; a delivery holds the locations that changed, or all of them: `crawls` says which.
Of sessions only the energy and their number per EVSE and hour come in.
"""

from dataclasses import replace
from datetime import timedelta

import polars as pl

from contracts.reading import boolean, city_date, text, upper
from contracts.vocabulary import (
    OURS,
    UTC_INSTANT,
    Every,
    Field,
    Noted,
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

_WHOSE = (
    Field("country_code", pl.String, "ISO 3166 alpha-2 code of the operator's party", pattern=r"^[A-Z]{2}$", read=upper,
          required=True, nl="landcode van de uitbater, twee letters"),
    Field("party_id", pl.String, "the operator's party", pattern=r"^[A-Z0-9]{3}$", read=upper, required=True,
          nl="code van de uitbater, drie tekens"),
    Field("location_id", pl.String, "the operator's identifier of the location", required=True,
          nl="nummer van de locatie bij de uitbater (OCPI: Location.id)"),
)  # fmt: skip
_EVSE_UID = Field(
    "evse_uid",
    pl.String,
    "the operator's identifier of the EVSE within the location",
    required=True,
    nl="nummer van het laadpunt binnen de locatie (OCPI: EVSE.uid)",
)
_LAST_UPDATED = Field(
    "last_updated_at",
    UTC_INSTANT,
    "when the operator last changed the object",
    reads="last_updated",
    required=True,
    nl="wanneer de uitbater dit het laatst wijzigde, in UTC",
)
_LAST_UPDATED_DATE = Field(
    "last_updated_date", pl.Date, "city date of that change", arrives=False, then=city_date("last_updated_at")
)


def _published(wire: str) -> pl.Expr:
    # absent is true; what is there and cannot be read is not
    return pl.when(text(wire).is_not_null()).then(boolean(wire)).otherwise(pl.lit(value=True))


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


_LOCATIONS_FIELDS = (
    *_WHOSE,
    Field("is_published", pl.Boolean, "may be shown to the public; true when absent", reads="publish",
          nl="of iedereen de locatie mag zien; leeg is ja. Wat privé is, lezen we niet", read=_published),
    Field("latitude", pl.Float64, "degrees north, WGS 84", minimum=-90, maximum=90,
          nl="noorderbreedte in graden, WGS 84, rond 51"),
    Field("longitude", pl.Float64, "degrees east, WGS 84", minimum=-180, maximum=180,
          nl="oosterlengte in graden, WGS 84, rond 3"),
    Field("parking_type", pl.String, "open OCPI enumeration, in capitals: any word is kept", nullable=True,
          nl="soort parkeerplaats, een OCPI-woord. Een nieuw woord bewaren we, met een waarschuwing", read=upper),
    Field("operator_name", pl.String, "name of the operator", nullable=True, nl="naam van de uitbater"),
    Field("is_open_24_7", pl.Boolean, "open all hours; null when the operator does not say", nullable=True,
          reads="twentyfourseven", nl="of de locatie altijd open is; leeg als dat niet gezegd is"),
    Field("hours_min_per_day", pl.Float64,
          "open hours on the weekday with the fewest; null when the operator does not say", nullable=True, minimum=0,
          maximum=24, added=True, nl="open uren op de weekdag met de minste uren; berekend uit opening_times"),
    Field("municipality_id", pl.String, "municipality the point lies in, by boundary", nullable=True, added=True,
          nl="gemeente waarin het punt ligt; berekend uit de gemeentegrenzen, niet uit het adres"),
    Field("sector_id", pl.String, "statistical sector the point lies in, by boundary", nullable=True, added=True,
          nl="statistische sector waarin het punt ligt; berekend"),
    Field("is_in_municipality", pl.Boolean,
          "whether the point lies in the city of this profile; null without a boundary file", nullable=True, added=True,
          nl="of het punt in onze stad ligt; berekend"),
    _LAST_UPDATED,
    _LAST_UPDATED_DATE,
)  # fmt: skip

LOCATIONS = TableContract(
    name="locations",
    description="One place with charge points, as its operator publishes it.",
    description_nl="Eén plaats met laadpunten, zoals de uitbater ze bekendmaakt.",
    fields=_LOCATIONS_FIELDS,
    key=_LOCATION_KEY,
    version=("last_updated_at",),
    event_date="last_updated_date",
    event_order=("last_updated_at", *_LOCATION_KEY),
    rules=(_NOT_SWAPPED,),
    refused=_WITHOUT_A_PLACE,
    breaches={"hours_min_per_day": OURS, "is_in_municipality": OURS, "is_open_24_7": Noted()},
)

_EVSES_FIELDS = (
    *_WHOSE,
    _EVSE_UID,
    Field("evse_id", pl.String, "eMI3 identifier, as sent", nullable=True,
          nl="eMI3-code van het laadpunt, zoals BE*ABC*E123: daaraan herkennen we het op elk platform"),
    Field("status", pl.String, "closed OCPI enumeration", allowed=_STATUSES, required=True,
          nl="toestand van het laadpunt, een woord van OCPI; een ander woord telt als UNKNOWN", read=upper),
    Field("parking_restrictions", pl.String,
          "open OCPI enumeration, in capitals, sorted, with commas between; null when there are none", nullable=True,
          nl="voor wie de plaats is, woorden van OCPI met een komma ertussen. Een nieuw woord bewaren we, met een "
             "waarschuwing",
          read=upper),
    _LAST_UPDATED,
    _LAST_UPDATED_DATE,
)  # fmt: skip

EVSES = TableContract(
    name="evses",
    description="One EVSE: a point that charges one vehicle at a time.",
    description_nl="Eén laadpunt: er kan één voertuig tegelijk laden.",
    fields=_EVSES_FIELDS,
    key=(*_LOCATION_KEY, "evse_uid"),
    version=("last_updated_at",),
    event_date="last_updated_date",
    event_order=("last_updated_at", *_LOCATION_KEY, "evse_uid"),
    refused=_UNCOUNTED,
    # a word that is new to us would leave the state before it standing
    breaches={"status": Noted("UNKNOWN")},
)

_CONNECTORS_FIELDS = (
    *_WHOSE,
    _EVSE_UID,
    Field("connector_id", pl.String, "identifier within the EVSE", required=True,
          nl="nummer van de aansluiting binnen het laadpunt"),
    Field("standard", pl.String, "open OCPI enumeration: kept as it comes", nullable=True,
          nl="soort stekker, een woord van OCPI. Een nieuw woord bewaren we, met een waarschuwing"),
    Field("format", pl.String, "closed OCPI enumeration", nullable=True, allowed=_FORMATS,
          nl="stopcontact (SOCKET) of vaste kabel (CABLE)", read=upper),
    Field("power_type", pl.String, "closed OCPI enumeration", allowed=_POWER_TYPES, required=True,
          nl="soort stroom, een woord van OCPI; een ander woord weigeren we", read=upper),
    Field("max_voltage_v", pl.Int64, "volt; line to neutral per the specification", minimum=1, maximum=2000,
          reads="max_voltage", nl="hoogste spanning in volt, tussen fase en nulleider"),
    Field("max_amperage_a", pl.Int64, "ampere", minimum=1, maximum=4000, reads="max_amperage",
          nl="hoogste stroom in ampère"),
    Field("max_electric_power_w", pl.Int64, "watt, where declared", nullable=True, minimum=1000, maximum=1_500_000,
          reads="max_electric_power",
          nl="hoogste vermogen in watt, niet in kilowatt; leeg of 0 als de uitbater niets zegt; wat niet kan, lezen we "
             "niet: het vermogen volgt dan uit spanning en stroom"),
    replace(_LAST_UPDATED, required=False),
    _LAST_UPDATED_DATE,
)  # fmt: skip

CONNECTORS = TableContract(
    name="connectors",
    description="One socket or cable of an EVSE; the connectors of one EVSE are alternatives.",
    description_nl="Eén stopcontact of kabel van een laadpunt; er is er maar één tegelijk in gebruik.",
    fields=_CONNECTORS_FIELDS,
    key=(*_LOCATION_KEY, "evse_uid", "connector_id"),
    version=("last_updated_at",),
    event_date="last_updated_date",
    event_order=("last_updated_at", *_LOCATION_KEY, "evse_uid", "connector_id"),
    refused=_UNCOUNTED,
    # a power that cannot be follows from voltage and amperage
    breaches={"format": Noted(), "max_electric_power_w": Noted()},
)


_COUNTED = RowRule(
    "uncounted_full_crawl",
    "",
    "uncounted_full_crawl: a full crawl does not say how many locations and EVSEs it named",
    ~pl.col("is_full") | (pl.col("location_count").is_not_null() & pl.col("evse_count").is_not_null()),
    reason_nl="Een volledige bevraging zegt niet hoeveel locaties en laadpunten ze noemde. Die rij schrijven we zelf: "
    "meld dit aan het datateam.",
    refused=OURS,
)

_CRAWLS_FIELDS = (
    Field("started_at", UTC_INSTANT, "the operator's clock at the first page", required=True, added=True,
          nl="klok van de uitbater bij de eerste bladzijde"),
    Field("ended_at", UTC_INSTANT, "the operator's clock at the last page", added=True,
          nl="klok van de uitbater bij de laatste bladzijde"),
    Field("is_full", pl.Boolean, "every public location was named; else only those that changed", required=True,
          added=True, nl="of alle openbare locaties genoemd werden, of alleen wat gewijzigd is"),
    Field("location_count", pl.Int64, "public locations named; null when the locations could not be read",
          nullable=True, minimum=0, added=True,
          nl="aantal openbare locaties dat genoemd werd; leeg als we ze niet konden lezen"),
    Field("evse_count", pl.Int64, "EVSEs of these locations named; null likewise", nullable=True, minimum=0, added=True,
          nl="aantal laadpunten dat genoemd werd; leeg als we ze niet konden lezen"),
    Field("sessions_from_date", pl.Date, "first city date whose sessions came whole; null when none were asked",
          nullable=True, reads="sessions_from", added=True,
          nl="eerste dag waarvan alle laadsessies er zijn; leeg als we er geen vroegen"),
    Field("sessions_to_date", pl.Date, "last city date whose sessions came whole; null when none were asked",
          nullable=True, reads="sessions_to", added=True,
          nl="laatste dag waarvan alle laadsessies er zijn; leeg als we er geen vroegen"),
    Field("crawl_date", pl.Date, "city date of the pull", arrives=False, then=city_date("started_at")),
)  # fmt: skip

CRAWLS = TableContract(
    name="crawls",
    description="One pull of an operator: whether it holds all its locations or only those that changed.",
    description_nl="Eén keer dat we de gegevens bij een uitbater ophaalden; dat schrijven we zelf op.",
    is_ours=True,
    fields=_CRAWLS_FIELDS,
    key=("started_at",),
    version=("ended_at",),
    event_date="crawl_date",
    event_order=("started_at",),
    rules=(_COUNTED,),
    refused=OURS,
)


_CHARGE_SESSIONS_HOURLY_FIELDS = (
    *_WHOSE,
    _EVSE_UID,
    Field("module", pl.String, "OCPI module it comes from; a CDR is final, a session is not", allowed=_MODULES,
          required=True, nl="waaruit het komt: sessions (voorlopig) of cdrs (definitief)"),
    Field("hour_at", UTC_INSTANT, "start of the hour", required=True, nl="begin van het uur, in UTC"),
    Field("energy_kwh", pl.Float64, "kWh; the energy of a session is spread evenly over the time it charged", minimum=0,
          maximum=1000, required=True,
          nl="geladen energie in dat uur, in kWh; gelijk gespreid over de tijd van laden"),
    Field("session_count", pl.Int64, "sessions that began in the hour", minimum=0, required=True,
          nl="aantal laadsessies dat in dat uur begon"),
    Field("charged_minutes", pl.Int64,
          "minutes of charging in the hour, in quarters that were begun; null in what came before version 3",
          nullable=True, minimum=15, maximum=60, nl="minuten waarin geladen werd, naar boven afgerond op een kwartier"),
    Field("charge_date", pl.Date, "city date of the hour", arrives=False, then=city_date("hour_at")),
)  # fmt: skip

CHARGE_SESSIONS_HOURLY = TableContract(
    name="charge_sessions_hourly",
    description="Energy charged at one EVSE in one hour, and how many sessions began in it. Whole city dates only; "
    "`crawls` says which. Nothing of a single session is kept.",
    description_nl="De energie die in één uur aan één laadpunt geladen werd, en hoeveel sessies toen begonnen. Van een "
    "sessie zelf bewaren we niets: geen laadpas, geen nummer, geen tijdstip.",
    fields=_CHARGE_SESSIONS_HOURLY_FIELDS,
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
