"""Sends what waits, each time in a child that is shot at a touch of the disk or the wire that the test names.

Reads a number on a line: the touch to die at, 0 for none. Prints how the child ended, and how many touches it made.
"""

import os
import signal
import sys
from datetime import UTC, datetime
from types import FrameType

from orchestration.loop import messages
from orchestration.settings import read_settings

_TOUCHES = {"execute", "executemany", "commit", "sendall", "recv_into", "connect", "readline", "send", "__exit__"}


def die_at(touch: int) -> list[int]:
    made = [0]

    def watch(_: FrameType, event: str, called: object) -> None:
        # before it, and when it has just been done
        if event in ("c_call", "c_return") and getattr(called, "__name__", "") in _TOUCHES:
            made[0] += 1
            if made[0] == touch:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    return made


def main() -> None:
    settings = read_settings()
    reading, writing = os.pipe()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            made = die_at(int(line))
            messages.send(settings, datetime.now(UTC))
            sys.setprofile(None)
            os.write(writing, f"{made[0]}\n".encode())
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        touches = os.read(reading, 32).decode().strip() if code == 0 else "0"
        sys.stdout.write(f"{code} {touches}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
