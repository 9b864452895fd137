"""Files that wait in a drop folder are looked at often and read seldom."""

import os
import sys
import time
from pathlib import Path

import pytest

from ingestion.delivery import DroppedFile
from orchestration.loop.dropped import digest_of, take
from tests.orchestration.profiles import NOW

_opened: list[str] = []
# a hook stays for the life of the process, so it only ever notes what a test of this file made
sys.addaudithook(
    lambda event, told: _opened.append(str(told[0])) if event == "open" and "waiting_" in str(told) else None
)


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    path = tmp_path / f"waiting_{tmp_path.name}.csv"
    path.write_bytes(b"one")
    return path


def reads(path: Path) -> int:
    return _opened.count(str(path))


def test_a_file_that_waits_for_days_is_read_once(waiting: Path) -> None:
    before = reads(waiting)
    assert len({digest_of(waiting) for _ in range(5)}) == 1
    assert reads(waiting) == before + 1


@pytest.mark.parametrize("content", [b"two", b"longer"], ids=["as long", "longer"])
def test_a_file_of_which_the_content_changed_is_another_file(waiting: Path, content: bytes) -> None:
    before, told = digest_of(waiting), waiting.stat()
    # the clock of a file system may tick only every ten milliseconds
    time.sleep(0.03)
    waiting.write_bytes(content)
    # as a copy that keeps its time does
    os.utime(waiting, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert digest_of(waiting) != before


def test_a_file_is_taken_by_what_is_in_it_now(waiting: Path) -> None:
    sha256 = digest_of(waiting)
    take(DroppedFile(waiting, NOW), "0" * 64)
    assert waiting.exists()
    before = reads(waiting)
    take(DroppedFile(waiting, NOW), sha256)
    assert reads(waiting) == before + 1
    assert not waiting.exists()
