"""A plan that a department fills in: milestones in a CSV or XLSX, as an edited registry to review.

What is wrong in such a file is said in Dutch, to whoever filled it in; what a plan changes is shown and written by
`orchestration.registry.review`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from contracts.reading import day, kept_number, lower, text
from contracts.vocabulary import LINE, Received
from ingestion.errors import UnreadableFileError
from ingestion.protocols.spreadsheet import Cell, read_table, workbook_bytes
from orchestration.registry.review import Decision
from orchestration.registry.seeds import MILESTONE_PATHS, SHAPES, Registry, RegistryError, Row

PLANNED = ("planned_by", "planned_on")
_COLUMNS = ("doel", "titel", "eenheid", "datum", "waarde", "vorm")
_FILLED = Received(columns=_COLUMNS, required=("doel", "datum", "waarde"))
_SHAPES_NL = {"rechte stukken": "milestones", "s-curve": "s_curve", "projecten": "project_steps"}
_IN_DUTCH = {path: words for words, path in _SHAPES_NL.items()}
# what has a way from a start to an end, which milestones can divide
_DIVIDED = ("linear", "cumulative_linear", "compound", *MILESTONE_PATHS)
_ENDS = ("baseline_value", "baseline_date", "target_value", "target_date")


@dataclass(frozen=True, slots=True)
class Milestone:
    """One filled row.

    Attributes:
        line: in the file or sheet.
        on: None where no date can be read.
        value: None where no number can be read.
        shape: in the file's words, in small letters; empty when it says none.
    """

    line: int
    target_id: str
    on: date | None
    value: float | None
    shape: str


def read_plan(path: Path, registry: Registry) -> Sequence[Milestone]:
    """The milestones that a department filled in; a row without a value is one it left open.

    Raises:
        RegistryError: it is no such file, or rows of it are wrong; in Dutch, with every row.
    """
    rows = [row for row in _rows(path) if row is not None]
    if not rows:
        raise RegistryError(f"{path.name}: geen enkele rij heeft een waarde; vul de kolom waarde in")
    wrong = sorted(_wrong(rows, registry))
    if wrong:
        told = "\n".join(f"  rij {line}: {why}" for line, why in wrong)
        raise RegistryError(f"{path.name}: niets gewijzigd, dit klopt nog niet\n{told}")
    left_open = {row["target_id"] for row in registry["targets"].rows if _says_nothing(row, rows)}
    return [row for row in rows if row.target_id not in left_open]


def with_plan(registry: Registry, plan: Iterable[Milestone], decision: Decision) -> Registry:
    """The registry with the paths of a plan, who planned them and when; the end of a path is the target itself."""
    rows = list(plan)
    shapes = {row.target_id: _shape(row.target_id, rows, registry) for row in rows}
    by, on = decision.by, decision.on.isoformat()
    targets = tuple(
        {**row, "trajectory": shapes[row["target_id"]], "planned_by": by, "planned_on": on}
        if row["target_id"] in shapes
        else row
        for row in registry["targets"].rows
    )
    others = [row for row in registry["target_milestones"].rows if row["target_id"] not in shapes]
    planned = [stone for row in targets if row["target_id"] in shapes for stone in _stones(row, rows)]
    return {
        **registry,
        "targets": replace(registry["targets"], rows=targets),
        "target_milestones": replace(registry["target_milestones"], rows=(*others, *planned)),
    }


def write_template(registry: Registry, targets: Sequence[Row], path: Path) -> None:
    """Writes what a department fills in, CSV or XLSX: the milestones there are, else the end of each year.

    Raises:
        RegistryError: none of the targets has a way that milestones can divide, or the ending is another.
        OSError: the file cannot be written.
    """
    rows = [row for target in targets if _no_way(target) is None for row in _open_rows(target, registry)]
    if not rows:
        raise RegistryError(f"{path.name}: none of these targets has a way from a start to an end; nothing to plan")
    if path.suffix == ".xlsx":
        path.write_bytes(workbook_bytes({"Plan": [_COLUMNS, *rows], "Uitleg": _explained()}))
    elif path.suffix == ".csv":
        lines = (";".join(map(_in_csv, row)) for row in (_COLUMNS, *rows))
        path.write_text("".join(f"{line}\r\n" for line in lines), encoding="utf-8-sig", newline="")
    else:
        raise RegistryError(f"{path.name}: a template is written as .xlsx or .csv; choose one of them")


def _says_nothing(target: Row, rows: Iterable[Milestone]) -> bool:
    """Whether a target came back as the template gave it: with its end, which the registry knows, and no more."""
    own = [row for row in rows if row.target_id == target["target_id"]]
    is_end_alone = all(str(row.on) == target["target_date"] and not row.shape for row in own)
    return is_end_alone and target["trajectory"] not in MILESTONE_PATHS


def _rows(path: Path) -> Iterator[Milestone | None]:
    try:
        table = read_table(path.read_bytes(), path.name, _FILLED)
    except OSError as broken:
        raise RegistryError(f"{path.name}: cannot be opened ({broken.strerror}); give the path of a plan") from None
    except UnreadableFileError as broken:
        raise RegistryError(f"{path.name}: {broken.dutch}") from None
    filled = table.with_columns(pl.lit(None, pl.String).alias(name) for name in _COLUMNS if name not in table.columns)
    read = filled.select(
        LINE,
        text("doel").fill_null("").alias("doel"),
        day("datum").alias("datum"),
        kept_number("waarde"),
        text("waarde").alias("written"),
        lower("vorm").fill_null("").alias("vorm"),
    )
    for line, target_id, on, value, written, shape in read.iter_rows():
        yield Milestone(line, target_id, on, value, shape) if written or not target_id else None


def _wrong(rows: Sequence[Milestone], registry: Registry) -> Iterator[tuple[int, str]]:
    targets = {row["target_id"]: row for row in registry["targets"].rows}
    former: dict[str, Milestone] = {}
    for row in sorted(rows, key=lambda row: (row.on or date.min, row.line)):
        target = targets.get(row.target_id)
        why = _no_target(row) if target is None else _wrong_row(row, target, former.get(row.target_id))
        if why:
            yield row.line, why
        elif row.value is not None:
            former[row.target_id] = row
    first: dict[str, Milestone] = {}
    for row in (row for row in rows if row.shape):
        said = first.setdefault(row.target_id, row)
        if said.shape != row.shape:
            why = f"de vorm is {row.shape!r}, maar rij {said.line} zegt {said.shape!r}"
            yield row.line, f"{why}; geef één doel één vorm"


def _no_target(row: Milestone) -> str:
    if not row.target_id:
        return "er staat geen doel; schrijf de code van het doel, zoals in het sjabloon, of maak de rij leeg"
    return f"het register kent geen doel {row.target_id!r}; neem de code over uit het sjabloon"


def _wrong_row(row: Milestone, target: Row, former: Milestone | None) -> str | None:
    return _no_way(target) or _wrong_shape(row, target) or _wrong_cells(row) or _off_the_way(row, target, former)


def _no_way(target: Row) -> str | None:
    """Why milestones cannot divide the way of a target."""
    if target["alias_of"]:
        return f"dit is een andere formulering van {target['alias_of']}; geef het plan onder dat doel"
    if target["trajectory"] not in _DIVIDED or not all(target[name] for name in _ENDS):
        return "dit doel heeft geen weg van een begin naar een einde; mijlpalen kunnen er niet bij"
    return None


def _wrong_shape(row: Milestone, target: Row) -> str | None:
    if not row.shape:
        return None
    if row.shape not in _SHAPES_NL:
        return f"de vorm {row.shape!r} is onbekend; kies uit {', '.join(_SHAPES_NL)}"
    if _SHAPES_NL[row.shape] in SHAPES and (target["series_kind"] != "event" or target["follows"]):
        return f"de vorm {row.shape} past niet bij dit doel; kies rechte stukken"
    return None


def _wrong_cells(row: Milestone) -> str | None:
    if row.on is None:
        return "de datum is niet te lezen; schrijf dag, maand en jaar, zoals 31/12/2028"
    if row.value is None:
        return "de waarde is geen getal; schrijf alleen cijfers, zoals 1250 of 12,5"
    return None


def _off_the_way(row: Milestone, target: Row, former: Milestone | None) -> str | None:
    assert row.on is not None  # noqa: S101 - a row that lacks it is told before
    assert row.value is not None  # noqa: S101 - the same
    start, end = (date.fromisoformat(target[name]) for name in ("baseline_date", "target_date"))
    if not start < row.on <= end:
        return f"{row.on:%d/%m/%Y} ligt niet na het begin ({start:%d/%m/%Y}) en tot de einddatum ({end:%d/%m/%Y})"
    if former is not None and former.on == row.on:
        return f"{row.on:%d/%m/%Y} staat ook op rij {former.line}; houd één van de twee"
    if row.on == end and row.value != float(target["target_value"]):
        return f"op de einddatum geldt het doel zelf, {_number(float(target['target_value']))}; schrijf dat"
    before = float(target["baseline_value"]) if former is None or former.value is None else former.value
    sign = 1 if target["direction"] in ("increase", "at_least") else -1
    if target["is_cumulative"] == "true" and sign * row.value < sign * before:
        back = "minder" if sign == 1 else "meer"
        return f"{_number(row.value)} is {back} dan de {_number(before)} ervoor; wat geteld is, gaat niet terug"
    return None


def _shape(target_id: str, rows: Iterable[Milestone], registry: Registry) -> str:
    """The path that the file names; else the one there is, where milestones fit it."""
    said = next((row.shape for row in rows if row.target_id == target_id and row.shape), "")
    today = next(row["trajectory"] for row in registry["targets"].rows if row["target_id"] == target_id)
    return _SHAPES_NL[said] if said else today if today in MILESTONE_PATHS else "milestones"


def _stones(target: Row, rows: Iterable[Milestone]) -> Iterator[Row]:
    values = {
        row.on.isoformat(): _plain(row.value)
        for row in rows
        if row.target_id == target["target_id"] and row.on is not None and row.value is not None
    }
    values[target["target_date"]] = target["target_value"]
    for on, value in sorted(values.items()):
        yield {
            "target_id": target["target_id"],
            "milestone_date": on,
            "milestone_value": value,
            "interpolation": "step" if target["trajectory"] == "project_steps" else "linear",
        }


def _open_rows(target: Row, registry: Registry) -> Iterator[Sequence[Cell]]:
    end = date.fromisoformat(target["target_date"])
    known = {
        date.fromisoformat(row["milestone_date"]): float(row["milestone_value"])
        for row in registry["target_milestones"].rows
        if row["target_id"] == target["target_id"]
    }
    years = range(date.fromisoformat(target["baseline_date"]).year + 1, end.year)
    days = {*known, end} if len(known) > 1 else {*known, end, *(date(year, 12, 31) for year in years)}
    for on in sorted(days):
        value = float(target["target_value"]) if on == end else known.get(on)
        shape = _IN_DUTCH.get(target["trajectory"], "")
        yield target["target_id"], target["title_nl"], target["unit"], on, value, shape


def _explained() -> list[Sequence[Cell]]:
    return [
        ("Vul in de kolom waarde in hoeveel er op die dag moet zijn. Laat leeg wat u niet weet.",),
        ("Een andere dag mag: pas de datum aan, of voeg een rij toe met dezelfde code in de kolom doel.",),
        ("Vorm: rechte stukken (gelijkmatig van mijlpaal tot mijlpaal), s-curve (traag, snel, traag)",),
        ("of projecten (alles van een project komt op één dag). Eén vorm per doel; leeg is rechte stukken.",),
    ]


def _in_csv(cell: Cell) -> str:
    if isinstance(cell, date):
        return f"{cell:%d/%m/%Y}"
    shown = _number(cell) if isinstance(cell, float) else str(cell or "")
    return f'"{shown}"' if ";" in shown or '"' in shown else shown


def _number(value: float) -> str:
    return _plain(value).replace(".", ",")


def _plain(value: float | None) -> str:
    return f"{value or 0:.10f}".rstrip("0").rstrip(".")
