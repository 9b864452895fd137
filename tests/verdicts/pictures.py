"""The two pictures of `docs/judging.md`, drawn from what the compiled method says.

`python -m tests.verdicts.pictures` draws both anew; `make calibrate` measures the figures of the second.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.verdicts.calibration import BUCKETS, FULL_SIZE, reliability
from tests.verdicts.method import compiled, judged, series, targets
from tests.verdicts.programmes import MONTH_ENDS, MONTHS

DOCS = Path(__file__).parents[2] / "docs"
FORECAST, CHANCES = DOCS / "judging-forecast.svg", DOCS / "judging-chances.svg"
WIDTH, HEIGHT, MARGIN = 640, 300, 48
TARGET = 672.0
# eight a month asked; somewhat less was done, and in the third year a third more
DONE = [(6, 9, 7, 8)[month % 4] - (month % 3 == 0) for month in range(24)] + [
    (9, 8, 10)[month % 3] for month in range(12)
]
Point = tuple[float, float]


def draw_forecast(code: Mapping[str, str]) -> str:
    """A count of three years, its path, and where it ends: an interval that widens where the pace turned."""
    cumulated = [float(sum(DONE[: month + 1])) for month in range(len(DONE))]
    told = judged(code, targets({"target_id": "t"}), series("t", list(zip(MONTH_ENDS, cumulated, strict=False))))
    by_month = {(row["ref_date"].year - 2024) * 12 + row["ref_date"].month: row for row in told.to_dicts()}
    shapes = [
        _line([(0, 0), (MONTHS, TARGET)], "#888", "6 4"),
        _line([(0, 0), *((month + 1, value) for month, value in enumerate(cumulated))], "#1b4f8a"),
    ]
    for month, colour in ((24, "#c9a227"), (36, "#1b4f8a")):
        shapes += _fan(month, by_month[month], colour)
    words = (
        _text(MONTHS * 0.45, TARGET * 0.62, "what the path asks"),
        _text(
            1, TARGET * 1.27, "where it ends, as foreseen after two even years (yellow) and after a faster third (blue)"
        ),
    )
    return _svg([*shapes, *words], "months since the start", [(0, "0"), (24, "24"), (36, "36"), (60, "60"), (84, "84")])


def _fan(month: int, row: Mapping[str, object], colour: str) -> list[str]:
    """From the count of a month to its forecast, with the interval at the deadline."""
    low, high, value = (float(str(row[name])) for name in ("forecast_low", "forecast_high", "value"))
    middle = float(str(row["forecast_value"]))
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(_at, ((month, value), (MONTHS, high), (MONTHS, low))))
    return [
        f'<polygon points="{corners}" fill="{colour}" fill-opacity="0.18"/>',
        _line([(month, value), (MONTHS, middle)], colour, "2 3"),
    ]


def draw_chances(came: Sequence[tuple[float, int]]) -> str:
    """Of the forecasts that said a chance: how many came true, beside what was said."""
    shapes = [_line([(0, 0), (MONTHS, TARGET)], "#888", "6 4")]
    for (share, _), low, high in zip(came, BUCKETS, BUCKETS[1:], strict=False):
        left, right = low * MONTHS, min(high, 1) * MONTHS
        (x, y), (end, base) = _at((left, share * TARGET)), _at((right, 0))
        shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{end - x - 1:.1f}" height="{base - y:.1f}" fill="#8aa9cc"/>'
        )
        shapes.append(_text(left + 0.4, share * TARGET + 12, f"{100 * share:.0f} %"))
    words = _text(
        2,
        TARGET * 1.27,
        "of the forecasts that said this chance, so many came true; on the dashed line it would be all right",
    )
    ticks = [(share * MONTHS, f"{100 * share:.0f} %") for share in (0, 0.15, 0.35, 0.5, 0.65, 0.85, 1)]
    return _svg([*shapes, words], "chance that was said", ticks)


def _at(point: Point) -> Point:
    month, value = point
    return (
        MARGIN + month / MONTHS * (WIDTH - 2 * MARGIN),
        HEIGHT - MARGIN - value / TARGET * (HEIGHT - 2 * MARGIN) * 0.9,
    )


def _line(points: Sequence[Point], colour: str, dashes: str = "none") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(_at, points))
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'


def _text(month: float, value: float, words: str) -> str:
    x, y = _at((month, value))
    return f'<text x="{x:.1f}" y="{y - 6:.1f}" font-size="12" fill="#333">{words}</text>'


def _svg(shapes: Sequence[str], axis: str, ticks: Sequence[tuple[float, str]]) -> str:
    (left, base), (right, _) = _at((0, 0)), _at((MONTHS, 0))
    marks = [
        f'<text x="{_at((x, 0))[0]:.1f}" y="{base + 16:.1f}" font-size="11" text-anchor="middle">{name}</text>'
        for x, name in ticks
    ]
    frame = f'<line x1="{left}" y1="{base}" x2="{right}" y2="{base}" stroke="#333"/>'
    title = f'<text x="{(left + right) / 2}" y="{base + 34:.1f}" font-size="12" text-anchor="middle">{axis}</text>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    return "\n".join((head, ground, *shapes, frame, *marks, title, "</svg>", ""))


def main() -> None:
    """Draws both pictures."""
    with tempfile.TemporaryDirectory() as folder:
        code = compiled(Path(folder))
        FORECAST.write_text(draw_forecast(code), encoding="utf-8")
        CHANCES.write_text(draw_chances(reliability(code, FULL_SIZE // 10)), encoding="utf-8")


if __name__ == "__main__":
    main()
