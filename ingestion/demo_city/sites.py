"""The six buildings and the one dwelling of the demo city, and its register; no such building or meter exists."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.cities.kortrijk import CITY
from contracts.sources.buildings import CONNECTIONS
from ingestion.demo_city.files import Drop, workbook

_SINCE = "2019-01-01"
_SUPPLIED_AT = datetime(2026, 10, 1, 6, tzinfo=UTC)
_SYNTHETIC_PREFIX = "5414488900000"


@dataclass(frozen=True, slots=True)
class DemoSite:
    """A made-up building with one electricity and one gas connection.

    Attributes:
        floor_area_m2: square metre.
    """

    site_id: str
    name: str
    ean_electricity: str
    ean_gas: str
    department_id: str
    floor_area_m2: int
    use: str


def ean(number: int) -> str:
    """An 18-digit EAN in the demo's own range, with its GS1 check digit."""
    body = f"{_SYNTHETIC_PREFIX}{number:04d}"
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return f"{body}{-weighted % 10}"


def _site(number: int, site_id: str, name: str, floor_area_m2: int, use: str) -> DemoSite:
    eans = (ean(number * 10 + 1), ean(number * 10 + 2))
    return DemoSite(site_id, f"{name} (synthetisch)", *eans, "gebouwen", floor_area_m2, use)


CITY_HALL = _site(1, "stadhuis", "Stadhuis", 6400, "administratie")
POOL = _site(2, "zwembad_demo", "Zwembad De Demoplas", 8200, "zwembad")
LIBRARY = _site(3, "bib_demo", "Bibliotheek De Proefpagina", 4300, "cultuur")
SPORTS_HALL = _site(4, "sporthal_demo", "Sporthal De Testbal", 3600, "sport")
SCHOOL = _site(5, "school_demo", "Basisschool Het Voorbeeld", 2900, "onderwijs")
DEPOT = _site(6, "loods_demo", "Stadsloods Het Staal", 5100, "opslag")

DEMO_SITES = [CITY_HALL, POOL, LIBRARY, SPORTS_HALL, SCHOOL, DEPOT]

# somebody lives there: only months of it may be kept, and its name nowhere
DWELLING_EAN = ean(71)
# a meter that is not the city's, in a file by mistake
STRANGER_EAN = ean(91)


def register_drop() -> Drop:
    """The register of buildings, as the one who manages them keeps it."""
    table = [CONNECTIONS.received.columns, *_lines()]
    return Drop("buildings", "gebouwenregister.xlsx", workbook("register", table), _SUPPLIED_AT)


def _lines() -> Iterator[tuple[str, ...]]:
    for number, site in enumerate(DEMO_SITES, 1):
        for carrier, ean_code in (("elektriciteit", site.ean_electricity), ("gas", site.ean_gas)):
            named = (site.site_id, site.name, ean_code, carrier, _SINCE, "")
            yield (*named, str(site.floor_area_m2), site.use, site.department_id, str(number), "nee", CITY.area_id)
    home = ("conciergewoning_demo", "Familie Voorbeeld, Proefstraat 1", DWELLING_EAN, "elektriciteit", _SINCE, "")
    yield (*home, "120", "woning", "gebouwen", "", "ja", CITY.area_id)
