"""A text file of any content is read, or refused at once; `make chaos` tries those of 200 MB."""

from pathlib import Path

import pytest

from ingestion.errors import UnreadableFileError
from ingestion.protocols.dropped_file import lines_of, text_of
from tests.ingestion.hostile import TEXTS, tried

_MEBIBYTE = 2**20


@pytest.mark.parametrize("kind", ["short rows", "an open quotation mark", "one cell"])
def test_a_large_text_takes_little_memory_and_no_more_than_its_share_of_time(kind: str, tmp_path: Path) -> None:
    original = TEXTS[kind](10 * _MEBIBYTE)
    said, seconds, mebibytes = tried("table", original, tmp_path, 1024 * _MEBIBYTE)
    assert "MemoryError" not in said
    assert mebibytes < 824
    # 200 MB in a minute, were all of it read
    assert seconds < 60


@pytest.mark.parametrize("written", ["caf\u00e9;\u20ac 5\n", "caf\u00e9;\U0001f332\n", "plain\n"])
def test_a_text_is_the_same_in_whatever_it_is_written(written: str) -> None:
    plain = written.encode()
    assert text_of(plain, "a.csv") == text_of(b"\xef\xbb\xbf" + plain, "a.csv") == plain
    # over the border of what is decoded at once
    long = b"x" * (_MEBIBYTE - 4) + plain
    assert text_of(long, "a.csv") == long
    with_sign = "caf\u00e9 \u20ac\n" * 10
    assert text_of(with_sign.encode("cp1252"), "a.csv").decode() == with_sign


def test_what_is_no_text_is_refused_with_its_line() -> None:
    with pytest.raises(UnreadableFileError, match="line 3 is neither UTF-8 nor Windows-1252"):
        text_of(b"a\nb\n\x81\xff\n", "a.csv")
    with pytest.raises(UnreadableFileError, match="line 3 is neither UTF-8 nor Windows-1252"):
        text_of(b"a" * _MEBIBYTE + b"\nb\n\x81\xff\n", "a.csv")


def test_an_export_of_one_endless_line_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="line 2 is longer than"):
        lines_of(b"Van;Tot\n" + b"x" * 100_000, "meter.csv")


def test_an_export_of_more_lines_than_a_year_of_a_hundred_meters_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="has more than 10000000 lines"):
        lines_of(b"\n" * 10_000_001, "meter.csv")
