"""The weekly logs of made-up renovation coaches: dossiers and measures as they stood at the end of each week.

One team writes two CSV files a week, the other a workbook with two sheets, and once everything it follows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from ingestion.demo_city.areas import SECTORS
from ingestion.demo_city.clock import dice
from ingestion.demo_city.files import Cell, Drop, semicolon_lines, workbook
from ingestion.protocols.spreadsheet import workbook_bytes

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
    "kanaal",
    "rol",
    "inkomenscategorie",
    "kwetsbaar",
    "epc_voor",
    "epc_label_voor",
    "epc_na",
    "epc_label_na",
    "epc_op",
    "naam",
    "telefoon",
)
_MEASURE_HEADER = (
    "dossier",
    "team",
    "regelnr",
    "maatregel",
    "status",
    "status_op",
    "kost_eur",
    "uitgevoerd_op",
    "fossielvrij",
    "project",
    "project_naam",
    "project_straat",
    "project_inschrijvingen",
    "project_wooneenheden",
    "project_type",
    "project_opgeleverd_op",
    "project_bewijs",
)
_CHANNELS = ("website", "balie", "doorverwijzing", "buurtactie")
_INCOMES = ("laagste", "middelste", "middelste", "hoogste", "onbekend")
_MEASURES = ("dak", "buitenmuur", "ramen_deuren", "vloer", "ventilatie", "warmtepomp", "pv")
# what a measure is once its dossier reached a phase
_STATUS_AT = {"studie": "geadviseerd", "aankoop": "besteld", "afgerond": "uitgevoerd"}
_LABELS = ((0, "A+"), (100, "A"), (200, "B"), (300, "C"), (400, "D"), (500, "E"))
_PROJECTS_A_YEAR = 6
_TYPES = ("rijwoning", "rijwoning", "halfopen", "open", "appartement")
_FIRST_NAMES = ("Testje", "Renée", "Probeersel", "Zoë", "Fictief")
_LAST_NAMES = ("Voorbeeld", "Proefmans", "Demoné", "Van Testen")
_STREETS = ("Voorbeeldlaan", "Proefstraat", "Testdreef", "Demoplein", "Modelweg")
_FIRST_WEEK, _LAST_WEEK = 39, 46
_CLOCK_YEAR = 2026
# share of the visited dwellings that get a plan, by year of intake
_PLAN_SHARE = {2026: 0.22}
_USUAL_PLAN_SHARE = 0.71
_INTAKES = {2021: 320, 2022: 320, 2023: 320, 2024: 330, 2025: 330, 2026: 1_010}
_LAST_INTAKE = date(2026, 11, 14)


@dataclass(frozen=True, slots=True)
class _Measure:
    """One measure of a dossier; its status follows the phases of the dossier.

    Attributes:
        project: year and number of its collective project, where it is part of one.
    """

    line_no: int
    name: str
    cost_eur: int
    project: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Home:
    """What a coach notes of a home and who lives there."""

    channel: str
    income: str
    is_vulnerable: bool
    epc_before: int
    epc_after: int


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
    home: _Home
    measures: tuple[_Measure, ...]

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
            *(self.home.channel, "eigenaar-bewoner", self.home.income, "ja" if self.home.is_vulnerable else "nee"),
            *self._scores(until),
            *(self.name, self.phone),
        ]

    def _scores(self, until: date) -> list[Cell]:
        """Score and label before, once a coach has been there, and after the works."""
        before: list[Cell] = [None, None]
        after: list[Cell] = [None, None, None]
        if self.day_of("advies", until):
            before = [self.home.epc_before, _label(self.home.epc_before)]
        if done := self.day_of("afgerond", until):
            after = [self.home.epc_after, _label(self.home.epc_after), done]
        return [*before, *after]

    def measure_states(self, until: date) -> list[list[Cell]]:
        """The rows of its measures in a log that ends on that day."""
        known = [(_STATUS_AT[phase], day) for phase, day in self.events if phase in _STATUS_AT and day <= until]
        if not known:
            return []
        status, day = known[-1]
        return [self._measure_row(measure, status, day) for measure in self.measures]

    def _measure_row(self, measure: _Measure, status: str, day: date) -> list[Cell]:
        return [
            *(self.dossier_id, self.team, measure.line_no, measure.name, status, day, measure.cost_eur),
            *(day if status == "uitgevoerd" else None, "ja" if measure.name == "warmtepomp" else "nee"),
            *_project_cells(measure.project),
        ]

    def changed(self, first: date, last: date) -> bool:
        """Whether something happened from the first to the last day."""
        return any(first <= day <= last for _, day in self.events)


def _label(score: int) -> str:
    return next((label for most, label in _LABELS if score <= most), "F")


def _project_cells(project: tuple[int, int] | None) -> list[Cell]:
    if project is None:
        return [None] * 8
    year, number = project
    homes = 11 + 2 * number
    done = date(year + 1, 12, 15) if year < _CLOCK_YEAR - 1 else None
    return [
        *(f"SYN-BUREN-{year}-{number}", f"Demoproject {year}/{number} (synthetisch)"),
        *(_STREETS[number % len(_STREETS)], homes, homes, "fossielvrij" if number % 4 == 0 else "energiebesparend"),
        *(done, f"https://demo.example/bewijs/{year}-{number}.pdf" if done else None),
    ]


def renovation_drops() -> list[Drop]:
    """The files of two teams from week 39 (which brings the history) to week 46, and one week corrected late."""
    dossiers = _dossiers()
    kortrijk, leiedal = ([one for one in dossiers if one.team == team] for team in ("kortrijk", "leiedal"))
    weeks = range(_FIRST_WEEK, _LAST_WEEK + 1)
    return [
        *(_week_file(week, kortrijk) for week in weeks),
        *(_measure_file(week, kortrijk) for week in weeks),
        *(_week_book(week, leiedal) for week in weeks),
        _correction(kortrijk),
    ]


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
        home=_home(year, number),
        measures=tuple(_measures(year, number)),
    )


def _home(year: int, number: int) -> _Home:
    chance = dice(f"renovation home {year} {number}")
    before = chance.randrange(210, 640)
    return _Home(
        channel=chance.choice(_CHANNELS),
        income=chance.choice(_INCOMES),
        is_vulnerable=chance.random() < 0.2,
        epc_before=before,
        epc_after=max(40, before - chance.randrange(90, 330)),
    )


def _measures(year: int, number: int) -> Iterator[_Measure]:
    """One to three measures; a third of the dossiers are part of a collective project of their year."""
    chance = dice(f"renovation measures {year} {number}")
    project = (year, 1 + number % _PROJECTS_A_YEAR) if number % 3 == 0 else None
    names = chance.sample(_MEASURES, chance.randrange(1, 4))
    for line_no, name in enumerate(names, 1):
        yield _Measure(line_no, name, chance.randrange(1_500, 24_000), project)


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


def _delivered(week: int) -> datetime:
    return datetime.combine(_week_end(week) + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=7)


def _of_week(week: int, dossiers: Iterable[_Dossier]) -> list[_Dossier]:
    last = _week_end(week)
    first = date(2021, 1, 1) if week == _FIRST_WEEK else last - timedelta(days=6)
    return [dossier for dossier in dossiers if dossier.changed(first, last)]


def _rows(week: int, dossiers: Iterable[_Dossier]) -> list[list[Cell]]:
    return [dossier.state(_week_end(week)) for dossier in _of_week(week, dossiers)]


def _measure_rows(week: int, dossiers: Iterable[_Dossier]) -> list[list[Cell]]:
    return [row for dossier in _of_week(week, dossiers) for row in dossier.measure_states(_week_end(week))]


def _week_file(week: int, dossiers: Sequence[_Dossier]) -> Drop:
    rows = _rows(week, dossiers)
    if week == _FIRST_WEEK:
        rows += _mess(rows)
    write, ending = _WRITERS.get(week, (_utf8, "csv"))
    return Drop(_SOURCE, f"renovatie_2026-W{week}_kortrijk.{ending}", write([list(_HEADER), *rows]), _delivered(week))


def _measure_file(week: int, dossiers: Sequence[_Dossier]) -> Drop:
    rows = _measure_rows(week, dossiers)
    if week == _FIRST_WEEK:
        rows += _measure_mess(rows)
    name = f"renovatie_2026-W{week}_kortrijk_maatregelen.csv"
    return Drop(_SOURCE, name, _utf8([list(_MEASURE_HEADER), *rows]), _delivered(week))


def _measure_mess(rows: Sequence[list[Cell]]) -> list[list[Cell]]:
    """Measures no coach could mean: done on no day, and of a kind that is none."""
    undone, unknown = list(rows[10]), list(rows[20])
    undone[2], undone[4], undone[7] = 90, "uitgevoerd", None
    unknown[2], unknown[3] = 91, "zwembad"
    return [undone, unknown]


def _week_book(week: int, dossiers: Sequence[_Dossier]) -> Drop:
    """Both tables in one workbook; the last one holds everything but the first dossier, which was withdrawn."""
    told, words = (dossiers[1:], "_volledig") if week == _LAST_WEEK else (_of_week(week, dossiers), "")
    last = _week_end(week)
    rows = [one.state(last) for one in told if one.events[0][1] <= last]
    measures = [row for one in told for row in one.measure_states(last)]
    # a title above the header and a row of totals below, as people keep their sheets
    sheets: dict[str, list[list[Cell]]] = {
        "Dossiers": [["Logboek (synthetisch)"], list(_HEADER), *rows, ["Totaal", len(rows)]],
        "Maatregelen": [list(_MEASURE_HEADER), *measures],
    }
    name = f"renovatie_2026-W{week}_leiedal{words}.xlsx"
    return Drop(_SOURCE, name, workbook_bytes(sheets), _delivered(week) + timedelta(hours=1))


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
