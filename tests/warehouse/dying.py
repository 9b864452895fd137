"""Runs one piece of work in children that are killed at their first, second, third … touch of the disk.

Prints the exit codes; the last child meets no kill point and ends by itself.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from conftest import NOON, make_arrival, make_contract, make_rows

from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.load import load

_TOUCHES = {
    "commit": {"mkdir", "fsync", "rename", "write", "open", "close", "rmdir"},
    "load": {"connect", "begin", "commit", "rollback", "execute", "insert_into", "close"},
}


def killer(names: set[str], point: int) -> Callable[[FrameType, str, object], None]:
    left = point

    def watch(_: FrameType, event: str, called: object) -> None:
        nonlocal left
        if event == "c_call" and getattr(called, "__name__", "") in names:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return watch


def commit(root: Path, point: int) -> None:
    Lake(root / f"lake-{point}").commit(make_arrival(make_rows([1.0, 2.5])), NOON)


def load_once(root: Path, point: int) -> None:
    con = connect(root / f"warehouse-{point}.duckdb")
    load(con, Lake(root / "lake"), {"meters": make_contract()})
    con.close()


def death(work: Callable[[Path, int], None], root: Path, names: set[str], point: int) -> int:
    child = os.fork()
    if child == 0:
        sys.setprofile(killer(names, point))
        work(root, point)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    root, what = Path(sys.argv[1]), sys.argv[2]
    work = {"commit": commit, "load": load_once}[what]
    deaths: list[int] = []
    while not deaths or deaths[-1] != 0:
        deaths.append(death(work, root, _TOUCHES[what], len(deaths) + 1))
    sys.stdout.write(json.dumps(deaths))


if __name__ == "__main__":
    main()
