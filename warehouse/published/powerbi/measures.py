"""The measures of the model, one after another as a Power BI expert reads them.

`{table}` and `{table.column}` are names of the marts; each becomes the Dutch name that the model gives it. `[Measure]`
is another measure. Where a figure may not be added up over targets or groups, the measure is empty rather than wrong.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from warehouse.published.powerbi.theme import BEHIND, GOOD, RISK, UNJUDGED

BASE_YEAR: Final = 2019
"""The year that the city's own energy is compared with, as in the marts."""

MIXED: Final = "GEMENGD: vernieuw opnieuw"
"""What *Gegevensversie* says when tables come from two builds."""

VERSION_NAME: Final = "Gegevensversie"

_WHOLE, _ONE, _SIGNED = "#,0", "#,0.0", "+#,0.##;-#,0.##;0"
_PERCENT, _SIGNED_PERCENT = "0.0%;-0.0%;0.0%", "+0.0%;-0.0%;0.0%"
_TEXT = ""


class Measure(NamedTuple):
    """A measure.

    Attributes:
        table: the mart whose table it stands in.
        folder: the theme it belongs to.
        name: as the expert sees it.
        dax: its expression, in names of the marts.
        format: how it is shown; empty for a text.
        description: what it says, and when it is empty.
        is_hidden: for conditional formatting only.
    """

    table: str
    folder: str
    name: str
    dax: str
    format: str
    description: str
    is_hidden: bool = False


_verdict = partial(Measure, "fct_target_verdicts", "Doelen")
_history = partial(Measure, "fct_target_status_history", "Doelen")
_OF_ONE = "Leeg bij meer dan één doel: elk doel heeft zijn eigen eenheid."


def _of_one(name: str, column: str, form: str, description: str) -> Measure:
    """A value of the one target that is chosen."""
    dax = f"IF(HASONEVALUE({{fct_target_verdicts.target_id}}), MAX({{fct_target_verdicts.{column}}}))"
    return _verdict(name, dax, form, f"{description} {_OF_ONE}")


def _of_its_past(name: str, column: str, description: str) -> Measure:
    target, value = "{fct_target_status_history.target_id}", f"{{fct_target_status_history.{column}}}"
    return _history(name, f"IF(HASONEVALUE({target}), AVERAGE({value}))", "#,0.##", f"{description} {_OF_ONE}")


