"""Rotates the key of copies of a profile, each in a child that is shot a few touches of the disk later than the last.

The copies lie beside the profile, named after the touch at which their child died. Prints the exit codes by touch;
the last child ends by itself.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from orchestration.loop.rotation import rotate
from tests.orchestration.profiles import LATER, settings_in

_DISK = {"mkdir", "fsync", "rename", "write", "open", "close", "link", "replace"}
_STEP = 11


def die_at(touch: int) -> None:
    left = touch

    def watch(_: FrameType, event: str, called: object) -> None:
        nonlocal left
        if event == "c_call" and getattr(called, "__name__", "") in _DISK:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


def death(home: Path, touch: int) -> int:
    own = home.with_name(str(touch))
    shutil.copytree(home, own)
    child = os.fork()
    if child == 0:
        die_at(touch)
        list(rotate(settings_in(own, {}), LATER))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    deaths: dict[int, int] = {}
    while not deaths or 0 not in deaths.values():
        touch = 1 + _STEP * len(deaths)
        deaths[touch] = death(Path(sys.argv[1]), touch)
    sys.stdout.write(json.dumps(deaths))


if __name__ == "__main__":
    main()
