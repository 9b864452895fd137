"""The pages of the report, one per theme. A visual names marts, columns and measures; where it stands is in pixels."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

WIDTH, HEIGHT = 1280, 720
_MARGIN, _GAP = 24, 12


class Kind(StrEnum):
    """A visual as Power BI names it."""

    CARD = "card"
    SLICER = "slicer"
    TABLE = "tableEx"
    LINE = "lineChart"
    COLUMNS = "clusteredColumnChart"
    BARS = "clusteredBarChart"


class Place(NamedTuple):
    """Where a visual stands on its page."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Visual:
    """A visual.

    Attributes:
        title: above it, and by which it is known again.
        told: what it shows, for whoever cannot see it.
        columns: `table.column`, in names of the marts: rows, an axis, or what a slicer chooses from.
        measures: by their name.
        series: a column that splits the measure.
        sorted_by: a measure, largest first; a minus before it puts the smallest first.
        most: only so many of the first column, by the measure it is sorted by.
        coloured: a measure that another one gives its colour.
    """

    kind: Kind
    title: str
    told: str
    place: Place
    columns: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    series: str | None = None
    sorted_by: str | None = None
    most: int | None = None
    coloured: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of one theme.

    Attributes:
        told: one sentence under its title: what it answers.
    """

    name: str
    told: str
    visuals: tuple[Visual, ...]


def _row(*widths: int, y: int, height: int) -> list[Place]:
    """Places beside each other over the whole width, by their share of it."""
    room = WIDTH - 2 * _MARGIN - _GAP * (len(widths) - 1)
    places, x = [], _MARGIN
    for width in widths:
        taken = room * width // sum(widths)
        places.append(Place(x, y, taken, height))
        x += taken + _GAP
    return places


def _cards(*measures: str) -> tuple[Visual, ...]:
    places = _row(*(1 for _ in measures), y=168, height=88)
    return tuple(
        Visual(Kind.CARD, name, f"Getal: {name}.", place, measures=(name,))
        for name, place in zip(measures, places, strict=True)
    )


def _slicers(*columns: tuple[str, str]) -> tuple[Visual, ...]:
    places = _row(*(1 for _ in columns), y=92, height=64)
    return tuple(
        Visual(Kind.SLICER, title, f"Keuze: {title}.", place, columns=(column,))
        for (title, column), place in zip(columns, places, strict=True)
    )


_YEAR, _MONTH = ("Jaar", "dim_date.year_no"), ("Maand", "dim_date.year_month")
_DEPARTMENT = ("Afdeling", "dim_department.name_nl")
_LEFT, _RIGHT = _row(1, 1, y=268, height=428)
_WIDE, _NARROW = _row(3, 2, y=268, height=428)
_UPPER, _LOWER = Place(_NARROW.x, 268, _NARROW.width, 208), Place(_NARROW.x, 488, _NARROW.width, 208)

PAGES: Final = (
    Page(
        "Doelen",
        "Welke doelen lopen achter, hoeveel, en wat is er nodig? Kies één doel om zijn pad te zien.",
        (
            *_slicers(_DEPARTMENT, ("Oordeel", "dim_status.label_nl"), ("Punt", "dim_target.section")),
            *_cards("Aantal doelen", "Doelen achter", "Doelen die aandacht vragen", "Doelen op schema"),
            Visual(
                Kind.TABLE,
                "Doelen, verst achter eerst",
                "Tabel: per doel de afdeling, het oordeel, de waarde, het pad, de afstand en het nodige tempo.",
                _WIDE,
                columns=("dim_target.title_nl", "dim_department.name_nl", "fct_target_verdicts.unit_nl"),
                measures=(
                    "Oordeel met teken",
                    "Behaald %",
                    "Waarde",
                    "Waarde volgens het pad",
                    "Doelwaarde",
                    "Relatieve afstand %",
                    "Nodig tempo",
                ),
                sorted_by="-Relatieve afstand %",
                coloured=("Oordeel met teken", "Kleur van het oordeel"),
            ),
            Visual(
                Kind.LINE,
                "Waarde en pad van het gekozen doel",
                "Lijn: de waarde en het pad van één doel in de tijd. Leeg zolang er geen doel gekozen is.",
                _UPPER,
                columns=("dim_date.date_day",),
                measures=("Waarde op de dag", "Pad op de dag"),
            ),
            Visual(
                Kind.BARS,
                "Doelen achter per afdeling",
                "Balken: hoeveel doelen van elke afdeling achterlopen.",
                _LOWER,
                columns=("dim_department.name_nl",),
                measures=("Doelen achter",),
                sorted_by="Doelen achter",
            ),
        ),
    ),
    Page(
        "Energie",
        "Hoeveel energie vragen de gebouwen van de stad, en welke gebouwen deden het slechter dan in het basisjaar?",
        (
            *_slicers(_YEAR, _DEPARTMENT, ("Energiedrager", "fct_energy_monthly.carrier")),
            *_cards("kWh per m²", "Verschil met basisjaar %", "CO₂ (ton)", "Volledigheid energie %"),
            Visual(
                Kind.COLUMNS,
                "Energie per maand",
                "Kolommen: energie in kWh per maand, stroom en gas apart.",
                _LEFT,
                columns=("dim_date.year_month",),
                measures=("Energie (kWh)",),
                series="fct_energy_monthly.carrier",
            ),
            Visual(
                Kind.TABLE,
                "Tien slechtste gebouwen tegenover het basisjaar",
                "Tabel: de tien gebouwen die tegenover het basisjaar het meest erbij of het minst eraf deden.",
                _RIGHT,
                columns=("dim_site.name_nl",),
                measures=(
                    "Energie basisjaar (kWh)",
                    "Energie laatste 12 maanden (kWh)",
                    "Verschil met basisjaar %",
                    "kWh per m²",
                ),
                sorted_by="Verschil met basisjaar %",
                most=10,
            ),
        ),
    ),
    Page(
        "Laadpunten",
        "Hoeveel laadpunten zijn er, waar, van wie, en zijn ze bruikbaar?",
        (
            *_slicers(_MONTH, ("Gebied", "dim_area.name_nl"), ("Uitbater", "dim_charge_point.operator_name")),
            *_cards("Laadpunten nu", "Equivalenten nu", "Bruikbaar %", "Opvallende laadpunten"),
            Visual(
                Kind.LINE,
                "Laadpunten aan het einde van elke maand",
                "Lijn: aantal laadpunten en equivalenten aan het einde van elke maand waarin de stad keek.",
                _LEFT,
                columns=("dim_date.year_month",),
                measures=("Laadpunten op maandeinde", "Equivalenten op maandeinde"),
            ),
            Visual(
                Kind.TABLE,
                "Laadpunten per sector",
                "Tabel: laadpunten, equivalenten en vermogen per statistische sector.",
                _RIGHT,
                columns=("dim_area.name_nl",),
                measures=("Laadpunten op maandeinde", "Laadpunten nu", "Equivalenten nu", "Vermogen nu (kW)"),
                sorted_by="Laadpunten nu",
            ),
        ),
    ),
    Page(
        "Renovatie",
        "Hoeveel trajecten komen erbij, hoe lang duren ze, en wat leveren ze op?",
        (
            *_slicers(_YEAR, ("Stap", "fct_renovation_lead_times.step")),
            *_cards("Renovatietrajecten", "Begeleide gezinnen", "Collectieve renovaties", "Labels gewonnen per woning"),
            Visual(
                Kind.COLUMNS,
                "Nieuwe trajecten per maand",
                "Kolommen: hoeveel trajecten op maat er elke maand bijkwamen.",
                _LEFT,
                columns=("dim_date.year_month",),
                measures=("Nieuwe trajecten",),
            ),
            Visual(
                Kind.TABLE,
                "Doorlooptijd per stap en jaar",
                "Tabel: mediaan van de dagen tussen twee stappen, per jaar.",
                _RIGHT,
                columns=("fct_renovation_lead_times.step", "fct_renovation_lead_times.year_reached"),
                measures=("Doorlooptijd (mediaan, dagen)",),
            ),
        ),
    ),
    Page(
        "1777",
        "Krijgen inwoners binnen vijf werkdagen antwoord, en waar niet?",
        (
            *_slicers(_MONTH, _DEPARTMENT, ("Thema", "fct_ticket_service_quarterly.theme_nl")),
            *_cards(
                "Tijdig beantwoord %", "Meldingen", "Te laat of niet beantwoord", "Te lang open", "Verborgen groepen"
            ),
            Visual(
                Kind.LINE,
                "Tijdig beantwoord per maand",
                "Lijn: aandeel meldingen dat binnen vijf werkdagen beantwoord is, per maand.",
                _LEFT,
                columns=("dim_date.year_month",),
                measures=("Tijdig beantwoord %",),
            ),
            Visual(
                Kind.TABLE,
                "Per afdeling en thema, per kwartaal",
                "Tabel: aandeel op tijd en meldingen per afdeling en thema, over de kwartalen van de keuze.",
                _RIGHT,
                columns=("dim_department.name_nl", "fct_ticket_service_quarterly.theme_nl"),
                measures=("Tijdig beantwoord % (kwartaal)", "Meldingen (kwartaal)"),
                sorted_by="-Tijdig beantwoord % (kwartaal)",
            ),
        ),
    ),
)
"""In the order in which they stand below the report."""

HEAD, LABEL_PLACE, VERSION_PLACE = Place(_MARGIN, 12, 716, 72), Place(752, 20, 240, 56), Place(1004, 20, 252, 56)
"""On every page: title and question, whether the data are invented, and from which publication they come."""
