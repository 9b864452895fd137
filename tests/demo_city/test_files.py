import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

from openpyxl import load_workbook

from ingestion.demo_city.clock import CLOCK, dice, local
from ingestion.demo_city.files import Drop, semicolon_lines, workbook, write

ROWS = [["dossier", "intake_op", "plan_op"], ["SYN-1", date(2026, 3, 29), None], ["SYN-2", date(2026, 10, 25), None]]


def test_a_workbook_has_the_same_bytes_whenever_it_is_made() -> None:
    assert workbook("Blad", ROWS) == workbook("Blad", ROWS)


def test_a_workbook_carries_the_clock_of_the_demo_only() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook("Blad", ROWS))) as parts:
        properties = parts.read("docProps/core.xml").decode()
        stamps = {part.date_time for part in parts.infolist()}
    assert properties.count("2026-11-22T20:00:00Z") == 2
    assert stamps == {(1980, 1, 1, 0, 0, 0)}


def test_a_date_in_a_workbook_is_a_date_and_nothing_stays_empty() -> None:
    sheet = load_workbook(io.BytesIO(workbook("Blad", ROWS)))["Blad"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1] == ("SYN-1", datetime(2026, 3, 29), None)  # noqa: DTZ001 - a workbook knows no zones


def test_a_drop_lies_in_the_folder_of_its_source_with_its_ready_file(tmp_path: Path) -> None:
    drop = Drop("indicators", "a.csv", b"x", datetime(2026, 11, 9, 9, tzinfo=UTC))
    written = write(drop, tmp_path)
    assert written == tmp_path / "indicators" / "a.csv"
    assert written.read_bytes() == b"x"
    assert (tmp_path / "indicators" / "a.csv.ready").read_text(encoding="utf-8") == "2026-11-09T09:00:00Z\n"


def test_lines_are_written_as_a_belgian_spreadsheet_does() -> None:
    assert semicolon_lines([["a", "b"], ["1,5", ""]]) == "a;b\r\n1,5;\r\n"


def test_chance_falls_the_same_way_for_a_part_and_apart_for_another() -> None:
    assert dice("a").random() == dice("a").random()
    assert dice("a").random() != dice("b").random()


def test_the_clock_of_the_demo_stands_on_sunday_evening() -> None:
    assert CLOCK.isoformat() == "2026-11-22T20:00:00+00:00"
    assert CLOCK.isoweekday() == 7


def test_a_wall_clock_moment_follows_the_season() -> None:
    assert local(date(2026, 7, 1), 8) == datetime(2026, 7, 1, 6, tzinfo=UTC)
    assert local(date(2026, 12, 1), 8) == datetime(2026, 12, 1, 7, tzinfo=UTC)
