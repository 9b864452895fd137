"""Swing, the statistics site behind *.incijfers.be: OData v4, or the JSON of its tables.

Belongs here: addresses, paging, what Swing writes where it has no value, and the list that says which of its
variables is which of our indicators. Does not belong here: our registry, and what the city does with the values.

The addresses are those of the Open Data Service manual (swing.eu, "Open Data Service", chapters 3 and 4): a key goes
along as the header `apikey`, and every page names the next in `@odata.nextLink`.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urljoin

from pydantic import SecretStr

from ingestion.errors import PermanentSupplierError
from ingestion.http import Client, Params, Trail, address

_COLUMNS = ("swing_code", "kpi_id", "unit", "geolevel", "periodlevel")
_CODE = re.compile(r"[A-Za-z0-9_]{1,46}")
_YEAR = re.compile(r"(19\d\d|20\d\d)")
_PART = re.compile(r"(19\d\d|20\d\d)[-_ ]?[QqKkMm]?(\d{1,2})")
_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_FIRST_YEAR = 2000
_NO_TIME = datetime.min.replace(tzinfo=UTC)
_UNKNOWN, _SECRET, _NOT_APPLICABLE, _EMPTY = "not known", "kept secret", "not applicable", "empty"
# Swing imports the numbers and shows the signs (manual of the provinces, "ontbrekende waarden")
_NO_VALUE = {
    "?": _UNKNOWN,
    "-99999": _UNKNOWN,
    "x": _SECRET,
    "-99997": _SECRET,
    "-": _NOT_APPLICABLE,
    "-99998": _NOT_APPLICABLE,
    "": _EMPTY,
    ".": _EMPTY,
    "-99996": _EMPTY,
}


class Form(StrEnum):
    """The two ways in which a site gives its values; an older one has only tables."""

    ODATA = "odata"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One variable of Swing and the indicator that it is, in that unit; levels by their Swing code."""

    swing_code: str
    kpi_id: str
    unit: str
    geo_level: str
    period_level: str


@dataclass(frozen=True, slots=True)
class Value:
    """One value as Swing writes it, for the area with that code; `ref_date` is the last day of its period."""

    wanted: Wanted
    area: str
    ref_date: date
    text: str

    @property
    def absence(self) -> str | None:
        """Why there is no value, where there is none."""
        return _NO_VALUE.get(self.text.lower().removesuffix(".0"))


@dataclass(frozen=True, slots=True)
class Values:
    """Everything that was asked, and the site's own time (UTC).

    Attributes:
        unplaced: rows of a table whose area has no code, or whose period cannot be read.
    """

    values: Sequence[Value]
    server_time: datetime
    unplaced: int


def read_list(path: Path) -> list[Wanted]:
    """The list of variables to ask: a CSV with the columns swing_code, kpi_id, unit, geolevel and periodlevel.

    Raises:
        PermanentSupplierError: it is not there, lacks a column, or holds a code that Swing cannot have.
    """
    try:
        written = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as broken:
        raise PermanentSupplierError(
            "no_mapping", "indicators", name=path.name, why=type(broken).__name__, columns=", ".join(_COLUMNS)
        ) from None
    separator = ";" if ";" in written.split("\n", 1)[0] else ","
    rows = list(csv.DictReader(io.StringIO(written, newline=""), delimiter=separator))
    missing = [column for column in _COLUMNS if rows and column not in rows[0]]
    if missing or not rows:
        raise PermanentSupplierError("empty_mapping", "indicators", name=path.name, missing=", ".join(missing))
    return [_wanted(row, path.name, line) for line, row in enumerate(rows, 2)]


def _wanted(row: Mapping[str, str | None], name: str, line: int) -> Wanted:
    cells = [(row[column] or "").strip() for column in _COLUMNS]
    wanted = Wanted(*cells)
    codes = (wanted.swing_code, wanted.geo_level, wanted.period_level)
    if not all(_CODE.fullmatch(code) for code in codes) or wanted.period_level.lower() not in _MONTHS:
        raise PermanentSupplierError("bad_mapping", "indicators", name=name, line=line, allowed=", ".join(_MONTHS))
    return wanted


def read_values(
    url: str, wanted: Sequence[Wanted], form: Form, key: SecretStr | None = None, since: date | None = None
) -> Values:
    """The values of every wanted variable from a first date on.

    Args:
        url: the site.
        wanted: which variables; see `read_list`.
        form: over OData, or from the JSON of its tables.
        key: where it asks one.
        since: the first date of interest.

    Raises:
        TransientSupplierError: see `ingestion.http.Client`.
        PermanentSupplierError: idem; a page leads nowhere or in circles; an answer is none of Swing's.
    """
    headers = {"apikey": key.get_secret_value()} if key else {}
    with Client(url, headers) as client:
        site = _Site(client, url.rstrip("/"), since or date(_FIRST_YEAR, 1, 1))
        if form is Form.ODATA:
            site.ask_odata(wanted)
        else:
            # with a key some sites answer a table with nothing
            with Client(url) as keyless:
                site.ask_tables(wanted, keyless)
    if site.server_time == _NO_TIME:
        raise PermanentSupplierError("no_time", address(url))
    return Values(site.values, site.server_time, site.unplaced)


