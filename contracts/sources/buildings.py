"""The register of buildings: which access points the city answers for, and of which building.

A contract of our own: one file is the whole register, and what the newest file does not name is gone. It decides
whose meter readings may come in at all, and of which access points (dwellings) only totals of months.
"""

from datetime import date, timedelta

import polars as pl

from contracts.reading import Coded, day, kept_number, lower, text
from contracts.vocabulary import (
    Delivers,
    Field,
    OnArrival,
    Refused,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
    Way,
)

_USES = (
    "administratie",
    "onderwijs",
    "sport",
    "zwembad",
    "cultuur",
    "zorg",
    "opslag",
    "woning",
    "openbare_verlichting",
    "technisch",
    "andere",
)
_CARRIERS = {
    "elektriciteit": "electricity",
    "electricity": "electricity",
    "gas": "gas",
    "aardgas": "gas",
}
# an access point that was always there
_FIRST_DAY = pl.lit(date(1900, 1, 1))


# one file is the whole register: the meters of a line that was refused are not the city's until it is right
_UNKNOWN = Refused("buildings that every total then lacks", Way.DOWN, "no_line_was_refused")


def _ean(wire: str) -> pl.Expr:
    return text(wire).str.replace_all(r"[=\"\s]", "").fill_null("")


def _begin(wire: str) -> pl.Expr:
    return pl.when(text(wire).is_null()).then(_FIRST_DAY).otherwise(day(wire))


_CONNECTIONS_FIELDS = (
    Field("site_id", pl.String, "code of the building", pattern=r"^[a-z0-9_]{1,40}$", reads="gebouw", required=True,
          nl="vaste code van het gebouw: kleine letters, cijfers en _"),
    Field("name_nl", pl.String, "name of the building; empty for a dwelling", nullable=True, reads="naam",
          required=True, nl="naam van het gebouw; laat hem leeg voor een woning"),
    Field("ean", pl.String, "EAN of the access point; empty where there is none", pattern=r"^(\d{18})?$", required=True,
          nl="EAN-code: 18 cijfers, in Excel als tekst", read=_ean),
    Field("carrier", pl.String, "electricity or gas; empty without EAN", nullable=True, allowed=("electricity", "gas"),
          reads="drager", required=True, nl="elektriciteit of gas", read=Coded(_CARRIERS)),
    Field("valid_from_date", pl.Date, "first day on which the city answers for it", reads="geldig_van", required=True,
          nl="eerste dag waarop de EAN van de stad is; leeg als dat altijd zo was", read=_begin),
    Field("valid_to_date", pl.Date, "last day; empty while it lasts", nullable=True, reads="geldig_tot",
          nl="laatste dag waarop de EAN van de stad is; leeg als dat nog zo is"),
    Field("floor_area_m2", pl.Float64, "m²", nullable=True, minimum=1, maximum=500_000, reads="oppervlakte_m2",
          required=True, nl="bruto vloeroppervlakte in m²", read=kept_number),
    Field("building_use", pl.String, "what it serves for", allowed=_USES, reads="gebruik", required=True,
          nl=f"waarvoor het gebouw dient: {', '.join(_USES)}", read=lower),
    Field("department_id", pl.String, "who manages it", nullable=True, reads="afdeling",
          nl="code van de afdeling die het gebouw beheert"),
    # a number of nine digits at most that begins with none: neither a telephone nor a national number
    Field("building_register_id", pl.String, "identifier in the Gebouwenregister", nullable=True,
          pattern=r"^[1-9]\d{0,8}$", reads="gebouwregister",
          nl="nummer in het Gebouwenregister (GRB): hoogstens 9 cijfers, zonder nul vooraan"),
    Field("is_dwelling", pl.Boolean, "whether somebody lives there", reads="is_woning", required=True,
          nl="ja als er iemand woont, anders nee"),
    Field("area_id", pl.String, "statistical sector or municipality", nullable=True, pattern=r"^\d{5}[A-Z0-9-]{0,4}$",
          reads="gebied", nl="code van de statistische sector, of van de gemeente"),
)  # fmt: skip

CONNECTIONS = TableContract(
    name="connections",
    description="One access point of one building over one period; a building without one has a row with no EAN.",
    description_nl="Eén toegangspunt (EAN) van één gebouw, van wanneer tot wanneer. Een gebouw zonder EAN krijgt "
    "één regel met een lege EAN.",
    fields=_CONNECTIONS_FIELDS,
    key=("site_id", "ean", "valid_from_date"),
    version=(),
    event_date="valid_from_date",
    event_order=("valid_from_date", "site_id", "ean"),
    refuses_contradictions=True,
    rules=(
        RowRule(
            "ends_after_it_begins",
            "geldig_tot",
            "lies before geldig_van",
            pl.col("valid_to_date") >= pl.col("valid_from_date"),
            reason_nl="ligt voor geldig_van. Kijk beide datums na.",
            refused=_UNKNOWN,
        ),
        RowRule(
            "an_access_point_has_a_carrier",
            "drager",
            "is missing beside an ean",
            (pl.col("ean") == "") | pl.col("carrier").is_not_null(),
            reason_nl="is leeg naast een EAN. Vul elektriciteit of gas in.",
            refused=_UNKNOWN,
        ),
    ),
    refused=_UNKNOWN,
    delivers=Delivers.SNAPSHOT,
)

CONTRACT = SourceContract(
    name="buildings",
    title_nl="Register van de gebouwen",
    owner="gebouwen@kortrijk.example",
    version=3,
    triggers=(OnArrival((".csv", ".xlsx")),),
    fresh_within=timedelta(days=400),
    retention=timedelta(days=365 * 20),
    sensitivity=Sensitivity.PERSONAL,
    tables=(CONNECTIONS,),
    delivery_nl="Lever bij elke wijziging het hele register in één bestand (.csv of .xlsx). Wat niet meer in het "
    "nieuwste bestand staat, is weg: verkoop of sloop meld je met geldig_tot, niet door de regel te schrappen.",
    has_template=True,
)