_TARGETS: Final = (
    _verdict(
        "Aantal doelen",
        "COUNTROWS({fct_target_verdicts})",
        _WHOLE,
        "Hoeveel doelen het register telt in deze keuze.",
    ),
    _verdict(
        "Doelen achter",
        'CALCULATE([Aantal doelen], {fct_target_verdicts.status} IN {"behind", "overdue"})',
        _WHOLE,
        "Doelen die achterlopen op hun pad, of waarvan de einddatum voorbij is.",
    ),
    _verdict(
        "Doelen die aandacht vragen",
        'CALCULATE([Aantal doelen], {fct_target_verdicts.status} IN {"at_risk", "awaiting_figure"})',
        _WHOLE,
        "Doelen die het pad niet ruim halen, of die op hun laatste cijfer wachten.",
    ),
    _verdict(
        "Doelen op schema",
        'CALCULATE([Aantal doelen], {fct_target_verdicts.status} IN {"on_track", "reached"})',
        _WHOLE,
        "Doelen op schema of behaald.",
    ),
    _verdict(
        "Doelen zonder oordeel",
        "[Aantal doelen] - [Doelen achter] - [Doelen die aandacht vragen] - [Doelen op schema]",
        _WHOLE,
        "Doelen zonder bruikbaar cijfer, of die niet aan een pad getoetst worden.",
    ),
    _of_one("Behaald %", "progress", _PERCENT, "Afgelegd deel van begin tot doel."),
    _of_one("Waarde", "value", "#,0.##", "Laatste waarde die telt."),
    _of_one("Beginwaarde", "baseline_value", "#,0.##", "Waarde bij het begin."),
    _of_one("Doelwaarde", "target_value", "#,0.##", "Waarde op de einddatum."),
    _of_one("Waarde volgens het pad", "required_value", "#,0.##", "Wat het pad vroeg op de dag van het cijfer."),
    _of_one("Afstand tot het pad", "gap", _SIGNED, "Negatief is achter."),
    _verdict(
        "Relatieve afstand %",
        "DIVIDE([Afstand tot het pad], ABS([Doelwaarde] - [Beginwaarde]))",
        _SIGNED_PERCENT,
        "Afstand tot het pad, als deel van de hele weg van begin tot doel: zo zijn doelen te vergelijken. "
        "Negatief is achter. Leeg bij meer dan één doel.",
    ),
    _of_one("Nodig tempo", "required_pace_per_year", _SIGNED, "Eenheden per jaar, van nu tot de einddatum."),
    _of_one("Recent tempo", "recent_pace_per_year", _SIGNED, "Eenheden per jaar, tot het laatste cijfer."),
    _of_one("Versnelling", "acceleration", '0.0"×"', "Hoeveel keer het recente tempo nodig is."),
    _verdict(
        "Kans om te halen",
        """VAR Kans = MAX({fct_target_verdicts.p_reach})
RETURN IF(HASONEVALUE({fct_target_verdicts.target_id}) && NOT ISBLANK(MAX({fct_target_verdicts.forecast_low})),
    SWITCH(TRUE(),
        Kans < 0.1, "minder dan 1 op 10",
        Kans > 0.9, "meer dan 9 op 10",
        "ongeveer " & FORMAT(10 * Kans, "0") & " op 10"))""",
        _TEXT,
        "Kans dat het doel op tijd gehaald wordt, niet fijner dan ze uitkomt. Leeg zolang er geen interval is, "
        "en bij meer dan één doel.",
    ),
    _verdict(
        "Oordeel met teken",
        """VAR Code = SELECTEDVALUE({fct_target_verdicts.status})
VAR Teken = SWITCH(TRUE(),
    Code IN {"behind", "overdue"}, "▼ ",
    Code IN {"at_risk", "awaiting_figure"}, "◆ ",
    Code IN {"on_track", "reached"}, "▲ ",
    "○ ")
RETURN IF(NOT ISBLANK(Code), Teken & SELECTEDVALUE({fct_target_verdicts.status_nl}))""",
        _TEXT,
        "Oordeel met een vorm erbij, zodat niemand op de kleur alleen moet afgaan. Leeg bij meer dan één oordeel.",
    ),
    _verdict(
        "Kleur van het oordeel",
        f"""VAR Code = SELECTEDVALUE({{fct_target_verdicts.status}})
RETURN SWITCH(TRUE(),
    Code IN {{"behind", "overdue"}}, "{BEHIND}",
    Code IN {{"at_risk", "awaiting_figure"}}, "{RISK}",
    Code IN {{"on_track", "reached"}}, "{GOOD}",
    "{UNJUDGED}")""",
        _TEXT,
        "Kleur voor voorwaardelijke opmaak, op veldwaarde.",
        is_hidden=True,
    ),
    _of_its_past("Waarde op de dag", "value", "Waarde op elk moment waarop het doel beoordeeld is."),
    _of_its_past("Pad op de dag", "required_value", "Wat het pad op dat moment vroeg."),
)

_month = partial(Measure, "fct_energy_monthly", "Energie")
_intensity = partial(Measure, "fct_energy_intensity", "Energie")


def _taken(column: str) -> str:
    return f'CALCULATE(SUM({{fct_energy_monthly.{column}}}), {{fct_energy_monthly.direction}} = "offtake")'


def _said_of(value: str, rows: str) -> str:
    """Over the buildings of which the marts say it, whatever period is chosen."""
    said = "NOT ISBLANK({fct_energy_intensity.kwh_per_m2})"
    return f"CALCULATE(\n    {value},\n    {rows},\n    {said},\n    REMOVEFILTERS({{dim_date}}))"


