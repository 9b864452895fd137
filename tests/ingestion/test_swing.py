"""The city's Swing site, over OData and from the JSON of its tables."""

import csv
import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.cities.profile import City
from contracts.gate import split
from contracts.sources.indicators import OBSERVATIONS
from ingestion.delivery import Context, Delivery
from ingestion.errors import PermanentSupplierError
from ingestion.sources.indicators import SOURCE
from tests.ingestion.asking import endpoint_of

_NewSupplier = Callable[..., Any]
_Row = tuple[str, str, str, str]

_LIST = "swing_code;kpi_id;unit;geolevel;periodlevel\n"
_LINE = "v2506_elek_res_cons;fluvius_elek_res_cons;kWh;statsec2019;year\n"
_PATH = re.compile(
    r"/jiveservices/odata/Variables\('(\w+)'\)/GeoLevels\('(\w+)'\)/PeriodLevels\('(\w+)'\)/Periods\('all'\)/Values"
)
_NAMES = {"34022A00-": "Kortrijk-Centrum", "34022A01-": "Kortrijk-Oost", "34023A00-": "Kuurne-Centrum"}
_ROWS: Sequence[_Row] = (
    # variable, area, period, value
    ("v2506_elek_res_cons", "34022A00-", "2020", "2974153.4"),
    ("v2506_elek_res_cons", "34022A01-", "2020", "1437517.33"),
    ("v2506_elek_res_cons", "34022A00-", "2021", "?"),
    ("v2506_elek_res_cons", "34022A01-", "2021", "-99997"),
    ("v2506_elek_res_cons", "34023A00-", "2020", "5"),
    ("v2506_elek_res_cons", "34022A00-", "2030", "7"),
)


