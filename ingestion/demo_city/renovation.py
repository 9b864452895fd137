"""The weekly log of made-up renovation coaches: dossiers as they stood at the end of each week."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from ingestion.demo_city.areas import SECTORS
from ingestion.demo_city.clock import dice
from ingestion.demo_city.files import Cell, Drop, semicolon_lines, workbook

_SOURCE = "renovation_coach"
_HEADER = (
    "dossier",
    "team",
    "adres",
    "sector",
    "woningtype",
    "intake_op",
    "fase",
    "fase_op",
    "huisbezoek_op",
    "plan_op",
    "naam",
    "telefoon",
)
_TYPES = ("rijwoning", "rijwoning", "halfopen", "open", "appartement")
_FIRST_NAMES = ("Testje", "Renée", "Probeersel", "Zoë", "Fictief")
_LAST_NAMES = ("Voorbeeld", "Proefmans", "Demoné", "Van Testen")
_STREETS = ("Voorbeeldlaan", "Proefstraat", "Testdreef", "Demoplein", "Modelweg")
_FIRST_WEEK, _LAST_WEEK = 39, 46
# share of the visited dwellings that get a plan, by year of intake
_PLAN_SHARE = {2026: 0.22}
_USUAL_PLAN_SHARE = 0.71
_INTAKES = {2021: 320, 2022: 320, 2023: 320, 2024: 330, 2025: 330, 2026: 1_010}
_LAST_INTAKE = date(2026, 11, 14)


@dataclass(frozen=True, slots=True)
class _Dossier:
    """One guided dwelling: what happened on which day, oldest first."""

    dossier_id: str
    team: str
    address: str
    sector: str
    dwelling_type: str
    name: str
    phone: str
    events: tuple[tuple[str, date], ...]

    def day_of(self, phase: str, until: date) -> date | None:
        """When a phase began, as known on a day."""
        return next((day for named, day in self.events if named == phase and day <= until), None)

    def state(self, until: date) -> list[Cell]:
        """The row of a log that ends on that day."""
        phase, phase_day = [event for event in self.events if event[1] <= until][-1]
        return [
            *(self.dossier_id, self.team, self.address, self.sector, self.dwelling_type),
            *(self.events[0][1], phase, phase_day),
            *(self.day_of("advies", until), self.day_of("studie", until)),
            *(self.name, self.phone),
        ]

    def changed(self, first: date, last: date) -> bool:
        """Whether something happened from the first to the last day."""
        return any(first <= day <= last for _, day in self.events)


def renovation_drops() -> list[Drop]:
    """One file a week from week 39 (which brings the history) to week 46, and one week corrected late."""
    dossiers = _dossiers()
    weekly = [_week_file(week, dossiers) for week in range(_FIRST_WEEK, _LAST_WEEK + 1)]
    return [*weekly, _correction(dossiers)]


def _dossiers() -> list[_Dossier]:
    chance = dice("renovation coach")
    return [
        _dossier(year, number, _intake_day(year, chance), chance)
        for year, count in _INTAKES.items()
        for number in range(1, count + 1)
    ]


def _intake_day(year: int, chance: Random) -> date:
    first, last = date(year, 1, 4), min(date(year, 12, 20), _LAST_INTAKE)
    return first + timedelta(days=chance.randrange((last - first).days + 1))


def _dossier(year: int, number: int, intake: date, chance: Random) -> _Dossier:
    return _Dossier(
        dossier_id=f"SYN-{year}-{number:04d}",
        team=chance.choice(("kortrijk", "kortrijk", "kortrijk", "leiedal")),
        address=f"{chance.choice(_STREETS)} {number}, 8500 Kortrijk",
        sector=chance.choice(SECTORS),
        dwelling_type=chance.choice(_TYPES),
        name=f"{chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}",
        phone=f"0499 00 {number // 100 % 100:02d} {number % 100:02d}",
        events=tuple(_events(year, intake, chance)),
    )


def _events(year: int, intake: date, chance: Random) -> list[tuple[str, date]]:
    events = [("aanmelding", intake)]
    visit = intake + timedelta(days=chance.randrange(5, 22))
    if chance.random() > 0.96:
        return [*events, ("stopgezet", visit)]
    events.append(("advies", visit))
    if chance.random() > _PLAN_SHARE.get(year, _USUAL_PLAN_SHARE):
        return events
    day = visit
    for phase, shortest in (("studie", 20), ("aankoop", 15), ("uitvoering", 20), ("afgerond", 30)):
        day += timedelta(days=chance.randrange(shortest, shortest * 2))
        events.append((phase, day))
    return events


def _week_end(week: int) -> date:
    return date.fromisocalendar(2026, week, 7)


def _rows(week: int, dossiers: Iterable[_Dossier]) -> list[list[Cell]]:
    last = _week_end(week)
    first = date(2021, 1, 1) if week == _FIRST_WEEK else last - timedelta(days=6)
    return [dossier.state(last) for dossier in dossiers if dossier.changed(first, last)]


def _week_file(week: int, dossiers: Sequence[_Dossier]) -> Drop:
    rows = _rows(week, dossiers)
    if week == _FIRST_WEEK:
        rows += _mess(rows)
    write, ending = _WRITERS.get(week, (_utf8, "csv"))
    delivered = datetime.combine(_week_end(week) + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=7)
    return Drop(_SOURCE, f"renovatie_2026-W{week}_kortrijk.{ending}", write([list(_HEADER), *rows]), delivered)


def _mess(rows: Sequence[list[Cell]]) -> list[list[Cell]]:
    """Rows no coach could mean, on dossiers of their own; and some lines pasted twice."""
    unknown = [_changed(row, dossier=f"SYN-BAD-{at}", fase="wachtlijst") for at, row in enumerate(rows[100:900:100])]
    early = [_changed(row, dossier=f"SYN-BAD-1{at}", plan_op=date(2020, 1, 1)) for at, row in enumerate(rows[5:600:85])]
    nobody = [_changed(row, dossier=f"SYN-BAD-2{at}", intake_op=None) for at, row in enumerate(rows[9:400:80])]
    return [*unknown, *early, *nobody, *(list(row) for row in rows[50:650:100])]


def _changed(row: Sequence[Cell], **cells: Cell) -> list[Cell]:
    return [cells.get(name, cell) for name, cell in zip(_HEADER, row, strict=True)]


def _correction(dossiers: Sequence[_Dossier]) -> Drop:
    """Week 43 once more, as a workbook: some dwellings turn out to be of another type."""
    rows = [
        _changed(row, woningtype="halfopen") if place % 4 == 0 else row for place, row in enumerate(_rows(43, dossiers))
    ]
    content = workbook("Dossiers", [list(_HEADER), *rows])
    supplied_at = datetime(2026, 11, 20, 15, tzinfo=UTC)
    return Drop(_SOURCE, "renovatie_2026-W43_kortrijk.xlsx", content, supplied_at)


def _as_text(rows: Iterable[Sequence[Cell]], date_format: str) -> str:
    return semicolon_lines([[_written(cell, date_format) for cell in row] for row in rows])


def _written(cell: Cell, date_format: str) -> str:
    if cell is None:
        return ""
    return cell.strftime(date_format) if isinstance(cell, date) else str(cell)


def _utf8(rows: Iterable[Sequence[Cell]]) -> bytes:
    return b"\xef\xbb\xbf" + _as_text(rows, "%Y-%m-%d").encode()


def _cp1252(rows: Iterable[Sequence[Cell]]) -> bytes:
    return _as_text(rows, "%d/%m/%Y").encode("cp1252")


def _xlsx(rows: Iterable[Sequence[Cell]]) -> bytes:
    return workbook("Dossiers", rows)


_WRITERS: dict[int, tuple[Callable[[Iterable[Sequence[Cell]]], bytes], str]] = {
    42: (_cp1252, "csv"),
    44: (_xlsx, "xlsx"),
}
