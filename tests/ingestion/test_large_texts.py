"""A text file of any content is read, or refused at once: in little memory, and in time that grows as it does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.errors import UnreadableFileError
from ingestion.protocols.dropped_file import lines_of
from tests.ingestion.test_bombs import tried

_GIB = 1024**3
_MEGABYTES = 10
_MEGABYTE = 2**20
_HEADER = "a;b\n"
TEXTS: dict[str, Callable[[int], str]] = {
    "short rows": lambda size: _HEADER + "1;2\n" * (size // 4),
    "an open quotation mark": lambda size: _HEADER + '"' + "a;b\n" * (size // 4),
    "a quotation mark in every row": lambda size: _HEADER + 'a;"b\n' * (size // 5),
    "one cell": lambda size: _HEADER + "x" * size,
    "one quoted cell of lines": lambda size: _HEADER + '"' + "x\n" * (size // 2) + '"',
    "separators": lambda size: _HEADER + ";" * size,
    "empty lines": lambda size: _HEADER + "\n" * size,
    "quotation marks": lambda size: _HEADER + '"' * size,
    "no header": lambda size: "x;y\n" * (size // 4),
    "lines of an old Mac": lambda size: "a;b\r" + "1;2\r" * (size // 4),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_large_text_takes_little_memory_and_no_more_than_its_share_of_time(kind: str, tmp_path: Path) -> None:
    original = TEXTS[kind](_MEGABYTES * _MEGABYTE).encode()
    said, seconds, mebibytes = tried("table", original, tmp_path, _GIB)
    assert "MemoryError" not in said
    assert mebibytes < 1024
    # 200 MB in a minute, were all of it read
    assert seconds < 60


@pytest.mark.chaos  # ten files of 200 MB
@pytest.mark.parametrize("kind", TEXTS)
def test_the_largest_text_that_may_be_dropped_is_refused_at_once_or_fits(kind: str, tmp_path: Path) -> None:
    original = TEXTS[kind](200 * _MEGABYTE).encode()
    said, seconds, mebibytes = tried("table", original, tmp_path, 2 * _GIB)
    print(f"{kind}: {seconds:.1f} CPU s, {mebibytes} MiB: {said[:60]}")  # noqa: T201 - the table of `make chaos`
    assert "MemoryError" not in said
    assert mebibytes < 1400, "the text itself, decoded and checked, and what is said of it"
    assert seconds < 60


def test_an_export_of_one_endless_line_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="line 2 is longer than"):
        lines_of("Van;Tot\n" + "x" * 100_000, "meter.csv")


def test_an_export_of_more_lines_than_a_year_of_a_hundred_meters_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="has more than 10000000 lines"):
        lines_of("\n" * 10_000_001, "meter.csv")