_LATEST = "{fct_energy_intensity.is_latest} = TRUE()"
_ENERGY_SUM = "SUM({fct_energy_intensity.energy_kwh})"
_ENERGY: Final = (
    _month(
        "Energie (kWh)",
        _taken("energy_kwh"),
        _WHOLE,
        "Stroom en gas van het net, zonder injectie. Gas op bovenwaarde.",
    ),
    _month(
        "Gas genormaliseerd (kWh)",
        _taken("normalised_kwh"),
        _WHOLE,
        "Gas alsof elke maand normaal koud was. Maanden waarvan dat niet te zeggen is, tellen niet mee.",
    ),
    _month(
        "CO₂ (ton)",
        f"DIVIDE({_taken('co2_kg')}, 1000)",
        _ONE,
        "Uitstoot van stroom en gas. Maanden zonder emissiefactor tellen niet mee.",
    ),
    _month(
        "Volledigheid energie %",
        'CALCULATE(AVERAGE({fct_energy_monthly.completeness}), {fct_energy_monthly.direction} = "offtake")',
        "0%",
        "Gemiddeld deel van de maand dat gemeten is. Kijk hier eerst naar als een maand laag lijkt.",
    ),
    _intensity(
        "kWh per m²",
        _said_of(f"DIVIDE({_ENERGY_SUM}, SUM({{fct_energy_intensity.floor_area_m2}}))", _LATEST),
        _ONE,
        "Energie per m² over de laatste twaalf volledige maanden, over de gebouwen waarvan dat te zeggen is. "
        "Kijkt niet naar de gekozen periode.",
    ),
    _intensity(
        "Energie laatste 12 maanden (kWh)",
        _said_of(_ENERGY_SUM, _LATEST),
        _WHOLE,
        "Stroom en gas van de laatste twaalf volledige maanden. Kijkt niet naar de gekozen periode.",
    ),
    _intensity(
        "Energie basisjaar (kWh)",
        _said_of(_ENERGY_SUM, f"{{fct_energy_intensity.period_end}} = DATE({BASE_YEAR}, 12, 31)"),
        _WHOLE,
        f"Stroom en gas van {BASE_YEAR}, waarmee de stad vergelijkt. Kijkt niet naar de gekozen periode.",
    ),
    _intensity(
        "Verschil met basisjaar %",
        """VAR Nu = [Energie laatste 12 maanden (kWh)]
VAR Toen = [Energie basisjaar (kWh)]
RETURN IF(NOT ISBLANK(Nu) && NOT ISBLANK(Toen), DIVIDE(Nu - Toen, Toen))""",
        _SIGNED_PERCENT,
        f"Laatste twaalf maanden tegenover {BASE_YEAR}; positief is meer verbruik. Niet genormaliseerd voor het weer. "
        "Lees het per gebouw: in een totaal telt een gebouw dat maar in één van beide gemeten is eenzijdig mee.",
    ),
    Measure(
        "fct_energy_base_load",
        "Energie",
        "Basislast ’s nachts (kW)",
        "DIVIDE(SUM({fct_energy_base_load.night_kw}), DISTINCTCOUNT({fct_energy_base_load.month_start_date}))",
        _ONE,
        "Wat er ’s nachts draait, gemiddeld per maand van de keuze.",
    ),
)

_point = partial(Measure, "fct_charge_points", "Laadpunten")
_stock = partial(Measure, "fct_charge_point_stock_monthly", "Laadpunten")


def _here(value: str) -> str:
    """Over the points in the municipality; where no boundaries are known, over all."""
    return f"CALCULATE({value}, NOT({{fct_charge_points.is_in_municipality}} == FALSE()))"


def _at_month_end(column: str) -> str:
    value = f"SUM({{fct_charge_point_stock_monthly.{column}}})"
    return f"CALCULATE({value}, LASTNONBLANK({{dim_date.date_day}}, CALCULATE({value})))"


_POINTS: Final = (
    _point(
        "Laadpunten nu",
        _here("COUNTROWS({fct_charge_points})"),
        _WHOLE,
        "Laadpunten die er nu zijn, in de gemeente. Kijkt niet naar de gekozen periode.",
    ),
    _point(
        "Equivalenten nu",
        _here("SUM({fct_charge_points.cpe})"),
        _ONE,
        "Laadpuntequivalenten (methode cpt2022) die er nu zijn, in de gemeente.",
    ),
    _point(
        "Vermogen nu (kW)",
        _here("SUM({fct_charge_points.power_kw})"),
        _WHOLE,
        "Vermogen van de sterkste stekker van elk laadpunt, samen.",
    ),
    _stock(
        "Laadpunten op maandeinde",
        _at_month_end("charge_points_count"),
        _WHOLE,
        "Laadpunten aan het einde van de laatste maand van de keuze waarin de stad keek. Een stand: maanden tellen "
        "niet op.",
    ),
    _stock(
        "Equivalenten op maandeinde",
        _at_month_end("cpe"),
        _ONE,
        "Laadpuntequivalenten aan het einde van de laatste maand van de keuze. Een stand: maanden tellen niet op.",
    ),
    Measure(
        "fct_charge_point_status_hourly",
        "Laadpunten",
        "Bruikbaar %",
        """DIVIDE(
    CALCULATE(COUNTROWS({fct_charge_point_status_hourly}), {fct_charge_point_status_hourly.is_operational} = TRUE()),
    COUNTROWS({fct_charge_point_status_hourly}))""",
        _PERCENT,
        "Deel van de gevraagde uren waarin een laadpunt in dienst was.",
    ),
    Measure(
        "fct_charge_point_findings",
        "Laadpunten",
        "Opvallende laadpunten",
        "COUNTROWS({fct_charge_point_findings})",
        _WHOLE,
        "Wat aan laadpunten opvalt: vragen om aan de uitbater te stellen.",
    ),
)

