"""Reads the published build again and again, as Power BI would, and tells what it saw.

Arguments: the published folder, and a file that ends the reading once it exists. Keeps its first connection
open to the end. Prints reads, torn reads, the builds seen and the first and last value of the first connection.
"""

import json
import sys
from pathlib import Path

import duckdb

_BOTH = """
select min(least(a.build_no, b.build_no)), max(greatest(a.build_no, b.build_no)), count(*)
from marts.fct_a as a full join marts.fct_b as b using (n)
"""


def main() -> None:
    published, end = Path(sys.argv[1]), Path(sys.argv[2])
    file = published / "current" / "ademruimte.duckdb"

    def open_published() -> duckdb.DuckDBPyConnection:
        # DuckDB shares an instance per path: through the pointer a second open would show the build before it
        return duckdb.connect(file.resolve(), read_only=True)

    def read_parquet() -> tuple[int, int]:
        """The lowest and the highest number in the files of the build that the pointer names."""
        folder = published / json.loads((published / "current.json").read_bytes())["parquet"] / "marts"
        (found,) = (
            duckdb.connect()
            .execute(f"""select min(build_no), max(build_no) from (
            select build_no from '{folder}/fct_a.parquet' union all select build_no from '{folder}/fct_b.parquet'
        )""")
            .fetchall()
        )
        return found

    keeper = open_published()
    (kept,) = keeper.execute(_BOTH).fetchall()
    print("reading", flush=True)  # noqa: T201 - the test waits for this line
    reads, torn, seen = 0, 0, set()
    while not end.exists():
        con = open_published()
        ((first, last, rows),) = con.execute(_BOTH).fetchall()
        con.close()
        reads += 1
        lowest, highest = read_parquet()
        torn += first != last or rows != 1000 or lowest != highest
        seen.add(first)
    still = keeper.execute(_BOTH).fetchall() == [kept]
    sys.stdout.write(json.dumps({"reads": reads, "torn": torn, "seen": sorted(seen), "kept": still}))


if __name__ == "__main__":
    main()
