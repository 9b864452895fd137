"""The weekly log: its name tells the week, its addresses never leave the door."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from contracts.cities.profile import City
from contracts.gate import split
from contracts.sources.renovation_coach import CONTRACT, DOSSIERS
from ingestion.delivery import Context, DroppedFile, Secret
from ingestion.door import REDACTED, admit
from ingestion.errors import UnreadableFileError
from ingestion.sources.renovation_coach import read, reread

_HEADER = "dossier;team;adres;sector;woningtype;intake_op;fase;fase_op;huisbezoek_op;plan_op;naam;telefoon"
_LINE = "KOR-1;Kortrijk;Grote Markt 54;34022A00-;rijwoning;02/11/2026;advies;20-11-2026;2026-11-10;;Jan;0478 12 34 56"
_NAME = "renovatie_2026-W47_kortrijk.csv"

_Drop = Callable[[str, bytes | str], DroppedFile]


@pytest.mark.parametrize(
    ("name", "end"),
    [
        (_NAME, datetime(2026, 11, 22, 23, tzinfo=UTC)),
        ("renovatie_2026-W30_leiedal.CSV", datetime(2026, 7, 26, 22, tzinfo=UTC)),
        ("Renovatie_2026-w53_energiehuis.csv", datetime(2027, 1, 3, 23, tzinfo=UTC)),
        ("renovatie_2026-W43_kortrijk (1).csv", datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_a_file_speaks_until_the_local_end_of_its_week(kortrijk: City, drop: _Drop, name: str, end: datetime) -> None:
    delivery = read(drop(name, f"{_HEADER}\n{_LINE}\n"), Context(kortrijk))
    assert delivery.complete_until == end


@pytest.mark.parametrize("name", ["renovatie.csv", "renovatie_2026-W54_kortrijk.csv", "renovatie_2027-W53_x.csv"])
def test_a_name_without_a_week_is_refused_with_the_name_it_should_have(kortrijk: City, drop: _Drop, name: str) -> None:
    with pytest.raises(UnreadableFileError, match=r"tells no ISO week; name it renovatie_YYYY-Www_<team>\.csv"):
        read(drop(name, f"{_HEADER}\n{_LINE}\n"), Context(kortrijk))


def test_the_delivery_carries_its_time_and_its_bytes(kortrijk: City, drop: _Drop) -> None:
    file = drop(_NAME, f"{_HEADER}\n{_LINE}\n")
    delivery = read(file, Context(kortrijk))
    assert (delivery.origin, delivery.supplied_at) == (_NAME, file.supplied_at)
    assert delivery.original == file.path.read_bytes()
    assert reread(delivery.original, _NAME, Context(kortrijk))["dossiers"].equals(delivery.tables["dossiers"])


def test_a_dossier_passes_door_and_gate_without_a_person(kortrijk: City, drop: _Drop) -> None:
    delivery = read(drop(_NAME, f"{_HEADER}\n{_LINE}\n"), Context(kortrijk))
    admitted = admit(delivery, CONTRACT, Secret("key"))
    assert admitted.dropped_columns == {"dossiers": ("naam", "telefoon")}
    found = split(admitted.tables["dossiers"], DOSSIERS, kortrijk)
    dossier = found.accepted.row(0, named=True)
    assert (dossier["dossier_id"], dossier["team"], dossier["phase"]) == ("KOR-1", "kortrijk", "advies")
    assert len(dossier["dwelling_key"]) == 64
    assert "Markt" not in str(admitted.tables) + str(found)


def test_a_person_typed_into_a_code_column_reaches_quarantine_redacted(kortrijk: City, drop: _Drop) -> None:
    line = _LINE.replace("advies", "bel 0478 12 34 56")
    admitted = admit(read(drop(_NAME, f"{_HEADER}\n{line}\n"), Context(kortrijk)), CONTRACT, Secret("key"))
    found = split(admitted.tables["dossiers"], DOSSIERS, kortrijk)
    assert found.quarantined["fase"].to_list() == [f"bel {REDACTED}"]
    assert admitted.redactions == 1


def test_a_totals_row_is_refused_and_the_dossiers_stay(kortrijk: City, drop: _Drop) -> None:
    delivery = read(drop(_NAME, f"{_HEADER}\n{_LINE}\nTotaal;;;;;;;1;;;;\n"), Context(kortrijk))
    found = split(delivery.tables["dossiers"], DOSSIERS, kortrijk)
    assert found.accepted.height == 1
    assert found.quarantined["line"].to_list() == [3]
