"""Holds the write lock of a state database for half a second, then commits."""

import sqlite3
import sys
import time

con = sqlite3.connect(sys.argv[1], isolation_level=None)
con.execute("begin immediate")
con.execute("insert into source_progress (source, last_asked_at) values ('other', '2026-11-22T12:00:00.000000+00:00')")
print("locked", flush=True)  # noqa: T201 - the test waits for this line
time.sleep(0.5)
con.execute("commit")