_observed = partial(Measure, "fct_kpi_observations", "Renovatie")
_OTHERS: Final = (
    Measure(
        "fct_kpi_observations",
        "Indicatoren",
        "Waarde van de indicator",
        """VAR Laatste = LASTNONBLANK({dim_date.date_day}, CALCULATE(MAX({fct_kpi_observations.value})))
RETURN IF(
    HASONEVALUE({fct_kpi_observations.kpi_id}) && HASONEVALUE({fct_kpi_observations.area_id}),
    CALCULATE(MAX({fct_kpi_observations.value}), Laatste))""",
        "#,0.##",
        "Laatste waarde van de keuze. Leeg bij meer dan één indicator of gebied: die tellen niet op.",
    ),
    Measure(
        "fct_gap_drivers",
        "Doelen",
        "Bijdrage aan de achterstand",
        "IF(HASONEVALUE({fct_gap_drivers.unit}), SUM({fct_gap_drivers.contribution}))",
        "#,0.##",
        "Hoeveel een oorzaak tegenhoudt, in haar eenheid. Leeg bij meer dan één eenheid.",
    ),
)


def _standing(kpi: str) -> str:
    """The last value of an indicator within the period that is chosen."""
    value, of_it = "MAX({fct_kpi_observations.value})", f'{{fct_kpi_observations.kpi_id}} = "{kpi}"'
    last = f"LASTNONBLANK({{dim_date.date_day}}, CALCULATE({value}, {of_it}))"
    return f"CALCULATE(\n    {value},\n    {of_it},\n    {last})"


_RENOVATION: Final = (
    _observed(
        "Renovatietrajecten",
        _standing("renovation_custom_trajectories"),
        _WHOLE,
        "Trajecten op maat sinds het begin, op de laatste dag van de keuze. Een stand: maanden tellen niet op.",
    ),
    _observed(
        "Nieuwe trajecten",
        """VAR Nu = [Renovatietrajecten]
VAR Ervoor = CALCULATE([Renovatietrajecten], DATEADD({dim_date.date_day}, -1, MONTH))
RETURN IF(NOT ISBLANK(Nu) && NOT ISBLANK(Ervoor), Nu - Ervoor)""",
        _WHOLE,
        "Hoeveel trajecten er bijkwamen tegenover de maand ervoor. Lees het per maand.",
    ),
    _observed(
        "Begeleide gezinnen",
        _standing("renovation_coached_households"),
        _WHOLE,
        "Gezinnen die dat jaar begeleid zijn, op de laatste dag van de keuze.",
    ),
    _observed(
        "Collectieve renovaties",
        _standing("renovation_collective"),
        _WHOLE,
        "Collectieve renovaties sinds het begin, op de laatste dag van de keuze.",
    ),
    Measure(
        "fct_renovation_lead_times",
        "Renovatie",
        "Doorlooptijd (mediaan, dagen)",
        """IF(
    HASONEVALUE({fct_renovation_lead_times.step}) && HASONEVALUE({fct_renovation_lead_times.year_reached}),
    MAX({fct_renovation_lead_times.median_days}))""",
        _WHOLE,
        "Mediaan van de dagen tussen twee stappen. Leeg bij meer dan één stap of jaar: medianen tellen niet op.",
    ),
    Measure(
        "fct_renovation_epc_steps",
        "Renovatie",
        "Labels gewonnen per woning",
        """DIVIDE(
    SUMX({fct_renovation_epc_steps}, {fct_renovation_epc_steps.dwellings} * {fct_renovation_epc_steps.steps}),
    SUM({fct_renovation_epc_steps.dwellings}))""",
        "0.00",
        "Gemiddeld aantal EPC-labels beter, over de woningen met een nieuw EPC.",
    ),
)

