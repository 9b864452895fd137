"""A function is read in one look, and the tests outweigh the code."""

import statistics
from pathlib import Path

LONGEST = 50
NINE_OF_TEN = 30
USUAL = 8


def _written_lines(files: list[Path]) -> int:
    return sum(bool(line.strip()) for path in files for line in path.read_text("utf-8").splitlines())


def test_no_function_is_longer_than_a_screen(function_lengths: dict[str, int]) -> None:
    long = {place: lines for place, lines in function_lengths.items() if lines > LONGEST}
    assert not long


def test_nine_functions_of_ten_have_thirty_lines_or_fewer(function_lengths: dict[str, int]) -> None:
    lengths = sorted(function_lengths.values())
    assert lengths[int(0.9 * (len(lengths) - 1))] <= NINE_OF_TEN


def test_half_of_the_functions_have_eight_lines_or_fewer(function_lengths: dict[str, int]) -> None:
    assert statistics.median(function_lengths.values()) <= USUAL


def test_there_are_as_many_lines_of_tests_as_of_code(source_files: list[Path], test_files: list[Path]) -> None:
    assert _written_lines(test_files) >= _written_lines(source_files)
