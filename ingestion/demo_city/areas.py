"""The statistical sectors of Kortrijk: real codes (Statbel, 2025), so that made-up values join real areas.

Their boundaries are made up: a grid over the demo city. Real ones come from a file of the city itself.
"""

from typing import Any

_CODES = """
34022A00- 34022A01- 34022A021 34022A03- 34022A04- 34022A051 34022A101 34022A111 34022A12- 34022A122
34022A132 34022A143 34022A152 34022A172 34022A173 34022A201 34022A211 34022A232 34022A242 34022A243
34022A252 34022A291 34022A30- 34022A311 34022A32- 34022A33- 34022A341 34022A352 34022A401 34022A41-
34022A42- 34022A432 34022A472 34022A50- 34022A51- 34022A521 34022A532 34022A54- 34022A553 34022A601
34022A612 34022A62- 34022A701 34022A712 34022A723 34022A732 34022A783 34022A7MA 34022A7PA 34022A800
34022A890 34022A904 34022A91- 34022B001 34022B012 34022B021 34022B030 34022B032 34022B043 34022B052
34022B071 34022B080 34022B091 34022B111 34022B112 34022B122 34022B201 34022B223 34022B30- 34022B313
34022B40- 34022B492 34022C001 34022C022 34022C033 34022C094 34022C112 34022C1AN 34022D00- 34022D011
34022D021 34022D03- 34022D08- 34022D092 34022D0MN 34022D121 34022D132 34022D142 34022D193 34022D210
34022D22- 34022E001 34022E01- 34022E02- 34022E032 34022E042 34022E083 34022E091 34022F001 34022F012
34022F090 34022F10- 34022F19- 34022F210 34022G001 34022G01- 34022G02- 34022G032 34022G043 34022G080
34022G09- 34022H00- 34022H09-
"""
SECTORS = tuple(_CODES.split())

MUNICIPALITY = "34022"
WEST, SOUTH, EAST, NORTH = 3.18, 50.78, 3.33, 50.87
"""The demo city in degrees, WGS 84."""
_COLUMNS, _ROWS = 19, 6


def boundaries() -> dict[str, Any]:
    """The municipality and its sectors as a GeoJSON FeatureCollection; every sector is a cell of a grid."""
    cells = [_cell(number % _COLUMNS, number // _COLUMNS) for number in range(len(SECTORS))]
    # what is left of the last row belongs to the last sector
    cells[-1] = (*cells[-1][:2], EAST, NORTH)
    sectors = [_feature(sector, "sector", cell) for sector, cell in zip(SECTORS, cells, strict=True)]
    whole = _feature(MUNICIPALITY, "municipality", (WEST, SOUTH, EAST, NORTH))
    return {"type": "FeatureCollection", "is_synthetic": True, "features": [whole, *sectors]}


def _cell(column: int, row: int) -> tuple[float, float, float, float]:
    """West, south, east and north; a border is written the same from both sides."""
    wide, high = (EAST - WEST) / _COLUMNS, (NORTH - SOUTH) / _ROWS
    west, east = (round(WEST + each * wide, 6) for each in (column, column + 1))
    south, north = (round(SOUTH + each * high, 6) for each in (row, row + 1))
    return west, south, east, north


def _feature(area_id: str, area_type: str, box: tuple[float, float, float, float]) -> dict[str, Any]:
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": {"area_id": area_id, "area_type": area_type},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
