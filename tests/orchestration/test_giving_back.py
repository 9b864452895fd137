"""A supplier is told before sending what would be refused, gets it back after, and closes it by sending it right."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from contracts.registry import all_contracts
from contracts.vocabulary import LINE
from ingestion.protocols.spreadsheet import workbook_bytes
from orchestration.giving_back.lines import ExportError, check, export, given_back
from orchestration.loop.landing import land
from orchestration.settings import Settings
from tests.orchestration.profiles import LATER, NOW
from tests.orchestration.test_cli import Run, own_logger, run  # noqa: F401 - fixtures
from tests.orchestration.test_landing import INDICATORS, drop
from tests.orchestration.thousand_indicators import BAD, ROWS, as_csv, bad_lines, good_rows, with_faults
from warehouse.lake import Lake

INDICATOR_CONTRACT = all_contracts()["indicators"]
COACHES = all_contracts()["renovation_coach"]
WHAT_IS_WRONG = "wat is er mis"
ENERGY = (
    "Van Datum;Van Tijdstip;Tot Datum;Tot Tijdstip;EAN;Meter;Metertype;Register;Volume;Eenheid;Validatiestatus\n"
    '01-10-2026;00:00:00;01-10-2026;00:15:00;="541448890000000117";1SAG1;AMR;Afname Dag;1,5;kWh;Gevalideerd\n'
)


@pytest.fixture
def settings(empty_profile: Callable[..., Settings]) -> Settings:
    return empty_profile()


def written(folder: Path, name: str, rows: list[dict[str, str]]) -> Path:
    path = folder / name
    path.write_text(as_csv(rows), encoding="utf-8")
    return path


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


# --- a thousand rows, 37 of them wrong --------------------------------------------------------------------------


def test_check_and_export_name_the_37_and_the_corrected_file_closes_them(settings: Settings, tmp_path: Path) -> None:
    good = good_rows(settings)
    sent = written(tmp_path, "bomen.csv", with_faults(good))
    checked = check(sent, INDICATOR_CONTRACT, settings, NOW)
    assert (checked.received, checked.refused_rows) == (ROWS, BAD)
    assert checked.refused["observations"][LINE].to_list() == bad_lines()

    drop(settings, "indicators", "bomen.csv", sent.read_text("utf-8"), "2026-11-20T10:00:00+00:00")
    (first,) = land(settings, INDICATOR_CONTRACT, NOW)
    assert first.message.startswith("1000 rows received: 963 accepted, 37 refused")
    lake = Lake(settings.layout.lake)
    assert (
        export(given_back(lake, INDICATOR_CONTRACT, settings, closed=False), INDICATOR_CONTRACT, tmp_path / "terug.csv")
        == BAD
    )
    returned = csv_rows(tmp_path / "terug.csv")
    assert [int(row["regel"]) for row in returned] == bad_lines()
    assert {row["bestand"] for row in returned} == {"bomen.csv"}
    assert all(
        re.match(r"(ref_date|value|area): (hier hoort|heeft niet|is leeg)", row[WHAT_IS_WRONG]) for row in returned
    )

    drop(settings, "indicators", "bomen (verbeterd).csv", as_csv(good), "2026-11-21T10:00:00+00:00")
    (second,) = land(settings, INDICATOR_CONTRACT, LATER)
    assert "1000 accepted (37 new, 963 recognised), 0 refused" in second.message
    assert second.message.endswith("; closes 37 refused earlier")
    assert second.manifest.tables["observations"].recognised == ROWS - BAD
    open_lines = given_back(lake, INDICATOR_CONTRACT, settings, closed=False)["observations"]
    assert open_lines.is_empty()
    every = given_back(lake, INDICATOR_CONTRACT, settings, closed=True)["observations"]
    assert set(every["closed_by"]) == {second.manifest.batch_id}
    assert every["is_put_right"].all()


def test_only_the_returned_lines_put_right_close_those_whose_key_was_right(settings: Settings, tmp_path: Path) -> None:
    good = good_rows(settings, 10)
    bad = [row | {"value": "veel"} if place < 3 else row for place, row in enumerate(good)]
    drop(settings, "indicators", "a.csv", as_csv(bad), "2026-11-20T10:00:00+00:00")
    land(settings, INDICATOR_CONTRACT, NOW)
    lines = given_back(Lake(settings.layout.lake), INDICATOR_CONTRACT, settings, closed=False)
    export(lines, INDICATOR_CONTRACT, tmp_path / "terug.csv")
    corrected = (tmp_path / "terug.csv").read_text("utf-8-sig").replace(";veel;", ";17;")
    drop(settings, "indicators", "terug.csv", corrected, "2026-11-21T10:00:00+00:00")
    (landed,) = land(settings, INDICATOR_CONTRACT, LATER)
    assert landed.message.endswith("; closes 3 refused earlier")


# --- before sending ---------------------------------------------------------------------------------------------


def test_a_check_leaves_no_trace(settings: Settings, tmp_path: Path) -> None:
    sent = written(tmp_path, "a.csv", good_rows(settings, 5))
    before = sorted(settings.layout.root.rglob("*"))
    assert check(sent, INDICATOR_CONTRACT, settings, NOW).is_fine
    assert sorted(settings.layout.root.rglob("*")) == before
    assert not settings.pseudonym_key_file.exists()
    assert sent.exists()


def test_a_check_needs_no_profile_at_all(empty_profile: Callable[..., Settings], tmp_path: Path) -> None:
    nowhere = empty_profile().model_copy(update={"home": tmp_path / "nowhere"})
    sent = written(tmp_path, "a.csv", good_rows(nowhere, 5))
    assert check(sent, INDICATOR_CONTRACT, nowhere, NOW).is_fine
    assert not nowhere.layout.root.exists()


def test_a_check_says_what_cannot_be_looked_up_here(
    run: Run,  # noqa: F811
    settings: Settings,
    empty_profile: Callable[..., Settings],
    tmp_path: Path,
) -> None:
    sent = written(tmp_path, "a.csv", good_rows(settings, 1))
    elsewhere = empty_profile(ADEMRUIMTE_CITY="boston")
    assert check(sent, INDICATOR_CONTRACT, settings, NOW).not_checked == ()
    (missed,) = check(sent, INDICATOR_CONTRACT, elsewhere, NOW).not_checked
    assert missed.startswith("of de indicator en de eenheid in het register staan")
    sent.write_text(ENERGY, encoding="utf-8")
    result = run(settings, "check", str(sent), "--source", "energy_meters")
    assert result.exit_code == 1
    assert "Het register van de gebouwen is hier niet geladen." in result.output
    assert "Niet nagekeken: of de rijen passen bij buildings (connections)" in result.output


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "Het bestand is leeg"),
        (b"<!doctype html><title>Aanmelden</title>", "Dit is een webpagina"),
        (b"PK\x03\x04 geen werkboek", "Het werkboek of archief is beschadigd"),
        (b"a;b\n1;2\n", "Er ontbreekt een kolom"),
        (INDICATORS.replace("unit", "value").encode(), "Er ontbreekt een kolom"),
        (INDICATORS.replace("uncertainty", "value").encode(), "Een kolomnaam staat er twee keer"),
        (b"kpi_id;area\nx\0;y\n", "De tekens in dit bestand"),
    ],
)
def test_a_file_that_is_refused_whole_is_explained_in_dutch(
    settings: Settings, tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "cijfers.csv"
    path.write_bytes(content)
    checked = check(path, INDICATOR_CONTRACT, settings, NOW)
    assert checked.fault
    assert checked.fault.dutch.startswith(says)


@pytest.mark.parametrize("name", ["renovatie_2026-W47_gent.XLSX", "renovatie_2026-W47_gent.csv"])
def test_a_team_that_nobody_knows_is_no_workbook_that_cannot_be_read(
    run: Run,  # noqa: F811
    settings: Settings,
    tmp_path: Path,
    name: str,
) -> None:
    (tmp_path / name).write_bytes(workbook_bytes({"dossiers": [["dossier"]]}))
    result = run(settings, "check", str(tmp_path / name), "--source", "renovation_coach")
    words = " ".join(result.output.split())
    assert f"{name}: De naam noemt geen team dat levert. De teams zijn kortrijk, leiedal, energiehuis" in words


_NAMES = INDICATORS.strip().split(";")
_OBSERVATIONS = [_NAMES, ["trees_planted", "34022", "2025-12-31", "12", "bomen"] + [""] * (len(_NAMES) - 5)]


@pytest.mark.parametrize(
    ("beside", "says"),
    [
        (_OBSERVATIONS, "Twee bladen hebben dezelfde tabel"),
        ([["kpi_id", "area", "ref_date", "waarde", "unit"], ["x", "y", "z", "1", "m"]], "Er ontbreekt een kolom"),
    ],
    ids=["the table again", "a slip in the header"],
)
def test_a_second_sheet_that_would_be_lost_is_explained_in_dutch(
    settings: Settings, tmp_path: Path, beside: list[list[str]], says: str
) -> None:
    path = tmp_path / "cijfers.xlsx"
    path.write_bytes(workbook_bytes({"2024": _OBSERVATIONS, "2025": beside}))
    checked = check(path, INDICATOR_CONTRACT, settings, NOW)
    assert not checked.is_fine
    assert checked.fault
    assert "2 (2025)" in str(checked.fault)
    assert checked.fault.dutch.startswith(says)


def test_a_check_tells_of_a_sheet_that_is_not_read(run: Run, settings: Settings, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "cijfers.xlsx"
    path.write_bytes(workbook_bytes({"2024": _OBSERVATIONS, "Blad2": [["Toelichting"], ["bomen"]]}))
    result = run(settings, "check", str(path), "--source", "indicators")
    words = " ".join(result.output.split())
    assert "cijfers.xlsx: 1 rijen gelezen" in words
    assert "2 rijen laten we niet binnen: blad 2 (Blad2) heeft niet de kolommen van het sjabloon" in words


def test_a_sheet_beside_an_export_is_explained_in_dutch(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "verbruik.xlsx"
    path.write_bytes(workbook_bytes({"a": [line.split(";") for line in ENERGY.splitlines()], "b": [["uitleg"]]}))
    checked = check(path, all_contracts()["energy_meters"], settings, NOW)
    assert checked.fault
    assert "verbruik.xlsx: sheet 2: line 1" in str(checked.fault)
    assert "Exporteer opnieuw en voeg niets toe" in checked.fault.dutch


# --- the command ------------------------------------------------------------------------------------------------


def test_the_check_prints_line_column_value_and_reason_within_80_columns(
    run: Run,  # noqa: F811
    settings: Settings,
    tmp_path: Path,
) -> None:
    sent = written(tmp_path, "bomen.csv", with_faults(good_rows(settings)))
    result = run(settings, "check", str(sent), "--source", "indicators", "--export", "fout.csv")
    assert result.exit_code == 1
    assert max(map(len, result.output.splitlines())) <= 80
    assert [
        int(line.split()[0]) for line in result.output.splitlines() if re.match(r"\s+\d+ +[a-z_]+ ", line)
    ] == bad_lines()
    words = " ".join(result.output.split())
    assert "2 ref_date morgen hier hoort een datum." in words
    assert "10 × ref_date: hier hoort een datum." in words
    assert "9 × value: is leeg. Vul een waarde in." in words
    assert "bomen.csv: 1000 rijen gelezen, 963 in orde, 37 fout." in words
    assert len(csv_rows(tmp_path / "fout.csv")) == BAD


def test_a_good_file_is_said_to_be_good(run: Run, settings: Settings, tmp_path: Path) -> None:  # noqa: F811
    sent = written(tmp_path, "bomen.csv", good_rows(settings, 3))
    result = run(settings, "check", str(sent), "--source", "indicators")
    assert (result.exit_code, result.output) == (0, "bomen.csv: 3 rijen gelezen, 3 in orde, 0 fout.\n")


def test_a_file_refused_whole_ends_with_both_languages(run: Run, settings: Settings, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "leeg.csv").write_text("")
    result = run(settings, "check", str(tmp_path / "leeg.csv"), "--source", "indicators")
    assert result.exit_code == 1
    assert result.output.startswith("leeg.csv: Het bestand is leeg. Exporteer het opnieuw.\n(in het Engels: ")


def test_a_file_that_is_not_there_is_told_in_a_sentence(run: Run, settings: Settings) -> None:  # noqa: F811
    result = run(settings, "check", "nergens.csv", "--source", "indicators")
    assert result.exit_code == 1
    assert "Het bestand kan niet geopend worden." in result.output
    assert "Traceback" not in result.output


def test_a_source_that_the_city_does_not_receive_is_named(run: Run, settings: Settings) -> None:  # noqa: F811
    result = run(settings, "check", "a.csv", "--source", "weer")
    assert result.exit_code == 2
    assert "not weer" in " ".join(result.output.replace("│", " ").split())


def test_columns_we_do_not_read_are_named_and_their_values_are_not(
    run: Run,  # noqa: F811
    settings: Settings,
    tmp_path: Path,
) -> None:
    sent = written(tmp_path, "bomen.csv", good_rows(settings, 1))
    header, row = sent.read_text("utf-8").splitlines()
    sent.write_text(f"{header};naam\n{row};Jan Janssens\n", encoding="utf-8")
    result = run(settings, "check", str(sent), "--source", "indicators")
    assert "Deze kolommen lezen we niet: naam." in result.output
    assert "Janssens" not in result.output


def test_more_wrong_lines_than_a_screen_are_counted_and_exported(
    run: Run,  # noqa: F811
    settings: Settings,
    tmp_path: Path,
) -> None:
    sent = written(tmp_path, "bomen.csv", [row | {"value": "[b]?"} for row in good_rows(settings, 130)])
    result = run(settings, "check", str(sent), "--source", "indicators", "--export", str(tmp_path / "fout.xlsx"))
    assert "… en nog 30 andere; met --export krijgt u ze allemaal." in result.output
    assert "[b]?" in result.output, "what looks like markup is a supplier's text"
    assert fastexcel.read_excel(tmp_path / "fout.xlsx").load_sheet(0).to_polars().height == 130


def test_an_export_never_overwrites_the_file_that_was_checked(
    run: Run,  # noqa: F811
    settings: Settings,
    tmp_path: Path,
) -> None:
    sent = written(tmp_path, "bomen.csv", [good_rows(settings, 1)[0] | {"value": "?"}])
    before = sent.read_bytes()
    assert run(settings, "check", str(sent), "--source", "indicators", "--export", str(sent)).exit_code == 2
    assert sent.read_bytes() == before


def test_the_list_shows_what_is_open_and_with_all_what_was_closed(
    run: Run,  # noqa: F811
    settings: Settings,
) -> None:
    good = good_rows(settings, 4)
    drop(settings, "indicators", "a.csv", as_csv([good[0] | {"value": "x"}, *good[1:]]), "2026-11-20T10:00:00+00:00")
    land(settings, INDICATOR_CONTRACT, NOW)
    listed = run(settings, "quarantine", "list")
    assert "indicators observations · a.csv · batch " in listed.output
    assert re.search(r"^ *2 +value +x +cannot be read", listed.output, re.MULTILINE)
    assert listed.output.endswith("1 refused lines are open\n")
    drop(settings, "indicators", "a.csv", as_csv(good), "2026-11-21T10:00:00+00:00")
    (second,) = land(settings, INDICATOR_CONTRACT, LATER)
    assert run(settings, "quarantine", "list", "--source", "indicators").output == "0 refused lines are open\n"
    every = run(settings, "quarantine", "list", "--all").output
    assert f"put right by {second.manifest.batch_id}" in " ".join(every.split())
    assert every.endswith("1 refused lines\n")


def test_the_list_also_names_the_files_that_were_refused_whole(run: Run, settings: Settings) -> None:  # noqa: F811
    assert run(settings, "quarantine", "list").output == "0 refused lines are open\n"
    drop(settings, "indicators", "leeg.csv", "")
    land(settings, INDICATOR_CONTRACT, NOW)
    listed = " ".join(run(settings, "quarantine", "list", "--source", "indicators").output.split())
    assert listed.startswith("refused whole on 2026-11-23: indicators: leeg.csv: is empty")
    assert "refused whole" not in run(settings, "quarantine", "list", "--source", "renovation_coach").output


def test_refused_lines_are_given_back_as_a_workbook(run: Run, settings: Settings, tmp_path: Path) -> None:  # noqa: F811
    drop(settings, "indicators", "a.csv", as_csv([good_rows(settings, 1)[0] | {"area": "Kortrijk"}]))
    land(settings, INDICATOR_CONTRACT, NOW)
    file = tmp_path / "terug.xlsx"
    result = run(settings, "quarantine", "export", str(file), "--source", "indicators")
    assert result.output == f"1 refused lines, each with its reason, stand in {file}\n"
    (row,) = fastexcel.read_excel(file).load_sheet("observations", dtypes="string").to_polars().to_dicts()
    assert (row["bestand"], row["regel"], row["area"]) == ("a.csv", "2", "Kortrijk")
    assert row[WHAT_IS_WRONG].startswith("area: heeft niet de juiste vorm.")
    assert row["what is wrong"].startswith("area: does not look like")


def test_nothing_to_give_back_is_an_empty_file(run: Run, settings: Settings, tmp_path: Path) -> None:  # noqa: F811
    for name in ("terug.csv", "terug.xlsx"):
        result = run(settings, "quarantine", "export", str(tmp_path / name), "--source", "indicators")
        assert result.exit_code == 0
        assert (tmp_path / name).exists()


def test_an_export_to_another_kind_of_file_is_refused(run: Run, settings: Settings, tmp_path: Path) -> None:  # noqa: F811
    result = run(settings, "quarantine", "export", str(tmp_path / "terug.pdf"), "--source", "indicators")
    assert result.exit_code == 2
    assert not (tmp_path / "terug.pdf").exists()


# --- safe to open, and blind to people --------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", " =1"])
def test_no_cell_of_an_export_is_a_formula(settings: Settings, tmp_path: Path, text: str, ending: str) -> None:
    sent = written(tmp_path, "a.csv", [good_rows(settings, 1)[0] | {"source": f'"{text}"', "value": "-5,5x"}])
    checked = check(sent, INDICATOR_CONTRACT, settings, NOW)
    file = tmp_path / f"uit{ending}"
    export(checked.refused, INDICATOR_CONTRACT, file)
    cells = _cells(file)
    assert not [cell for cell in cells if re.match(r"\s*[=+@-]", cell)]
    assert f"'{text}".strip() in [cell.strip() for cell in cells]


def _cells(file: Path) -> list[str]:
    if file.suffix == ".csv":
        return [cell for row in csv_rows(file) for cell in row.values()]
    frame = fastexcel.read_excel(file).load_sheet(0, dtypes="string").to_polars()
    return [cell for row in frame.iter_rows() for cell in row if cell is not None]


def test_a_negative_number_stays_a_number(settings: Settings, tmp_path: Path) -> None:
    sent = written(tmp_path, "a.csv", [good_rows(settings, 1)[0] | {"uncertainty": "-5,5"}])
    export(check(sent, INDICATOR_CONTRACT, settings, NOW).refused, INDICATOR_CONTRACT, tmp_path / "uit.csv")
    assert csv_rows(tmp_path / "uit.csv")[0]["uncertainty"] == "-5,5"


def test_a_control_character_does_not_break_a_workbook(settings: Settings, tmp_path: Path) -> None:
    sent = written(tmp_path, "a.csv", [good_rows(settings, 1)[0] | {"value": "1\x0b2"}])
    assert export(check(sent, INDICATOR_CONTRACT, settings, NOW).refused, INDICATOR_CONTRACT, tmp_path / "u.xlsx") == 1


def test_too_many_lines_for_a_sheet_are_told_in_time(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.giving_back.lines._MOST_SHEET_ROWS", 1)
    sent = written(tmp_path, "a.csv", [row | {"value": "x"} for row in good_rows(settings, 2)])
    with pytest.raises(ExportError, match="2 regels passen niet op een blad"):
        export(check(sent, INDICATOR_CONTRACT, settings, NOW).refused, INDICATOR_CONTRACT, tmp_path / "u.xlsx")
    assert not (tmp_path / "u.xlsx").exists()


def dossier_file(**cells: str) -> str:
    """One dossier of the coaches, refused because it has no phase."""
    table = COACHES.tables[0]
    asked = [name for name in table.received.columns if name not in table.received.added]
    row = {"dossier": "K-1", "team": "kortrijk", "adres": "Kerkstraat 12", "intake_op": "2026-11-02"} | cells
    return ";".join(asked) + "\n" + ";".join(row.get(name, "") for name in asked) + "\n"


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_what_is_given_back_of_a_personal_source_names_nobody(
    run: Run,  # noqa: F811
    settings: Settings,
    tmp_path: Path,
    ending: str,
) -> None:
    content = dossier_file(fase="bel 0470 12 34 56", fase_op="2026-11-03")
    name = "renovatie_2026-W45_kortrijk.csv"
    (tmp_path / name).write_text(content, encoding="utf-8")
    before = run(settings, "check", str(tmp_path / name), "--source", "renovation_coach").output
    drop(settings, "renovation_coach", name, content, datetime(2026, 11, 9, tzinfo=UTC).isoformat())
    land(settings, COACHES, NOW)
    listed = run(settings, "quarantine", "list").output
    file = tmp_path / f"terug{ending}"
    run(settings, "quarantine", "export", str(file), "--source", "renovation_coach")
    given = before + listed + " ".join(_cells(file))
    assert "fase" in given
    assert "0470" not in given
    assert "Kerkstraat" not in given
    assert not re.search(r"[0-9a-f]{64}", given), "a pseudonym sent back would pass for an address"


def test_a_row_refused_for_two_reasons_is_one_line_with_both(settings: Settings, tmp_path: Path) -> None:
    sent = written(tmp_path, "a.csv", [good_rows(settings, 1)[0] | {"value": "x", "area": "Kortrijk"}])
    export(check(sent, INDICATOR_CONTRACT, settings, NOW).refused, INDICATOR_CONTRACT, tmp_path / "uit.csv")
    (row,) = csv_rows(tmp_path / "uit.csv")
    assert row[WHAT_IS_WRONG].count(": ") >= 2
    assert isinstance(pl.read_csv(tmp_path / "uit.csv", separator=";"), pl.DataFrame)