class _Site:
    """What is asked of one site, and what it answered so far."""

    def __init__(self, client: Client, url: str, since: date) -> None:
        self._client = client
        self._url = url
        self._since = since
        self._codes: dict[str, dict[str, str]] = {}
        self.values: list[Value] = []
        self.unplaced = 0
        self.server_time = _NO_TIME

    def ask_odata(self, wanted: Sequence[Wanted]) -> None:
        for one in wanted:
            path = (
                f"Variables('{one.swing_code}')/GeoLevels('{one.geo_level}')"
                f"/PeriodLevels('{one.period_level}')/Periods('all')/Values"
            )
            for row in self._rows(path):
                self._take(one, _said(row, "ExternalCode"), _said(row, "Period"), _said(row, "ValueString"))

    def ask_tables(self, wanted: Sequence[Wanted], keyless: Client) -> None:
        for one in wanted:
            codes = self._codes_of(one.geo_level)
            for name, period, text in self._table(one, keyless):
                self._take(one, codes.get(name.casefold()) or codes.get(f"={name}") or "", period, text)

    def _take(self, one: Wanted, area: str, period: str, text: str) -> None:
        ref_date = _end_of(period, one.period_level)
        if not area or ref_date is None:
            self.unplaced += 1
        elif ref_date >= self._since:
            self.values.append(Value(one, area, ref_date, text.strip()))

    def _rows(self, path: str) -> Iterator[Mapping[str, object]]:
        """The rows of an entity set, page after page."""
        page: str | None = f"{self._url}/jiveservices/odata/{path}"
        trail = Trail(address(page or ""))
        while page is not None:
            trail.step(page)
            said = self._json(self._client, page)
            rows = said.get("value")
            if not isinstance(rows, list):
                raise PermanentSupplierError("no_values", address(page))
            yield from (row for row in rows if isinstance(row, dict))
            following = said.get("@odata.nextLink")
            page = urljoin(page, following) if isinstance(following, str) and following else None

    def _codes_of(self, geo_level: str) -> Mapping[str, str]:
        """Codes by the name of an area, and by the code itself; a table shows names."""
        if geo_level not in self._codes:
            rows = [(_said(row, "Name"), _said(row, "ExternalCode")) for row in self._rows(_items_of(geo_level))]
            codes = {name.casefold(): code for name, code in rows}
            if len(codes) < len(rows):
                raise PermanentSupplierError("same_area_name", address(self._url), level=geo_level)
            self._codes[geo_level] = codes | {f"={code}": code for _, code in rows}
        return self._codes[geo_level]

    def _table(self, one: Wanted, keyless: Client) -> Iterator[tuple[str, str, str]]:
        page = f"{self._url}/jive/selectiontableasjson.ashx"
        years = range(self._since.year, self.server_time.year + 1)
        params = {
            "var": one.swing_code,
            "geolevel": one.geo_level,
            "periodlevel": one.period_level,
            "period": ",".join(str(year) for year in years),
        }
        if one.period_level.lower() != "year":
            raise PermanentSupplierError("not_by_year", address(page), variable=one.swing_code, level=one.period_level)
        rows = self._json(keyless, page, params).get("rows")
        if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 3 for row in rows):
            raise PermanentSupplierError("no_table", address(page))
        yield from ((_text(area), _text(period), _text(value)) for area, period, value in rows)

    def _json(self, client: Client, page: str, params: Params | None = None) -> Mapping[str, object]:
        answer = client.get(page, params)
        said = answer.json()
        if not isinstance(said, dict):
            raise PermanentSupplierError("no_swing", address(page))
        if answer.server_time is not None:
            self.server_time = max(self.server_time, answer.server_time)
        return said


def _items_of(geo_level: str) -> str:
    return f"GeoLevels('{geo_level}')/GeoItems"


def _said(row: Mapping[str, object], name: str) -> str:
    return _text(row.get(name))


def _text(sent: object) -> str:
    return "" if sent is None else str(sent).strip()


def _end_of(period: str, level: str) -> date | None:
    """The last day of a period; None where it is not written as its level is."""
    months = _MONTHS[level.lower()]
    found = (_YEAR if months == 12 else _PART).fullmatch(period)
    if found is None:
        return None
    # the month after the period, less a day
    month = 12 if months == 12 else int(found[2]) * months
    if not 1 <= month <= 12:
        return None
    year = int(found[1])
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
