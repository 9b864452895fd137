"""What people and their spreadsheets put into files, dropped and landed: what was read wrongly before, by case."""

import io
import os
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from openpyxl import Workbook

from orchestration.giving_back.lines import check
from orchestration.loop.dropped import READY, shown_name
from orchestration.loop.landed import Landed, Outcome
from orchestration.loop.landing import land
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW
from tests.orchestration.test_landing import INDICATORS, drop, land_source
from warehouse.lake import Lake

_COACH = "dossier;team;adres;woningtype;intake_op;fase;fase_op;plan_op\n"
_COACH_WEEK = "renovatie_2026-W47_leiedal.csv"
_BUILDINGS = (
    "gebouw;naam;ean;drager;geldig_van;geldig_tot;oppervlakte_m2;gebruik;afdeling;gebouwregister;is_woning;gebied\n"
)


def _land(settings: Settings, source: str, name: str, content: str | bytes) -> Landed:
    drop(settings, source, name, content)
    (landed,) = land_source(settings, source)
    return landed


def _refused(settings: Settings, landed: Landed, table: str) -> dict[int, list[str]]:
    """By line, what its supplier is told."""
    assert landed.manifest is not None, landed.message
    rows = Lake(settings.layout.lake).read(landed.manifest, table, "quarantine")
    return {line: sorted(reasons) for line, reasons in rows.select("line", "reasons_nl").iter_rows()}


def _accepted(settings: Settings, landed: Landed, table: str) -> pl.DataFrame:
    assert landed.manifest is not None
    return Lake(settings.layout.lake).read(landed.manifest, table, "accepted")


_A_DATE = "hier hoort een datum. Schrijf jaar-maand-dag, bijvoorbeeld 2026-11-23."


