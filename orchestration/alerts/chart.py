"""One target as a picture: what was measured, the path it came along and should follow, and where it may end."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from orchestration.alerts import wording

if TYPE_CHECKING:
    import altair as alt

_WIDTH, _HEIGHT, _SCALE = 520, 210, 1.5
_FONT = "Arial, Helvetica, DejaVu Sans, sans-serif"
_INK, _MUTED, _GRID = "#1b2a3a", "#52606d", "#e4e9ee"
_MEASURED, _PATH, _BEHIND = "#0b5394", "#52606d", "#a61b1b"
_MOST_TICKS = 7
_YEARS_TO_NAME_MONTHS = 2
Point = tuple[date, float]


@dataclass(frozen=True, slots=True)
class Path:
    """What is asked of a target over time, and where it may end.

    Attributes:
        ref_date: the date of `value` and `required_value`.
        limit_value: how far from a norm it may be.
        forecast: its value at the deadline, at the recent pace.
        band: between which values that will be, with eight chances in ten.
        along: the path from its start to its deadline, by date.
    """

    ref_date: date | None
    value: float | None
    required_value: float | None
    target_date: date | None
    target_value: float | None
    limit_value: float | None = None
    forecast: float | None = None
    band: tuple[float, float] | None = None
    along: Sequence[Point] = ()

    @property
    def is_past(self) -> bool:
        """Whether the data speaks of a date on or after the deadline."""
        return self.ref_date is not None and self.target_date is not None and self.target_date <= self.ref_date

    def points(self, measured: pl.DataFrame) -> list[Point]:
        """The path by date; one without an end only where something was measured."""
        known = [(self.ref_date, self.required_value), (self.target_date, self.target_value)]
        found = {day: value for day, value in known if day is not None and value is not None}
        if self.target_date is not None:
            return sorted({**dict(self.along), **found}.items())
        if measured.is_empty() or not found:
            return sorted(found.items())
        first, last = measured.row(0)[0], max(*found, measured.row(-1)[0])
        within = {day: value for day, value in self.along if first <= day <= last}
        # a norm without a deadline holds on every date
        start = {first: next(iter(found.values()))} if self.is_level else {}
        return sorted({**start, **within, **found}.items())

    @property
    def is_level(self) -> bool:
        """Whether it asks the same on every day."""
        return all(value == self.required_value for _, value in self.along)

    @property
    def outlook(self) -> list[Point]:
        """From the last figure to where the recent pace leads."""
        if None in {self.ref_date, self.value, self.target_date, self.forecast} or self.is_past:
            return []
        return [(self.ref_date, self.value), (self.target_date, self.forecast)]  # type: ignore[list-item] # as checked


def series(observations: pl.DataFrame, kpi_id: str) -> pl.DataFrame:
    """The municipality's observations of a KPI (date, value), oldest first.

    A sector's code extends its municipality's, so the shortest code is the municipality.
    """
    rows = observations.filter(pl.col("kpi_id") == kpi_id, pl.col("value").is_not_null())
    length = pl.col("area_id").str.len_chars()
    points = rows.filter(length == length.min()).select(date="ref_date", value="value").sort("date", "value")
    return points.unique("date", keep="last", maintain_order=True)


def alternative_text(title: str, measured: pl.DataFrame, path: Path) -> str:
    """What the picture says, for whoever does not see it."""
    said = [f"Lijngrafiek van {title}."]
    if not measured.is_empty():
        first, last = measured.row(0), measured.row(-1)
        said.append(f"Gemeten: van {_told(*first)} naar {_told(*last)}.")
    points = path.points(measured)
    if points and points[0][0] != path.ref_date and points[0][1] != path.required_value:
        said.append(f"Het pad begint bij {_told(*points[0])}.")
    if path.required_value is not None:
        said.append(f"Het pad vroeg {wording.number(path.required_value)} op {wording.day(path.ref_date)}.")
    if path.limit_value is not None:
        said.append(f"Met de marge erbij ligt de grens op {wording.number(path.limit_value)}.")
    if path.target_value is not None and path.target_date is not None:
        said.append(f"Het doel is {wording.number(path.target_value)} tegen {wording.day(path.target_date)}.")
    if path.outlook:
        said.append(f"Aan het recente tempo wordt het {wording.number(path.forecast)} op die dag{_between(path)}.")
    return " ".join(said)


def _told(day: date, value: float) -> str:
    return f"{wording.number(value)} op {wording.day(day)}"


def _between(path: Path) -> str:
    if path.band is None:
        return ""
    low, high = (wording.number(value) for value in path.band)
    return f", met ongeveer 8 kansen op 10 tussen {low} en {high}"


def draw(measured: pl.DataFrame, path: Path, unit: str) -> bytes:
    """A PNG for a mail of 600 pixels wide, at one and a half times its density, made offline.

    Args:
        measured: date, value; may be empty.
        path: what should have been, and what may come.
        unit: unit of the values, above the axis.
    """
    import altair as alt  # noqa: PLC0415 - heavy, only a mail needs it
    import vl_convert  # noqa: PLC0415 - idem

    drawing = _Drawing(measured, path)
    above = f"{unit} · vlak: waar het met 8 kansen op 10 uitkomt" if path.outlook and path.band else unit
    picture = (
        alt.layer(*drawing.layers())
        .properties(width=_WIDTH, height=_HEIGHT, title=alt.TitleParams(above, anchor="start", offset=4))
        .configure(font=_FONT, background="white", padding=10)
        .configure_title(fontSize=12, fontWeight="normal", color=_MUTED)
        .configure_view(stroke=None)
        .configure_axis(labelColor=_MUTED, labelFontSize=12, domainColor=_GRID, tickColor=_GRID, gridColor=_GRID)
    )
    png = vl_convert.vegalite_to_png(
        picture.to_json(validate=False), scale=_SCALE, format_locale="nl-NL", time_format_locale="nl-NL"
    )
    return _packed(bytes(png))


def _packed(png: bytes) -> bytes:
    """The same picture in fewer bytes: it comes packed in haste, and a mail is kept for years."""
    signature, chunks, at = png[:8], [], 8
    while at < len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : end - 4]))
        at = end
    pixels = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    before, after = ([each for each in chunks if each[0] in kinds] for kinds in ((b"IHDR", b"pHYs"), (b"IEND",)))
    whole = [*before, (b"IDAT", zlib.compress(pixels, 9)), *after]
    return signature + b"".join(
        len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4) for kind, content in whole
    )


class _Drawing:
    """The layers of one picture, which share their axes."""

    def __init__(self, measured: pl.DataFrame, path: Path) -> None:
        self._path = path
        self._asked = path.points(measured)
        points: list[Point] = measured.rows()
        if path.ref_date is not None and path.value is not None:
            # What was judged is the last thing measured, also when its own row is of a longer period.
            points = [*((day, value) for day, value in points if day < path.ref_date), (path.ref_date, path.value)]
        self._measured = points
        days = [day for day, _ in (*points, *self._asked, *path.outlook)]
        self._ticks = ticks(min(days), max(days)) if days else []

    def layers(self) -> list["alt.Chart"]:
        return [*self._band(), *self._norm(), *self._path_itself(), *self._gap(), *self._line(), *self._labels()]

    @property
    def _is_below(self) -> bool:
        """Whether it stands under its path: then its own label goes below, and that of the path above."""
        path = self._path
        return path.value is None or path.required_value is None or path.value <= path.required_value

    def _band(self) -> list["alt.Chart"]:
        if not self._path.outlook:
            return []
        straight = self._chart(self._path.outlook).mark_line(color=_MEASURED, strokeWidth=2, strokeDash=[2, 3])
        if self._path.band is None:
            return [straight]
        start, end = self._path.outlook
        rows = [(start[0], start[1], start[1]), (end[0], *self._path.band)]
        beside = {"color": _MEASURED, "fontSize": 12, "align": "left", "dx": 7}
        edges = [
            self._chart([(end[0], value)]).mark_text(text=wording.number(value), **beside) for value in self._path.band
        ]
        return [self._chart(rows).mark_area(color=_MEASURED, opacity=0.16), straight, *edges]

    def _norm(self) -> list["alt.Chart"]:
        """How far from a norm it may be: a line of its own beside the norm."""
        limit = self._path.limit_value
        if limit is None or not self._asked:
            return []
        ends = [(day, limit) for day in (self._asked[0][0], self._asked[-1][0])]
        line = self._chart(ends).mark_line(color=_BEHIND, strokeWidth=1, strokeDash=[2, 2])
        words = f"grens met marge: {wording.number(limit)}"
        return [line, *self._labelled(ends[0], words, _BEHIND, is_above=not self._is_below, align="left")]

    def _path_itself(self) -> list["alt.Chart"]:
        if len(self._asked) < 2:
            return []
        return [self._chart(self._asked).mark_line(color=_PATH, strokeWidth=2, strokeDash=[6, 4])]

    def _gap(self) -> list["alt.Chart"]:
        path = self._path
        if path.ref_date is None or path.value is None or path.required_value is None:
            return []
        ends = [(path.ref_date, path.value), (path.ref_date, path.required_value)]
        return [self._chart(ends).mark_line(color=_BEHIND, strokeWidth=2)]

    def _line(self) -> list["alt.Chart"]:
        return [self._chart(self._measured).mark_line(color=_MEASURED, strokeWidth=3)] if self._measured else []

    def _labels(self) -> list["alt.Chart"]:
        path, above, found = self._path, self._is_below, []
        if path.ref_date is not None and path.required_value is not None and not path.is_past:
            label = f"{'norm' if path.limit_value is not None else 'toen nodig'}: {wording.number(path.required_value)}"
            found += self._labelled((path.ref_date, path.required_value), label, _BEHIND, is_above=above)
        if path.target_date is not None and path.target_value is not None:
            label = f"doel {path.target_date.year}: {wording.number(path.target_value)}"
            found += self._labelled((path.target_date, path.target_value), label, _INK, is_above=above)
        if self._measured:
            last = self._measured[-1]
            label = f"{wording.day(last[0])}: {wording.number(last[1])}"
            found += self._labelled(last, label, _MEASURED, is_above=not above)
        return found

    def _labelled(
        self, point: Point, label: str, colour: str, *, is_above: bool, align: str = "center"
    ) -> list["alt.Chart"]:
        """A point with its words beside it, so that no legend and no colour is needed to read it."""
        base = self._chart([point])
        style = {"text": label, "fontSize": 13, "fontWeight": "bold", "align": align, "dy": -15 if is_above else 19}
        # White around the letters keeps them legible where they cross a line.
        halo = base.mark_text(color="white", stroke="white", strokeWidth=5, strokeJoin="round", **style)
        dot = base.mark_point(color=colour, fill=colour, size=70, opacity=1)
        return [halo, dot, base.mark_text(color=colour, **style)]

    def _chart(self, points: Sequence[tuple[Any, ...]]) -> "alt.Chart":
        import altair as alt  # noqa: PLC0415 - heavy, only a mail needs it

        names = ("value", "high")
        rows = [{"date": f"{day:%Y-%m-%d}", **dict(zip(names, values, strict=False))} for day, *values in points]
        axis = alt.Axis(
            title=None,
            # a day is that of UTC here too, or its month is another one on a machine in another zone
            values=[{"year": day.year, "month": day.month, "date": 1, "utc": True} for day in self._ticks],
            format="%Y" if all(day.month == 1 for day in self._ticks) else "%b %Y",
            grid=False,
            labelOverlap=True,
        )
        amounts = alt.Axis(title=None, format=",~f", tickCount=4, domain=False, ticks=False)
        high = {"y2": alt.Y2("high:Q")} if len(points[0]) > len(names) else {}
        return alt.Chart(alt.Data(values=rows)).encode(
            x=alt.X("date:T", axis=axis, scale=alt.Scale(type="utc", padding=54)),
            y=alt.Y("value:Q", axis=amounts, scale=alt.Scale(zero=False, padding=26)),
            **high,
        )


def ticks(first: date, last: date) -> list[date]:
    """Between two days the first days of years, or of months where the days lie close together."""
    if last.year - first.year > _YEARS_TO_NAME_MONTHS:
        starts = [date(year, 1, 1) for year in range(first.year, last.year + 1)]
    else:
        starts = [date(year, month, 1) for year in range(first.year, last.year + 1) for month in range(1, 13)]
    within = [day for day in starts if first <= day <= last]
    return within[:: -(-len(within) // _MOST_TICKS) or 1]
