"""Opens a DuckDB file as the pipeline does and keeps it until it is killed."""

import sys
import time
from pathlib import Path

from warehouse.engine import connect

con = connect(Path(sys.argv[1]))
print("open", flush=True)  # noqa: T201 - the test waits for this line
time.sleep(60)
