"""The six buildings of the demo city; no such building or meter exists."""

from dataclasses import dataclass

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


def ean(number: int) -> str:
    """An 18-digit EAN in the demo's own range, with its GS1 check digit."""
    body = f"{_SYNTHETIC_PREFIX}{number:04d}"
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return f"{body}{-weighted % 10}"


def _site(number: int, site_id: str, name: str, floor_area_m2: int) -> DemoSite:
    return DemoSite(
        site_id, f"{name} (synthetisch)", ean(number * 10 + 1), ean(number * 10 + 2), "gebouwen", floor_area_m2
    )


CITY_HALL = _site(1, "stadhuis", "Stadhuis", 6400)
POOL = _site(2, "zwembad_demo", "Zwembad De Demoplas", 8200)
LIBRARY = _site(3, "bib_demo", "Bibliotheek De Proefpagina", 4300)
SPORTS_HALL = _site(4, "sporthal_demo", "Sporthal De Testbal", 3600)
SCHOOL = _site(5, "school_demo", "Basisschool Het Voorbeeld", 2900)
DEPOT = _site(6, "loods_demo", "Stadsloods Het Staal", 5100)

DEMO_SITES = [CITY_HALL, POOL, LIBRARY, SPORTS_HALL, SCHOOL, DEPOT]
