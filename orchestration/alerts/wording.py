"""How a figure, a date, a unit and a status read in a Dutch (nl-BE) message."""

from datetime import date

_UNITS_NL = {
    "milestone 0/1": "0 = nog niet, 1 = klaar",
    "milestone": "mijlpaal",
    "% change vs 2005": "% tegenover 2005",
    "% change vs 2005 (net)": "% tegenover 2005, netto",
    "% change vs 2015": "% tegenover 2015",
    "% change vs 2019": "% tegenover 2019",
    "% change vs (unstated)": "% verandering",
    "% change per year": "% verandering per jaar",
    "% of 20-64": "% van de 20- tot 64-jarigen",
    "% of buildings": "% van de gebouwen",
    "% of buildings in 5 districts": "% van de gebouwen in 5 wijken",
    "% of cars": "% van de wagens",
    "% of children": "% van de kinderen",
    "% of collective renovations": "% van de collectieve renovaties",
    "% of departments": "% van de afdelingen",
    "% of dwellings": "% van de woningen",
    "% of electricity use": "% van het stroomverbruik",
    "% of inhabitants": "% van de inwoners",
    "% of investment projects": "% van de investeringsprojecten",
    "% of neighbourhoods": "% van de buurten",
    "% of organisations": "% van de organisaties",
    "% of own works started": "% van de gestarte eigen werken",
    "% of places": "% van de plaatsen",
    "% of questions": "% van de vragen",
    "% of residents": "% van de inwoners",
    "% of respondents": "% van de ondervraagden",
    "% of roofs": "% van de daken",
    "% of seekers": "% van de werkzoekenden",
    "FTE per calendar year": "voltijdse banen per jaar",
    "GWh (per year assumed)": "GWh per jaar",
    "MW installed": "MW vermogen",
    "MWp installed": "MWp vermogen",
    "cars per 1,000 inhabitants": "wagens per 1.000 inwoners",
    "charge points": "laadpunten",
    "charge-point equivalents (additional)": "extra laadpuntequivalenten",
    "equivalents per 100 inhabitants": "laadpuntequivalenten per 100 inwoners",
    "children 3-11 (need)": "kinderen van 3 tot 11 jaar",
    "children per carer": "kinderen per begeleider",
    "deaths per year": "doden per jaar",
    "dwellings": "woningen",
    "dwellings (additional)": "extra woningen",
    "dwellings per 100 households": "woningen per 100 huishoudens",
    "ha per year of new land take": "hectare nieuw ruimtebeslag per jaar",
    "households per year": "huishoudens per jaar",
    "inhabitants": "inwoners",
    "inhabitants (additional)": "extra inwoners",
    "inhabitants (additional, after the 2567)": "extra inwoners, na de eerste 2.567",
    "initiatives per year": "initiatieven per jaar",
    "m (additional)": "extra meter",
    "m per inhabitant": "meter per inwoner",
    "m2 (additional)": "extra m²",
    "m2 per inhabitant": "m² per inwoner",
    "m3 (additional)": "extra m³",
    "minutes walking/cycling": "minuten stappen of fietsen",
    "months since last survey": "maanden sinds de vorige bevraging",
    "municipalities in 2030": "gemeenten in 2030",
    "per 1,000 inhabitants": "per 1.000 inwoners",
    "per 100,000 inhabitants": "per 100.000 inwoners",
    "persons": "personen",
    "persons per year": "personen per jaar",
    "places (additional)": "extra plaatsen",
    "places (additional, after the first 100)": "extra plaatsen, na de eerste 100",
    "places per 100 children 0-2": "plaatsen per 100 kinderen van 0 tot 2 jaar",
    "projects (cumulative)": "projecten samen",
    "projects per 500 inhabitants": "projecten per 500 inwoners",
    "renovations (cumulative)": "renovaties samen",
    "shared cars": "deelwagens",
    "shared cars (additional)": "extra deelwagens",
    "sites climate neutral": "klimaatneutrale gebouwen",
    "stays per year": "overnachtingen per jaar",
    "trajectories (cumulative)": "trajecten samen",
    "trees (additional)": "extra bomen",
    "turbines": "windturbines",
    "watercourses in good status": "waterlopen in goede toestand",
}

# units whose first word is a plural that one of them does not bear
_ONE = {
    "dossiers": "dossier",
    "laadpunten": "laadpunt",
    "maatregelen": "maatregel",
    "trajecten": "traject",
    "vragen": "vraag",
    "woningen": "woning",
}


def number(value: float | None) -> str:
    """A figure with a decimal comma, dots between thousands and a minus; decimals only where they say something."""
    if value is None:
        return "onbekend"
    decimals = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    whole, _, fraction = f"{value:,.{decimals}f}".partition(".")
    fraction = fraction.rstrip("0")
    return whole.replace(",", ".").replace("-", "−") + (f",{fraction}" if fraction else "")


def day(value: date | None) -> str:
    """A date as dd/mm/jjjj."""
    return f"{value:%d/%m/%Y}" if value else "onbekend"


def unit(registry_unit: str) -> str:
    """The registry's unit in Dutch; one that is not known yet is left as it is."""
    return _UNITS_NL.get(registry_unit, registry_unit)


def amount(value: float | None, registry_unit: str) -> str:
    """A figure and its unit: `1 vraag te laat`, `2 vragen te laat`."""
    figure, named = number(value), unit(registry_unit)
    first, space, rest = named.partition(" ")
    return f"{figure} {_ONE.get(first, first) if figure == '1' else first}{space}{rest}"


def figure(value: float | None, registry_unit: str) -> str:
    """A figure as it stands in a tile or a label: `klaar`, `−9,8 %`, `836`."""
    if registry_unit == "milestone 0/1" and value is not None:
        return "klaar" if value >= 1 else "nog niet klaar"
    return number(value) + (" %" if registry_unit.startswith("%") and value is not None else "")


def targets(count: int) -> str:
    """`1 doelstelling` or `2 doelstellingen`."""
    return f"{count} {'doelstelling' if count == 1 else 'doelstellingen'}"


def figures_asked(count: int) -> str:
    """`1 cijfer gevraagd` or `2 cijfers gevraagd`."""
    return f"{count} {'cijfer' if count == 1 else 'cijfers'} gevraagd"


def week_or_month(period: str) -> str:
    """`2026-W48` as `week 48`, `2026-11` as `11/2026`."""
    year, _, part = period.partition("-")
    return f"week {part.removeprefix('W')}" if part.startswith("W") else f"{part}/{year}"


def sentence(words: str) -> str:
    """Words with a capital in front."""
    return words[:1].upper() + words[1:]