class _Site:
    """Answers as a Swing site does: pages of values, names of areas, and tables."""

    def __init__(self, rows: Sequence[_Row] = _ROWS, page_size: int = 2, key: str | None = None) -> None:
        self.rows, self.page_size, self.key = rows, page_size, key
        self.names = dict(_NAMES)

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if found := _PATH.fullmatch(path):
            return self._page(path, [row for row in self.rows if row[0] == found[1]], int(query.get("$skip", "0")))
        if path.endswith("/GeoItems"):
            items = [{"ExternalCode": code, "Name": name} for code, name in self.names.items()]
            return _json({"value": items})
        if path == "/jive/selectiontableasjson.ashx":
            return self._table(query)
        return 404, {}, b""

    def _page(self, path: str, rows: Sequence[_Row], skip: int) -> tuple[int, dict[str, str], bytes]:
        page = [
            {"ExternalCode": area, "Period": period, "ValueString": value}
            for _, area, period, value in rows[skip : skip + self.page_size]
        ]
        more = skip + self.page_size < len(rows)
        following = {"@odata.nextLink": f"{path}?$skip={skip + self.page_size}"} if more else {}
        return _json({"value": page, **following})

    def _table(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        years = query["period"].split(",")
        rows = [
            [self.names.get(area, area), period, value]
            for variable, area, period, value in self.rows
            if variable == query["var"] and period in years
        ]
        headers = [{"name": name, "type": kind} for name, kind in (("Sector", "String"), ("Jaar", "String"))]
        return _json({"headers": [*headers, {"name": query["var"], "type": "Numeric"}], "rows": rows})


def _json(said: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()


@pytest.fixture
def ask(kortrijk: City, tmp_path: Path) -> Callable[..., Delivery]:
    def asked(url: str, lines: str = _LINE, since: date | None = None, **settings: str) -> Delivery:
        file = tmp_path / "swing.csv"
        file.write_text(_LIST + lines, encoding="utf-8")
        options = {"MAPPING": str(file)} | ({"SINCE": since.isoformat()} if since else {}) | settings
        return SOURCE.fetch(endpoint_of(SOURCE, url, **options), Context(kortrijk))

    return asked


@pytest.mark.parametrize("form", ["odata", "table"])
def test_the_values_of_the_city_land_and_the_rest_is_counted(
    new_supplier: _NewSupplier, kortrijk: City, ask: Callable[..., Delivery], form: str
) -> None:
    delivery = ask(new_supplier(_Site().answer).url, FORM=form)
    found = split(delivery.tables["observations"], OBSERVATIONS, kortrijk, delivery.supplied_at)
    assert found.quarantined.height == 0
    assert found.accepted.select("kpi_id", "area_id", "ref_date", "value", "unit").rows() == [
        ("fluvius_elek_res_cons", "34022A00-", date(2020, 12, 31), 2974153.4, "kWh"),
        ("fluvius_elek_res_cons", "34022A01-", date(2020, 12, 31), 1437517.33, "kWh"),
    ]
    counted = {"not known": 1, "kept secret": 1, "of another municipality": 1}
    # a table is asked for no year to come
    assert delivery.withheld == counted | ({"about a day to come": 1} if form == "odata" else {})
    assert delivery.supplied_at == delivery.complete_until
    assert delivery.supplied_at.isoformat() == "2026-11-23T06:00:00+00:00"


def test_pages_are_followed_to_the_last(new_supplier: _NewSupplier, ask: Callable[..., Delivery]) -> None:
    supplier = new_supplier(_Site(page_size=1).answer)
    ask(supplier.url)
    assert len(supplier.asked) == len(_ROWS)


def test_a_page_that_leads_in_circles_is_stopped(new_supplier: _NewSupplier, ask: Callable[..., Delivery]) -> None:
    def circling(path: str, _: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return _json({"value": [], "@odata.nextLink": path})

    with pytest.raises(PermanentSupplierError, match="leads back to a page already asked"):
        ask(new_supplier(circling).url)


def test_a_next_page_elsewhere_is_not_asked(new_supplier: _NewSupplier, ask: Callable[..., Delivery]) -> None:
    other = new_supplier(_Site().answer)

    def leading_away(*_: object) -> tuple[int, dict[str, str], bytes]:
        return _json({"value": [], "@odata.nextLink": f"{other.url}/jiveservices/odata/x"})

    with pytest.raises(PermanentSupplierError, match="lies outside"):
        ask(new_supplier(leading_away).url, TOKEN="hidden")
    assert other.asked == []


def test_the_key_goes_along_as_a_header_and_never_to_a_table(
    new_supplier: _NewSupplier, ask: Callable[..., Delivery]
) -> None:
    supplier = new_supplier(_Site().answer)
    ask(supplier.url, FORM="table", TOKEN="hidden")
    keys = {path: headers.get("apikey") for (path, _), headers in zip(supplier.asked, supplier.headers, strict=True)}
    assert keys == {
        "/jiveservices/odata/GeoLevels('statsec2019')/GeoItems": "hidden",
        "/jive/selectiontableasjson.ashx": None,
    }


def test_values_before_the_first_date_are_left_out(new_supplier: _NewSupplier, ask: Callable[..., Delivery]) -> None:
    delivery = ask(new_supplier(_Site().answer).url, since=date(2021, 1, 1))
    assert delivery.tables["observations"].height == 0


@pytest.mark.parametrize(
    ("level", "period", "day"),
    [
        ("quarter", "2025Q4", "2025-12-31"),
        ("quarter", "2025-1", "2025-03-31"),
        ("month", "202502", "2025-02-28"),
        ("month", "2025-12", "2025-12-31"),
        ("Year", "2024", "2024-12-31"),
    ],
)
def test_a_value_speaks_of_the_last_day_of_its_period(
    new_supplier: _NewSupplier, ask: Callable[..., Delivery], level: str, period: str, day: str
) -> None:
    site = _Site([("werkloos", "34022", period, "6,1")])
    delivery = ask(new_supplier(site.answer).url, lines=f"werkloos;unemployment;%;gemeente;{level}\n")
    assert delivery.tables["observations"]["ref_date"].to_list() == [day]


def test_a_period_that_cannot_be_read_is_counted(new_supplier: _NewSupplier, ask: Callable[..., Delivery]) -> None:
    delivery = ask(new_supplier(_Site([("v2506_elek_res_cons", "34022", "2020/2021", "1")]).answer).url)
    assert delivery.withheld == {"without a code of its area or a period": 1}


def test_two_areas_of_one_name_are_not_guessed_at(new_supplier: _NewSupplier, ask: Callable[..., Delivery]) -> None:
    site = _Site()
    site.names["34022A01-"] = "Kortrijk-centrum"
    with pytest.raises(PermanentSupplierError, match="two areas of level statsec2019 have one name"):
        ask(new_supplier(site.answer).url, FORM="table")


@pytest.mark.parametrize(
    ("lines", "settings", "says"),
    [
        ("", {}, "names no variable"),
        ("a b;x;kWh;gemeente;year\n", {}, "line 2: a Swing code has letters"),
        ("a;x;kWh;gemeente;week\n", {}, "a period level is one of year, quarter, month"),
        (_LINE, {"MAPPING": "/nowhere/lijst.csv"}, r"lijst\.csv cannot be read"),
        ("a;x;kWh;gemeente;month\n", {"FORM": "table"}, "a table is asked by year"),
    ],
)
def test_a_wrong_setting_says_what_to_do(
    new_supplier: _NewSupplier, ask: Callable[..., Delivery], lines: str, settings: dict[str, str], says: str
) -> None:
    with pytest.raises(PermanentSupplierError, match=says):
        ask(new_supplier(_Site().answer).url, lines=lines, **settings)


@pytest.mark.parametrize("said", [{"error": "x"}, {"value": None}, ["value"]])
def test_an_answer_that_is_none_of_swing_s_is_refused(
    new_supplier: _NewSupplier, ask: Callable[..., Delivery], said: object
) -> None:
    with pytest.raises(PermanentSupplierError, match=r"no Swing|no list of values"):
        ask(new_supplier(lambda *_: _json(said)).url)


@pytest.mark.parametrize("form", ["odata", "table"])
def test_what_the_provinces_upload_comes_back_from_a_site_as_it_was(
    new_supplier: _NewSupplier, kortrijk: City, ask: Callable[..., Delivery], real_data: Path, form: str
) -> None:
    upload = real_data / "indicators" / "swing_upload_kortrijk_2018_2021.csv"
    rows = list(csv.DictReader(upload.read_text("utf-8").splitlines()))
    measures = [name for name in rows[0] if name.startswith("v2506_")]
    site = _Site([(name, row["geoitem"], row["period"], row[name]) for row in rows for name in measures], page_size=200)
    site.names = {row["geoitem"]: f"Sector {row['geoitem']}" for row in rows}
    lines = "".join(f"{name};fluvius_{name.removeprefix('v2506_')};kWh;statsec2019;year\n" for name in measures)
    delivery = ask(new_supplier(site.answer).url, lines=lines, FORM=form)
    found = split(delivery.tables["observations"], OBSERVATIONS, kortrijk, delivery.supplied_at)
    assert (found.received, found.accepted.height, delivery.withheld) == (456 * 9, 456 * 9, {})
    landed = {row[:3]: row[3] for row in found.accepted.select("kpi_id", "area_id", "ref_date", "value").iter_rows()}
    expected = {
        (f"fluvius_{name.removeprefix('v2506_')}", row["geoitem"], date(int(row["period"]), 12, 31)): float(row[name])
        for row in rows
        for name in measures
    }
    assert landed == expected
