from pathlib import Path

import pytest

from orchestration.alerts.recipients import RecipientFileError, is_deliverable, recipients


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_file_of_either_dialect_with_a_bom_is_read(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "ontvangers.csv"
    path.write_text(f"department_id{separator}email\nwonen{separator}hoofd@stad.test\n", encoding="utf-8-sig")
    assert recipients(path, "kortrijk").address("wonen") == "hoofd@stad.test"


def test_a_department_without_an_address_gets_one_that_nobody_can_own() -> None:
    address = recipients(None, "kortrijk").address("vrije_tijd")
    assert address == "vrije_tijd@kortrijk.example"
    assert not is_deliverable(address)
    assert is_deliverable("hoofd@stad.test")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ontvangers.csv"
    path.write_text("department_id,mail\nwonen,a@b.test\n", encoding="utf-8")
    with pytest.raises(RecipientFileError, match=r"ontvangers\.csv line 1 misses email"):
        recipients(path, "kortrijk")


@pytest.mark.parametrize("email", ["", "hoofd", "a@b.test c@d.test", "A <a@b.test>", "a@b.test;c@d.test"])
def test_a_line_without_one_plain_address_is_named(tmp_path: Path, email: str) -> None:
    path = tmp_path / "ontvangers.csv"
    path.write_text(f"department_id,email\nwonen,ok@b.test\nzorg,{email}\n", encoding="utf-8")
    with pytest.raises(RecipientFileError, match="line 3"):
        recipients(path, "kortrijk")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipientFileError, match=r"weg\.csv cannot be read"):
        recipients(tmp_path / "weg.csv", "kortrijk")
