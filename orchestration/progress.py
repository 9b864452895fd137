"""What a person sees while work goes on: our own log lines, and a sign of life where there are none for a while."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

_SILENCE_SECONDS = 1.5


class Progress(logging.Handler):
    """Our own log lines, with the seconds since the start; other libraries stay quiet."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._began = self._spoke = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Shows a log line: one, also where a file name in it holds the end of one."""
        self._say(" ".join(record.getMessage().splitlines()))

    @contextmanager
    def working(self) -> Iterator[None]:
        """Shows that work goes on: a spinner on a terminal, elsewhere a line when nothing was said for a while."""
        if self._console.is_terminal:
            with self._console.status("working"):
                yield
            return
        is_done = threading.Event()
        watching = threading.Thread(target=self._watch, args=(is_done,), daemon=True)
        watching.start()
        try:
            yield
        finally:
            is_done.set()
            watching.join()

    def _say(self, line: str) -> None:
        self._spoke = time.monotonic()
        self._console.print(f"{self._spoke - self._began:6.1f} s  {line}", markup=False, soft_wrap=True)

    def _watch(self, is_done: threading.Event) -> None:
        while not is_done.wait(max(0.1, self._spoke + _SILENCE_SECONDS - time.monotonic())):
            if time.monotonic() - self._spoke >= _SILENCE_SECONDS:
                self._say("still working")


def show_progress(console: Console) -> Progress:
    """From here on our own log lines go to a console as they happen, and no library's do."""
    # without a handler at the root, Python itself prints what any library warns of
    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(capture=True)
    progress = Progress(console)
    logger = logging.getLogger("ademruimte")
    logger.setLevel(logging.INFO)
    logger.handlers = [progress]
    logger.propagate = False
    return progress
