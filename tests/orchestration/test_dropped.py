"""A dropped file is recognised, and taken away, by what is in it."""

import os
from pathlib import Path

import pytest

from ingestion.delivery import DroppedFile
from orchestration.loop.dropped import digest_of, take
from tests.orchestration.profiles import NOW


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    path = tmp_path / "waiting.csv"
    path.write_bytes(b"one")
    return path


@pytest.mark.parametrize("content", [b"two", b"longer"], ids=["as long", "longer"])
def test_a_file_of_which_the_content_changed_is_another_file(waiting: Path, content: bytes) -> None:
    before, told = digest_of(waiting), waiting.stat()
    waiting.write_bytes(content)
    # as a copy that keeps its time does
    os.utime(waiting, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert digest_of(waiting) != before


def test_a_file_is_taken_by_what_is_in_it_now(waiting: Path) -> None:
    sha256 = digest_of(waiting)
    take(DroppedFile(waiting, NOW), "0" * 64)
    assert waiting.exists()
    take(DroppedFile(waiting, NOW), sha256)
    assert not waiting.exists()
