"""Runs one piece of work in children that die a little later each time.

`commit` and `load` are killed at their n-th touch of the disk or line; `load_in_time` by an alarm, so that it
also dies in the middle of a call of the engine. Prints the exit codes; the last child ends by itself.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from conftest import NOON, make_arrival, make_contract, make_rows

from warehouse import load as loader
from warehouse.engine import connect
from warehouse.lake import Lake

Trace = Callable[[FrameType, str, object], object]
_DISK = {"mkdir", "fsync", "rename", "write", "open", "close", "rmdir"}
_LINES_PER_POINT = 20
_FIRST_SECONDS, _GROWTH = 0.008, 1.2


def after(count: int) -> Callable[[], None]:
    left = count

    def tick() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return tick


def at_touch(point: int) -> None:
    tick = after(point)

    def watch(_: FrameType, event: str, called: object) -> None:
        if event == "c_call" and getattr(called, "__name__", "") in _DISK:
            tick()

    sys.setprofile(watch)


def at_line(point: int) -> None:
    tick = after(point * _LINES_PER_POINT)

    def watch(frame: FrameType, event: str, _: object) -> Trace | None:
        if event == "line":
            tick()
        return watch if frame.f_code.co_filename == loader.__file__ else None

    sys.settrace(watch)


def at_moment(point: int) -> None:
    # nobody handles it, so the kernel ends the process as it does with SIGKILL
    signal.setitimer(signal.ITIMER_REAL, _FIRST_SECONDS * _GROWTH**point)


def commit(root: Path, point: int) -> None:
    Lake(root / f"lake-{point}").commit(make_arrival(make_rows([1.0, 2.5])), NOON)


def load(root: Path, point: int) -> None:
    con = connect(root / f"warehouse-{point}.duckdb")
    loader.load(con, Lake(root / "lake"), {"meters": make_contract()})
    con.close()


def death(work: Callable[[Path, int], None], arm: Callable[[int], None], root: Path, point: int) -> int:
    child = os.fork()
    if child == 0:
        arm(point)
        work(root, point)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    root = Path(sys.argv[1])
    work, arm = {"commit": (commit, at_touch), "load": (load, at_line), "load_in_time": (load, at_moment)}[sys.argv[2]]
    deaths: list[int] = []
    while not deaths or deaths[-1] != 0:
        deaths.append(death(work, arm, root, len(deaths) + 1))
    sys.stdout.write(json.dumps(deaths))


if __name__ == "__main__":
    main()