def test_dates_of_two_digit_years_refuse_the_row_of_a_coach_and_the_others_land(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    content = (
        _COACH
        + "D-101;leiedal;Dorp 1 8500 Kortrijk;rijwoning;2/11/26;advies;16/11/26;18/11/26\n"
        + "D-102;leiedal;Dorp 2 8500 Kortrijk;rijwoning;2026-09-03;advies;-26-11-16;\n"
        + "D-103;leiedal;Dorp 3 8500 Kortrijk;open;2026-09-03;advies;2026-11-17;2026-10-01\n"
    )
    landed = _land(settings, "renovation_coach", _COACH_WEEK, content)
    assert _refused(settings, landed, "dossiers") == {
        2: [f"{column}: {_A_DATE}" for column in ("fase_op", "intake_op", "plan_op")],
        3: [f"fase_op: {_A_DATE}"],
    }
    assert _accepted(settings, landed, "dossiers")["line"].to_list() == [4]


def test_dates_of_two_digit_years_refuse_the_row_of_a_building(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    content = (
        _BUILDINGS
        + "zwembad;Zwembad;541448800000000004;elektriciteit;01/01/19;31/12/25;1200;zwembad;;;nee;\n"
        + "school;School;541448800000000011;elektriciteit;2019-01-01;;900;onderwijs;;;nee;\n"
    )
    landed = _land(settings, "buildings", "gebouwen.csv", content)
    assert _refused(settings, landed, "connections") == {
        2: [f"geldig_tot: {_A_DATE}", f"geldig_van: {_A_DATE}"],
    }
    assert _accepted(settings, landed, "connections")["site_id"].to_list() == ["school"]


@pytest.mark.parametrize("written", ["31/12/25", "-25-12-31", "0025-12-31", "1899-12-31", "2101-12-31", "+2025-12-31"])
def test_dates_outside_1900_to_2100_refuse_the_row_of_an_indicator(
    empty_profile: Callable[..., Settings], written: str
) -> None:
    settings = empty_profile()
    content = (
        INDICATORS
        + f"trees_extra;34022;{written};120;trees (additional);groen;2026-02-15;\n"
        + "trees_extra;34022;2024-12-31;100;trees (additional);groen;2025-02-15;\n"
    )
    landed = _land(settings, "indicators", "cijfers.csv", content)
    assert _refused(settings, landed, "observations") == {2: [f"ref_date: {_A_DATE}"]}
    assert _accepted(settings, landed, "observations")["value"].to_list() == [100]


def test_an_embargo_with_a_two_digit_year_is_not_an_embargo_that_ended(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    content = (
        "kpi_id;area;ref_date;value;unit;embargo_until\n"
        "trees_extra;34022;2025-12-31;120;trees (additional);15/12/26 10:00\n"
    )
    landed = _land(settings, "indicators", "cijfers.csv", content)
    assert list(_refused(settings, landed, "observations")) == [2]


def _workbook(sheet: str, rows: Sequence[Sequence[object]]) -> bytes:
    """A workbook; a text that begins with # is an error cell, one with = a formula that nobody calculated."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append([*row])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


_LOG = ["dossier", "team", "adres", "intake_op", "fase", "fase_op", "sector", "huisbezoek_op", "epc_na"]
_LOG_ROWS = [
    [f"D-{number}", "leiedal", f"Dorp {number} 8500 Kortrijk", "2026-11-02", "advies", "2026-11-16", *[cell] * 3]
    for number, cell in enumerate(("", "#N/A", "#REF!", "#VERW!", "=A2*2", "n/a", "-", "NULL", "nan"))
]


def test_error_cells_and_uncalculated_formulas_refuse_the_row_in_a_workbook_as_in_csv(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    text = "\n".join(";".join(row) for row in [_LOG, *_LOG_ROWS]) + "\n"
    as_text = _land(settings, "renovation_coach", "renovatie_2026-W47_leiedal.csv", text)
    book = _workbook("dossiers", [_LOG, *_LOG_ROWS])
    as_book = _land(settings, "renovation_coach", "renovatie_2026-W48_leiedal.xlsx", book)
    refused = _refused(settings, as_book, "dossiers")
    assert refused == _refused(settings, as_text, "dossiers")
    assert list(refused) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert refused[4] == [
        f"{column}: in deze cel staat de fout #REF!. Verbeter de formule, of vul de waarde zelf in."
        for column in ("epc_na", "huisbezoek_op", "sector")
    ]
    assert refused[6][0].startswith("epc_na: in deze cel staat een formule zonder uitkomst.")


def test_error_cells_in_the_day_of_sale_do_not_keep_a_building(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    header = ["gebouw", "naam", "ean", "drager", "geldig_van", "geldig_tot", "oppervlakte_m2", "gebruik", "is_woning"]
    rest = ["", "", "2019-01-01"]
    rows: list[list[object]] = [
        ["oud", "Oud", *rest, "=VLOOKUP(A2,x,2)", 900, "sport", "nee"],
        ["oud2", "Oud2", *rest, "#REF!", 900, "sport", "nee"],
        ["nieuw", "Nieuw", *rest, None, 900, "sport", "nee"],
    ]
    landed = _land(settings, "buildings", "gebouwen.xlsx", _workbook("Blad1", [header, *rows]))
    assert list(_refused(settings, landed, "connections")) == [2, 3]
    assert _accepted(settings, landed, "connections")["site_id"].to_list() == ["nieuw"]


def test_a_formula_whose_outcome_is_an_empty_text_is_an_empty_cell(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    header = ["kpi_id", "area", "ref_date", "value", "unit", "source"]
    row = ["trees_extra", "34022", "2025-12-31", 120, "trees (additional)", '=IF(1,"",2)']
    book = _with_outcomes(_workbook("Blad1", [header, row]), b"<v></v>", b' t="str"')
    landed = _land(settings, "indicators", "cijfers.xlsx", book)
    assert _refused(settings, landed, "observations") == {}
    assert _accepted(settings, landed, "observations")["source_name"].to_list() == [None]


def _with_outcomes(book: bytes, outcome: bytes, kind: bytes) -> bytes:
    """The workbook as Excel saves it: with an outcome beside each formula."""
    saved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as given, zipfile.ZipFile(saved, "w") as kept:
        for name in given.namelist():
            part = given.read(name).replace(b'"F2"><f>', b'"F2"' + kind + b"><f>")
            kept.writestr(name, part.replace(b"<v />", outcome).replace(b"<v></v>", outcome))
    return saved.getvalue()


def test_e_notation_in_the_key_of_dossiers_is_refused_and_melts_none_into_one(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    rows = "".join(
        f"2,02611E+11;leiedal;Kerkstraat {number} 8500 Kortrijk;rijwoning;2026-11-01;advies;2026-11-1{number};\n"
        for number in (1, 2, 3)
    )
    landed = _land(settings, "renovation_coach", _COACH_WEEK, _COACH + rows)
    refused = _refused(settings, landed, "dossiers")
    assert list(refused) == [2, 3, 4]
    assert all("afgerond (E+)" in reason for (reason,) in refused.values())


def test_e_notation_in_the_key_of_an_export_of_questions_is_refused(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    rows = "".join(f"2,02611E+11;2026-11-0{day}T09:00:00Z;2026-11-0{day}T10:00:00Z;open;;W1;x\n" for day in (1, 2, 3))
    header = "service_request_id;requested_datetime;updated_datetime;status;closed_date;service_code;description\n"
    landed = _land(settings, "tickets_1777", "export.csv", header + rows)
    assert list(_refused(settings, landed, "requests")) == [2, 3, 4]


def test_a_decimal_point_before_three_digits_beside_commas_is_refused_in_floor_areas(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    rows = "a;A;;;;;1.234;sport;;;nee;\nb;B;;;;;987,5;sport;;;nee;\n"
    landed = _land(settings, "buildings", "gebouwen.csv", _BUILDINGS + rows)
    assert list(_refused(settings, landed, "connections")) == [2]
    assert _accepted(settings, landed, "connections")["floor_area_m2"].to_list() == [987.5]


_EXPORT = (
    "Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Meter;Metertype;Register;Volume;Eenheid;"
    "Validatiestatus;Omschrijving\n"
)
_HALL = "541448800000000004"


def _meter_day(day: int, volume: str, *, status: str = "Uitgelezen", meter: str = "1SAG0") -> str:
    return (
        f'{day:02}-10-2026;00:00:00;{day + 1:02}-10-2026;00:00:00;="{_HALL}";{meter};Digitale meter;Afname;{volume};'
        f"kWh;{status};\n"
    )


@pytest.fixture
def with_a_hall(empty_profile: Callable[..., Settings]) -> Settings:
    """A profile whose register names one access point."""
    settings = empty_profile()
    row = f"stadhuis;Stadhuis;{_HALL};elektriciteit;;;100;administratie;;;nee;\n"
    assert _land(settings, "buildings", "gebouwen.csv", _BUILDINGS + row).outcome is Outcome.LANDED
    return settings


def test_a_decimal_point_before_three_digits_beside_commas_is_refused_in_volumes(with_a_hall: Settings) -> None:
    content = _EXPORT + _meter_day(1, "1.234") + _meter_day(2, "987,5")
    landed = _land(with_a_hall, "energy_meters", "export.csv", content)
    assert list(_refused(with_a_hall, landed, "readings")) == [2]
    assert _accepted(with_a_hall, landed, "readings")["value"].to_list() == [987.5]


def test_a_count_with_a_thousands_point_is_not_read_as_one(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    header = (
        "dossier;team;regelnr;maatregel;status;status_op;project;project_naam;project_type;project_inschrijvingen;"
        "project_wooneenheden\n"
    )
    row = "D-1;leiedal;1;dak;besteld;2026-11-16;BUREN-1;Buren;energiebesparend;{};4.0\n"
    content = header + row.format("2.000") + row.replace("D-1", "D-2").format("2")
    landed = _land(settings, "renovation_coach", "renovatie_2026-W47_leiedal_maatregelen.csv", content)
    refused = _refused(settings, landed, "measures")
    assert [reasons[0].partition(":")[0] for reasons in refused.values()] == ["project_inschrijvingen"]
    assert _accepted(settings, landed, "measures")["project_dwelling_units"].to_list() == [4]


def test_future_versions_of_an_indicator_are_refused_and_the_correction_counts(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    row = "trees_extra;34022;2025-12-31;{};trees (additional);g;{};\n"
    landed = _land(settings, "indicators", "a.csv", INDICATORS + row.format(100, "2062-02-15"))
    assert _refused(settings, landed, "observations") == {
        2: ["published_at: ligt na de dag van levering, 2026-11-23. Kijk de datum na."]
    }
    landed = _land(settings, "indicators", "b.csv", INDICATORS + row.format(200, "2026-11-20"))
    assert _accepted(settings, landed, "observations")["value"].to_list() == [200]


def test_a_file_of_a_week_that_has_yet_to_come_is_refused(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    row = "D-1;leiedal;Dorp 1 8500 Kortrijk;open;2026-09-03;advies;2026-11-17;2026-10-01\n"
    landed = _land(settings, "renovation_coach", "renovatie_2062-W47_leiedal.csv", _COACH + row)
    assert landed.outcome is Outcome.REFUSED
    assert "week that has yet to come" in landed.message


def test_same_bytes_as_another_week_or_team_are_another_delivery(empty_profile: Callable[..., Settings]) -> None:
    settings = empty_profile()
    full = _COACH + "D-1;leiedal;Dorp 1 8500 Kortrijk;open;2026-09-03;advies;2026-10-12;2026-10-01\n"
    for week in ("W45", "W46", "W47"):
        drop(settings, "renovation_coach", f"renovatie_2026-{week}_leiedal_volledig.csv", full)
    for team in ("kortrijk", "energiehuis"):
        drop(settings, "renovation_coach", f"renovatie_2026-W46_{team}.csv", _COACH)
    drop(settings, "renovation_coach", "zomaar_een_naam.csv", _COACH)
    outcomes = {landed.origin: landed.outcome for landed in land_source(settings, "renovation_coach")}
    assert outcomes.pop("zomaar_een_naam.csv") is Outcome.REFUSED
    assert set(outcomes.values()) == {Outcome.LANDED}
    assert len(Lake(settings.layout.lake).live("renovation_coach")) == 5
    drop(settings, "renovation_coach", "renovatie_2026-W46_leiedal_volledig (1).csv", full)
    again, _ = land_source(settings, "renovation_coach")
    assert again.outcome is Outcome.KNOWN


def test_two_values_for_one_key_in_one_file_refuse_both_and_name_their_lines(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    row = "trees_extra;34022;{};{};trees (additional);groen;2026-11-05;\n"
    content = INDICATORS + row.format("2025-12-31", 100) + row.format("2024-12-31", 90) + row.format("2025-12-31", 200)
    landed = _land(settings, "indicators", "cijfers.csv", content)
    both = "kpi_id: de regels 2 en 4 spreken elkaar tegen; geen ervan telt. Houd de juiste over."
    assert _refused(settings, landed, "observations") == {2: [both], 4: [both]}
    assert _accepted(settings, landed, "observations")["value"].to_list() == [90]


def test_of_two_readings_of_equal_quality_in_one_file_not_the_higher_counts_but_neither(with_a_hall: Settings) -> None:
    better = _meter_day(2, "5,000", status="Geschat") + _meter_day(2, "4,000", status="Gevalideerd")
    content = _EXPORT + _meter_day(1, "10,000") + _meter_day(1, "99,000") + better
    landed = _land(with_a_hall, "energy_meters", "export.csv", content)
    assert list(_refused(with_a_hall, landed, "readings")) == [2, 3]
    assert _accepted(with_a_hall, landed, "readings")["value"].to_list() == [4]


def test_unread_kinds_are_told_once_in_dutch_and_links_are_not_followed(
    empty_profile: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = empty_profile()
    folder = settings.layout.drop("indicators")
    folder.mkdir(parents=True, exist_ok=True)
    (tmp_path / "elders.csv").write_text(INDICATORS + "x;34022;2025-12-31;1;y;z;2026-01-01;\n")
    for name in ("oud.xls", "cijfers.ods", "macro.xlsm", "~$cijfers.xlsx"):
        drop(settings, "indicators", name, b"x")
    (folder / "map").mkdir()
    os.mkfifo(folder / "pijp.csv")
    (folder / "dood.csv").symlink_to(folder / "bestaat_niet.csv")
    (folder / "koppeling.csv").symlink_to(tmp_path / "elders.csv")
    after = NOW + timedelta(days=400)
    told = land(settings, settings.contracts()["indicators"], after, is_asked=False)
    files = [landed for landed in told if landed.outcome is Outcome.REFUSED]
    lying = {shown_name(path): path for path in folder.iterdir() if READY not in path.name}
    assert {landed.origin for landed in files} == lying.keys()
    indicators = settings.contracts()["indicators"]
    faults = [check(lying[landed.origin], indicators, settings, NOW).fault for landed in files]
    assert all(fault and re.search(r"(Zet|Bewaar|Sluit) ", fault.dutch) for fault in faults)
    again = land(settings, settings.contracts()["indicators"], after, is_asked=False)
    assert {landed.outcome for landed in again} == {Outcome.STANDS}
    assert (tmp_path / "elders.csv").exists()
    assert Lake(settings.layout.lake).manifests() == []


@pytest.mark.parametrize(
    ("inside", "says", "dutch"),
    [
        ("EncryptedPackage", "password", "beveiligd met een wachtwoord. Bewaar"),
        ("Workbook", "before 2007", "oud Excel-bestand (.xls). Bewaar"),
    ],
)
def test_a_workbook_with_a_password_is_told_so(
    empty_profile: Callable[..., Settings], tmp_path: Path, inside: str, says: str, dutch: str
) -> None:
    settings = empty_profile()
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100 + inside.encode("utf-16-le")
    landed = _land(settings, "indicators", "cijfers.xlsx", content)
    assert landed.outcome is Outcome.REFUSED
    assert says in landed.message
    (tmp_path / "cijfers.xlsx").write_bytes(content)
    fault = check(tmp_path / "cijfers.xlsx", settings.contracts()["indicators"], settings, NOW).fault
    assert fault
    assert dutch in fault.dutch


def _quarter(volume: str, start: str, end: str, *, day: int = 25, rest: str = "Afname;{};kWh;Uitgelezen") -> str:
    date = f"{day}-10-2026"
    words = rest.format(volume)
    return f'{date};{start};{date};{end};="{_HALL}";1SAG0;Digitale meter;{words};\n'


def _landed_readings(settings: Settings, content: str | bytes) -> pl.DataFrame:
    landed = _land(settings, "energy_meters", "export.csv", content)
    assert _refused(settings, landed, "readings") == {}
    return _accepted(settings, landed, "readings")


def test_meters_words_and_times_of_real_exports_are_read(with_a_hall: Settings) -> None:
    times = [f"{at // 4:02}:{at % 4 * 15:02}" for at in range(96)]
    rows = [
        _quarter("3,000", start, end, day=12, rest="Afname;{};kWh;Ongevalideerd")
        for start, end in zip(times, [*times[1:], "00:00"], strict=True)
    ]
    auxiliary = _quarter("1,000", "00:00", "00:15", day=12, rest="Hulpverbruik Actief;{};kWh;Uitgelezen")
    found = _landed_readings(with_a_hall, _EXPORT + "".join(rows) + auxiliary)
    offtake = found.filter(direction="offtake")
    assert (offtake["value"].sum(), offtake["quality"].unique().to_list()) == (288, ["not_validated"])
    assert found.filter(direction="auxiliary").select("register", "value").rows() == [("total", 1)]


def test_a_line_that_names_the_separator_and_empty_columns_behind_the_header_are_passed_over(
    with_a_hall: Settings,
) -> None:
    rows = _meter_day(1, "10,000").strip() + ";;;\n" + _meter_day(2, "20,000")
    found = _landed_readings(with_a_hall, "sep=;\n" + _EXPORT.strip() + ";;;\n" + rows)
    assert found.sort("start_at")["value"].to_list() == [10, 20]


def test_an_export_with_line_ends_of_an_old_mac_is_read(with_a_hall: Settings) -> None:
    content = (_EXPORT + _meter_day(1, "10,000") + _meter_day(2, "20,000")).replace("\n", "\r")
    assert _landed_readings(with_a_hall, content)["value"].sum() == 30


def test_meters_words_for_a_whole_month_of_an_office_are_kept(with_a_hall: Settings) -> None:
    month = '01-{:02}-2026;00:00:00;01-{:02}-2026;00:00:00;="{}";1SAG0;AMR-meter;Afname Actief;{},5;kWh;Gevalideerd;\n'
    content = _EXPORT + month.format(9, 10, _HALL, 300) + month.format(10, 11, _HALL, 310)
    found = _landed_readings(with_a_hall, content)
    assert found.select("granularity", "value").rows() == [("P1M", 300.5), ("P1M", 310.5)]
    assert found["end_at"].to_list() == [datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC)]


def test_a_reason_names_the_columns_of_the_export_and_not_ours(with_a_hall: Settings) -> None:
    content = _EXPORT + _meter_day(1, "veel") + _meter_day(2, "1,000", status="Bijna")
    refused = _refused(with_a_hall, _land(with_a_hall, "energy_meters", "export.csv", content), "readings")
    named = {reason.partition(":")[0] for reasons in refused.values() for reason in reasons}
    assert named == {"Volume", "Validatiestatus"}


_OLDER = "Van Datum;Van Tijdstip;Tot Datum;Tot Tijdstip;EAN;Meter;Metertype;Register;Volume;Eenheid;Validatiestatus"
_ENGLISH = _OLDER.replace("Van Datum", "From (date)").replace("Validatiestatus", "Validation status")


@pytest.mark.parametrize("header", [_OLDER, _ENGLISH], ids=["older Dutch", "English"])
def test_a_reason_spells_the_columns_as_the_file_itself_does(with_a_hall: Settings, header: str) -> None:
    content = f"{header}\n" + _meter_day(1, "1,000", status="Bijna") + _meter_day(2, "1,000").replace("02-10", "2 okt")
    refused = _refused(with_a_hall, _land(with_a_hall, "energy_meters", "export.csv", content), "readings")
    said = {reason.partition(":")[0] for reasons in refused.values() for reason in reasons}
    begin, *_, status = header.split(";")
    assert {begin, status} <= said <= set(header.split(";"))


def test_serial_spelling_makes_no_two_meters_of_one(with_a_hall: Settings) -> None:
    for name, meter in (("a.csv", "0001234567"), ("b.csv", "1234567"), ("c.csv", " 123 4567")):
        landed = _land(with_a_hall, "energy_meters", name, _EXPORT + _meter_day(1, "10,000", meter=meter))
        assert _accepted(with_a_hall, landed, "readings")["meter_id"].to_list() == ["1234567"]


_CLOCK = ("00", "15", "30", "45")
_PAIRS = [
    _quarter(f"{at},{season}", f"02:{minute}:00", f"02:{_CLOCK[at + 1]}:00" if at < 3 else last)
    for at, minute in enumerate(_CLOCK)
    for season, last in ((1, "02:00:00"), (2, "03:00:00"))
]
_REPEATED = {
    **{datetime(2026, 10, 25, 0, 15 * at, tzinfo=UTC): at + 0.1 for at in range(4)},
    **{datetime(2026, 10, 25, 1, 15 * at, tzinfo=UTC): at + 0.2 for at in range(4)},
}


@pytest.mark.parametrize("rows", [_PAIRS, _PAIRS[::-1]], ids=["oldest first", "newest first"])
def test_an_october_hour_is_the_same_in_a_file_sorted_either_way(with_a_hall: Settings, rows: list[str]) -> None:
    found = _landed_readings(with_a_hall, _EXPORT + "".join(rows))
    assert dict(found.select("start_at", "value").iter_rows()) == _REPEATED


@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
def test_an_october_row_whose_summer_partner_is_refused_stays_in_winter(with_a_hall: Settings, order: int) -> None:
    rows = [*_PAIRS[:2], _PAIRS[2].replace(";kWh;", ";MWh;"), *_PAIRS[3:]]
    landed = _land(with_a_hall, "energy_meters", "export.csv", _EXPORT + "".join(rows[::order]))
    assert len(_refused(with_a_hall, landed, "readings")) == 1
    found = dict(_accepted(with_a_hall, landed, "readings").select("start_at", "value").iter_rows())
    assert found == {start: value for start, value in _REPEATED.items() if value != 1.1}


def test_an_october_row_of_which_nothing_tells_the_season_is_refused(with_a_hall: Settings) -> None:
    rows = [*_PAIRS[:2], "onleesbaar\n", *_PAIRS[3:]]
    landed = _land(with_a_hall, "energy_meters", "export.csv", _EXPORT + "".join(rows))
    assert list(_refused(with_a_hall, landed, "readings")) == [4, 5]


def test_future_versions_of_an_export_of_a_system_are_taken_back_to_its_delivery_and_counted(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    content = (
        "service_request_id;requested_datetime;updated_datetime;status;closed_date;service_code;description\n"
        "D1;2026-11-05T09:00:00Z;2062-11-06T09:00:00Z;closed;;W1;x\n"
        "D2;2026-11-05T09:00:00Z;2026-11-06T09:00:00Z;closed;2062-11-07;W1;x\n"
        "D3;2026-11-05T09:00:00Z;2026-11-06T09:00:00Z;closed;2026-11-06T08:00:00Z;W1;x\n"
    )
    landed = _land(settings, "tickets_1777", "export.csv", content)
    assert _refused(settings, landed, "requests") == {}
    found = _accepted(settings, landed, "requests").sort("service_request_id")
    sixth = datetime(2026, 11, 6, 9, tzinfo=UTC)
    assert found["updated_at"].to_list() == [NOW, sixth, sixth]
    assert found["closed_at"].to_list() == [NOW, NOW, sixth - timedelta(hours=1)]
    assert landed.message.endswith("; 3 moments past the delivery taken back to it")


def test_buildings_check_and_landing_say_the_same_of_national_numbers_in_names(
    empty_profile: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = empty_profile()
    rows = [f"school_{at};93.05.18-223.61;;;;;{100 + at};onderwijs;gebouwen;;nee;\n" for at in range(8)]
    file = tmp_path / "gebouwen.csv"
    file.write_text(_BUILDINGS + "".join(rows), "utf-8")
    checked = check(file, settings.contracts()["buildings"], settings, NOW)
    landed = _land(settings, "buildings", file.name, file.read_bytes())
    assert landed.outcome is Outcome.REFUSED
    assert not checked.is_fine
