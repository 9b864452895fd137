from datetime import date
from pathlib import Path

import pytest

from orchestration.alerts.recipients import RecipientFileError, is_deliverable, recipients

DAY = date(2026, 11, 23)
HEADER = "department_id;name;email;absent_from;absent_until;deputy_email\n"


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_file_of_either_dialect_with_a_bom_is_read(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "ontvangers.csv"
    path.write_text(f"department_id{separator}email\nwonen{separator}hoofd@stad.test\n", encoding="utf-8-sig")
    assert recipients(path, "kortrijk", DAY).address("wonen") == "hoofd@stad.test"


def test_a_department_without_an_address_gets_one_that_nobody_can_own() -> None:
    address = recipients(None, "kortrijk", DAY).address("vrije_tijd")
    assert address == "vrije_tijd@kortrijk.example"
    assert not is_deliverable(address)
    assert is_deliverable("hoofd@stad.test")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ontvangers.csv"
    path.write_text("department_id,mail\nwonen,a@b.test\n", encoding="utf-8")
    with pytest.raises(RecipientFileError, match=r"ontvangers\.csv: in regel 1 ontbreekt de kolom email"):
        recipients(path, "kortrijk", DAY).address("wonen")


@pytest.mark.parametrize(
    ("email", "says"),
    [
        ("", "heeft geen mailadres, of meer dan één"),
        ("hoofd", "heeft geen mailadres, of meer dan één"),
        ("@stad.test", "heeft geen mailadres, of meer dan één"),
        ("a@b.test c@d.test", "heeft geen mailadres, of meer dan één"),
        ("A <a@b.test>", "heeft geen mailadres, of meer dan één"),
        ("a@b.test;c@d.test", "heeft geen mailadres, of meer dan één"),
        ("a@b.test,c@d.test", "heeft geen mailadres, of meer dan één"),
        ("hélène@stad.test", "een letter met een accent"),
        ("ho\u200bofd@stad.test", "een teken dat niemand ziet"),
        ("hoofd@stad\u0000.test", "een teken dat niemand ziet"),
    ],
)
def test_recipients_without_one_plain_address_are_named_and_take_no_other_away(
    tmp_path: Path, email: str, says: str
) -> None:
    path = tmp_path / "ontvangers.csv"
    path.write_text(f"department_id,email\nwonen,ok@b.test\nzorg,{email}\ngroen,groen@b.test\n", encoding="utf-8")
    read = recipients(path, "kortrijk", DAY)
    with pytest.raises(RecipientFileError, match=rf"ontvangers\.csv:? ?.*regel 3.*{says}"):
        read.address("zorg")
    assert [read.address(name) for name in ("wonen", "groen")] == ["ok@b.test", "groen@b.test"]
    assert len(read.told) == 1


@pytest.mark.parametrize("around", ["\u200b", "\ufeff", "\u00a0", " \u200b\t"])
def test_recipients_lose_what_nobody_sees_around_their_address(tmp_path: Path, around: str) -> None:
    path = tmp_path / "ontvangers.csv"
    path.write_text(f"department_id,email\nwonen{around},{around}hoofd@stad.test{around}\n", encoding="utf-8")
    assert recipients(path, "kortrijk", DAY).address("wonen") == "hoofd@stad.test"


def test_recipients_saved_as_ansi_lose_only_the_address_with_an_accent(tmp_path: Path) -> None:
    path = tmp_path / "ontvangers.csv"
    path.write_bytes(
        "department_id;name;email\nwonen;Hélène;hoofd@stad.test\nzorg;Jo;hélène@stad.test\n".encode("cp1252")
    )
    read = recipients(path, "kortrijk", DAY)
    assert read.address("wonen") == "hoofd@stad.test"
    with pytest.raises(RecipientFileError, match=r"regel 3.*bewaar het bestand als CSV in UTF-8"):
        read.address("zorg")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipientFileError, match=r"weg\.csv: het bestand met de ontvangers kan niet"):
        recipients(tmp_path / "weg.csv", "kortrijk", DAY).address("wonen")


def leave(tmp_path: Path, line: str) -> Path:
    path = tmp_path / "ontvangers.csv"
    path.write_text(f"{HEADER}{line}\nzorg;;zorg@stad.test;;;\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("day", "reader"),
    [
        (date(2026, 11, 19), "hoofd@stad.test"),
        (date(2026, 11, 20), "collega@stad.test"),
        (date(2026, 11, 23), "collega@stad.test"),
        (date(2026, 12, 1), "collega@stad.test"),
        (date(2026, 12, 2), "hoofd@stad.test"),
    ],
)
def test_a_deputy_reads_from_the_first_to_the_last_day_of_a_leave(tmp_path: Path, day: date, reader: str) -> None:
    path = leave(tmp_path, "wonen;An Peeters;hoofd@stad.test;2026-11-20;2026-12-01;collega@stad.test")
    assert recipients(path, "kortrijk", day).address("wonen") == reader
    assert recipients(path, "kortrijk", day).address("zorg") == "zorg@stad.test"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("wonen;An;hoofd@stad.test;2026-11-20;;collega@stad.test", "geen eerste en laatste dag"),
        ("wonen;An;hoofd@stad.test;20/11/2026;2026-12-01;collega@stad.test", "als 2026-11-23"),
        ("wonen;An;hoofd@stad.test;2026-12-01;2026-11-20;collega@stad.test", "draai ze om"),
        ("wonen;An;hoofd@stad.test;2027-01-01;2027-01-09;", "geen mailadres"),
        ("wonen;An;hoofd@stad.test;;;\nwonen;Jo;ander@stad.test;;;", "noemt de afdeling wonen een tweede keer"),
    ],
)
def test_a_leave_that_cannot_be_kept_is_told_in_dutch_without_naming_anybody(
    tmp_path: Path, line: str, says: str
) -> None:
    with pytest.raises(RecipientFileError, match=says) as refused:
        recipients(leave(tmp_path, line), "kortrijk", DAY).address("wonen")
    assert recipients(leave(tmp_path, line), "kortrijk", DAY).address("zorg") == "zorg@stad.test"
    assert not any(person in str(refused.value) for person in ("An", "Jo", "stad.test"))
