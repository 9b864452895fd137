"""One target as a picture: what was measured against the path it should be on."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from orchestration.alerts import wording

if TYPE_CHECKING:
    import altair as alt

_WIDTH, _HEIGHT, _SCALE = 560, 210, 2
_FONT = "Arial, Helvetica, DejaVu Sans, sans-serif"
_INK, _MUTED, _GRID = "#1b2a3a", "#52606d", "#e4e9ee"
_MEASURED, _PATH, _BEHIND = "#0b5394", "#52606d", "#a61b1b"


@dataclass(frozen=True, slots=True)
class Path:
    """What is known of the path, at the date the data speaks of and at the deadline.

    Attributes:
        ref_date: the date of `value` and `required_value`.
    """

    ref_date: date | None
    value: float | None
    required_value: float | None
    target_date: date | None
    target_value: float | None

    @property
    def is_past(self) -> bool:
        """Whether the data speaks of a date on or after the deadline."""
        return self.ref_date is not None and self.target_date is not None and self.target_date <= self.ref_date

    @property
    def points(self) -> list[tuple[date, float]]:
        """The points of the path that exist, by date."""
        known = [(self.ref_date, self.required_value), (self.target_date, self.target_value)]
        return sorted((day, value) for day, value in known if day is not None and value is not None)


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
        said.append(
            f"Gemeten: van {wording.number(first[1])} op {wording.day(first[0])} "
            f"naar {wording.number(last[1])} op {wording.day(last[0])}."
        )
    if path.required_value is not None:
        said.append(f"Het pad vroeg {wording.number(path.required_value)} op {wording.day(path.ref_date)}.")
    if path.target_value is not None and path.target_date is not None:
        said.append(f"Het doel is {wording.number(path.target_value)} tegen {wording.day(path.target_date)}.")
    return " ".join(said)


def draw(measured: pl.DataFrame, path: Path, unit: str) -> bytes:
    """A PNG of 640 pixels wide at double density, made offline.

    Args:
        measured: date, value; may be empty.
        path: what should have been.
        unit: unit of the values, above the axis.
    """
    import altair as alt  # noqa: PLC0415 - heavy, only a mail needs it
    import vl_convert  # noqa: PLC0415 - idem

    layers = [*_path_layers(measured, path), *_gap_layers(path), *_measured_layers(measured, path)]
    picture = (
        alt.layer(*layers)
        .properties(width=_WIDTH, height=_HEIGHT, title=alt.TitleParams(unit, anchor="start", offset=4))
        .configure(font=_FONT, background="white", padding=14)
        .configure_title(fontSize=12, fontWeight="normal", color=_MUTED)
        .configure_view(stroke=None)
        .configure_axis(labelColor=_MUTED, labelFontSize=12, domainColor=_GRID, tickColor=_GRID, gridColor=_GRID)
    )
    return bytes(
        vl_convert.vegalite_to_png(
            picture.to_json(validate=False), scale=_SCALE, format_locale="nl-NL", time_format_locale="nl-NL"
        )
    )


def _measured_layers(measured: pl.DataFrame, path: Path) -> list["alt.Chart"]:
    points = measured.rows()
    if path.ref_date is not None and path.value is not None:
        # What was judged is the last thing measured, also when its own row is of a longer period.
        points = [*((day, value) for day, value in points if day < path.ref_date), (path.ref_date, path.value)]
    if not points:
        return []
    line = _chart(points).mark_line(color=_MEASURED, strokeWidth=3)
    last_date, last_value = points[-1]
    is_below = path.required_value is None or last_value <= path.required_value
    label = f"{wording.day(last_date)}: {wording.number(last_value)}"
    return [line, *_labelled(last_date, last_value, label, _MEASURED, is_above=not is_below)]


def _path_layers(measured: pl.DataFrame, path: Path) -> list["alt.Chart"]:
    points = path.points
    if path.target_date is None and points and not measured.is_empty():
        # A norm without a deadline holds on every date.
        points = sorted({(measured.row(0)[0], points[0][1]), *points})
    layers = [_chart(points).mark_line(color=_PATH, strokeWidth=2, strokeDash=[6, 4])] if len(points) > 1 else []
    is_above = path.value is None or path.required_value is None or path.value <= path.required_value
    if path.ref_date is not None and path.required_value is not None and not path.is_past:
        label = f"toen nodig: {wording.number(path.required_value)}"
        layers += _labelled(path.ref_date, path.required_value, label, _BEHIND, is_above=is_above)
    if path.target_date is not None and path.target_value is not None:
        label = f"doel {path.target_date.year}: {wording.number(path.target_value)}"
        layers += _labelled(path.target_date, path.target_value, label, _INK, is_above=is_above)
    return layers


def _gap_layers(path: Path) -> list["alt.Chart"]:
    if path.ref_date is None or path.value is None or path.required_value is None:
        return []
    ends = [(path.ref_date, path.value), (path.ref_date, path.required_value)]
    return [_chart(ends).mark_line(color=_BEHIND, strokeWidth=2)]


def _labelled(day: date, value: float, label: str, colour: str, *, is_above: bool) -> list["alt.Chart"]:
    """A point with its words beside it, so that no legend and no colour is needed to read it."""
    base = _chart([(day, value)])
    style = {"text": label, "fontSize": 13, "fontWeight": "bold", "align": "center", "dy": -15 if is_above else 19}
    # White around the letters keeps them legible where they cross a line.
    halo = base.mark_text(color="white", stroke="white", strokeWidth=5, strokeJoin="round", **style)
    point = base.mark_point(color=colour, fill=colour, size=70, opacity=1)
    return [halo, point, base.mark_text(color=colour, **style)]


def _chart(points: list[tuple[Any, ...]]) -> "alt.Chart":
    import altair as alt  # noqa: PLC0415 - heavy, only a mail needs it

    rows = [{"date": f"{day:%Y-%m-%d}", "value": value} for day, value in points]
    months = alt.Axis(title=None, format="%b %Y", tickCount=5, grid=False, labelOverlap=True, labelSeparation=12)
    amounts = alt.Axis(title=None, format=",~f", tickCount=4, domain=False, ticks=False)
    return alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("date:T", axis=months, scale=alt.Scale(padding=54)),
        y=alt.Y("value:Q", axis=amounts, scale=alt.Scale(zero=False, padding=26)),
    )
