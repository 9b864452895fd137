"""What a person sees while work goes on."""

import io
import logging
import time
from collections.abc import Iterator

import pytest
from rich.console import Console

from orchestration.progress import show_progress


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("ademruimte")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield logger
    logger.handlers, logger.level, logger.propagate = before


def test_work_that_says_nothing_shows_a_sign_of_life_within_two_seconds(logger: logging.Logger) -> None:
    written = io.StringIO()
    with show_progress(Console(file=written)).working():
        logger.info("reading a large file")
        time.sleep(3.5)
    lines = written.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("reading a large file")
    assert all(line.endswith("still working") for line in lines[1:])
    assert float(lines[1].split()[0]) < 2


def test_nothing_is_said_beside_work_that_speaks_or_after_it_ended(logger: logging.Logger) -> None:
    written = io.StringIO()
    with show_progress(Console(file=written)).working():
        for part in range(5):
            logger.info("part %d", part)
            time.sleep(0.4)
    time.sleep(1.7)
    assert "still working" not in written.getvalue()


def test_a_terminal_shows_a_spinner_and_the_log_lines_above_it(logger: logging.Logger) -> None:
    written = io.StringIO()
    with show_progress(Console(file=written, force_terminal=True, width=80)).working():
        logger.info("a line")
        time.sleep(0.3)
    assert "working" in written.getvalue()
    assert "a line" in written.getvalue()


def test_progress_that_is_shown_twice_prints_a_line_once(logger: logging.Logger) -> None:
    written = io.StringIO()
    console = Console(file=written)
    show_progress(console)
    show_progress(console)
    logger.info("once")
    assert written.getvalue().count("once") == 1