_month_of_tickets = partial(Measure, "fct_ticket_service_monthly", "1777")
_quarter_of_tickets = partial(Measure, "fct_ticket_service_quarterly", "1777")


def _in_time(table: str) -> str:
    told = f"NOT ISBLANK({{{table}.n_on_time}})"
    return f"DIVIDE(\n    SUM({{{table}.n_on_time}}),\n    CALCULATE(SUM({{{table}.n}}), {told}))"


_TICKETS: Final = (
    _month_of_tickets(
        "Tijdig beantwoord %",
        _in_time("fct_ticket_service_monthly"),
        _PERCENT,
        "Beantwoord binnen vijf werkdagen, van de meldingen van maanden waarvan elke termijn voorbij is. Groepen "
        "waarvan het aantal verborgen is, tellen boven noch onder de streep mee.",
    ),
    _month_of_tickets(
        "Meldingen",
        "SUM({fct_ticket_service_monthly.n})",
        _WHOLE,
        "Meldingen waarvan de vijf werkdagen voorbij zijn. Groepen waarvan het aantal verborgen is, tellen niet mee.",
    ),
    _month_of_tickets(
        "Te laat of niet beantwoord",
        "SUM({fct_ticket_service_monthly.n_late}) + SUM({fct_ticket_service_monthly.n_overdue_open})",
        _WHOLE,
        "Meldingen met een antwoord na vijf werkdagen, of nog zonder.",
    ),
    _month_of_tickets(
        "Verborgen groepen",
        "CALCULATE(COUNTROWS({fct_ticket_service_monthly}), {fct_ticket_service_monthly.is_suppressed} = TRUE())",
        _WHOLE,
        "Groepen waarvan aantallen verborgen zijn, zodat niemand te herkennen is.",
    ),
    _quarter_of_tickets(
        "Tijdig beantwoord % (kwartaal)",
        _in_time("fct_ticket_service_quarterly"),
        _PERCENT,
        "Hetzelfde per kwartaal van de vraag, waar ook het thema bij staat.",
    ),
    _quarter_of_tickets(
        "Meldingen (kwartaal)",
        "SUM({fct_ticket_service_quarterly.n})",
        _WHOLE,
        "Meldingen per kwartaal van de vraag. Groepen waarvan het aantal verborgen is, tellen niet mee.",
    ),
    Measure(
        "fct_ticket_backlog",
        "1777",
        "Te lang open",
        "SUM({fct_ticket_backlog.n_overdue})",
        _WHOLE,
        "Vragen die nu langer dan vijf werkdagen op antwoord wachten. Kijkt niet naar de gekozen periode.",
    ),
)

_build = partial(Measure, "dim_build", "Beheer")
_BUILD: Final = (
    _build(
        "Datum van de publicatie",
        "MAX({dim_build.as_of_date})",
        "dd/mm/yyyy",
        "Dag waarop de oordelen slaan.",
    ),
    _build(
        "Label van de gegevens",
        'COALESCE(MAX({dim_build.label_nl}), " ")',
        _TEXT,
        "Zegt het wanneer de gegevens verzonnen zijn.",
    ),
)
MEASURES: Final = (*_TARGETS, *_ENERGY, *_POINTS, *_RENOVATION, *_TICKETS, *_OTHERS, *_BUILD)
"""Every measure but *Gegevensversie*, which follows from the tables."""


def version_measure(columns: Sequence[str]) -> Measure:
    """The measure that says from which build the model is filled, and whether from one.

    Args:
        columns: of every table the column that names its build, in names of the marts.
    """
    seen = ",\n    ".join(f"MIN({{{column}}}), MAX({{{column}}})" for column in columns)
    dax = f"""VAR Gezien = CALCULATETABLE(DISTINCT(FILTER({{
    {seen}
}}, NOT ISBLANK([Value]))), REMOVEFILTERS())
RETURN IF(COUNTROWS(Gezien) > 1, "{MIXED}", MAXX(Gezien, [Value]))"""
    why = f"Publicatie waaruit alle tabellen komen. Bij {MIXED} verscheen er een nieuwe tijdens het vernieuwen."
    return _build(VERSION_NAME, dax, _TEXT, why)
