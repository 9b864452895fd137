"""An indicator file of 1 000 rows of which 37 are bad, and the same file put right.

Roofs with panels by sector and year: real codes, made-up values. Every reason for which an indicator may be refused
stands in it at least once.
"""

from collections.abc import Callable

from ingestion.demo_city.areas import SECTORS

ROWS = 1_000
BAD = 37
HEADER = (
    *("kpi_id", "area", "ref_date", "value", "unit", "source", "published_at"),
    *("uncertainty", "uncertainty_low", "uncertainty_high", "entered_by_role", "checked_by_role", "embargo_until"),
)
_YEARS = range(2014, 2025)
# every 27th row from the 5th
_PLACES = range(5, 5 + 27 * BAD, 27)

Row = dict[str, str]
# what is done to a good row, and the Dutch words by which its refusal begins
SPOILED: tuple[tuple[Row, str], ...] = (
    ({"value": "ongeveer 20"}, "value: hier hoort een getal"),
    ({"value": ""}, "value: is leeg"),
    ({"value": "1.234"}, "value: hier hoort een getal"),
    ({"ref_date": "31/13/2020"}, "ref_date: hier hoort een datum"),
    ({"ref_date": "2099-12-31", "published_at": ""}, "ref_date: ligt na de dag van levering"),
    ({"area": "Heule"}, "area: heeft niet de juiste vorm"),
    ({"area": ""}, "area: is leeg"),
    ({"kpi_id": "Zonnepanelen"}, "kpi_id: heeft niet de juiste vorm"),
    ({"kpi_id": "zonnepanelen_2030"}, "kpi_id: deze indicator staat niet in het register"),
    ({"unit": "%"}, "unit: is niet de eenheid van het register"),
    ({"unit": ""}, "unit: is leeg"),
    ({"published_at": "2013-01-01"}, "published_at: ligt vóór ref_date"),
    ({"published_at": "gisteren"}, "published_at: hier hoort een datum"),
    ({"uncertainty": "-1"}, "uncertainty: is kleiner dan 0"),
    ({"uncertainty_low": "1"}, "uncertainty_low: onder- en bovengrens horen samen"),
    ({"uncertainty_low": "90", "uncertainty_high": "95"}, "value: ligt niet tussen"),
    ({"kpi_id": "bmx_track", "unit": "milestone 0/1"}, "checked_by_role: het register vraagt twee personen"),
    ({"embargo_until": "volgende week"}, "embargo_until: hier hoort een tijdstip"),
)


def bad_file() -> bytes:
    """The file with 37 bad rows."""
    return _written(lambda number, row: row | _spoiling(number)[0])


def corrected_file() -> bytes:
    """The file with those rows put right and the others untouched."""
    return _written(lambda _, row: row)


def bad_lines() -> dict[int, str]:
    """Of every bad row its line in the file (the header is line 1), and the beginning of its Dutch reason."""
    return {place + 2: _spoiling(place)[1] for place in _PLACES}


def _spoiling(number: int) -> tuple[Row, str]:
    if number not in _PLACES:
        return {}, ""
    return SPOILED[_PLACES.index(number) % len(SPOILED)]


def _written(change: Callable[[int, Row], Row]) -> bytes:
    rows = [change(number, _good(number)) for number in range(ROWS)]
    lines = [";".join(HEADER), *(";".join(row[name] for name in HEADER) for row in rows)]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def _good(number: int) -> Row:
    year, place = divmod(number, len(SECTORS))
    filled = {
        "kpi_id": "pv_roofs_2030",
        "area": SECTORS[place],
        "ref_date": f"{_YEARS[year]}-12-31",
        "value": f"{8 + place % 20},{number % 10}",
        "unit": "% of roofs",
        "source": "Demo (synthetisch)",
        "published_at": f"{_YEARS[year] + 1}-06-01",
    }
    return dict.fromkeys(HEADER, "") | filled
