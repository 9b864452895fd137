"""A fingerprint of every table of a built profile, to show that a change of the code moves no figure.

    python -m tests.golden.fingerprints var/demo/kortrijk
    python -m tests.golden.fingerprints before/demo/kortrijk var/demo/kortrijk

With two profiles it prints only the tables that differ, and its exit code is 1 when there are any.
"""

import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb

from warehouse.engine import connect
from warehouse.layout import Layout

# what tells when and as what something landed or was built; everything else follows from what was delivered. What is a
# restatement follows from known_at: whether an earlier value came after this one
VOLATILE = frozenset({"known_at", "build_id", "loaded_at", "batch_id", "is_restatement"})
# and where it ran: the port of a supplier on loopback, and pseudonyms by a key of its own
_OF_ITS_RUN = VOLATILE | {"last_asked_at", "origin", "supplier", "dossier_id"}


def fingerprints(
    con: duckdb.DuckDBPyConnection, ignored: Collection[str] = VOLATILE
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Of every table its rows and a hash of their content, in whatever order they stand."""
    tables = con.execute(
        """select schema_name || '.' || table_name from duckdb_tables()
        where schema_name in ('kpi', 'marts', 'personal', 'verdicts') order by 1"""
    ).fetchall()
    for (table,) in tables:
        columns = [row[0] for row in con.execute(f"describe {table}").fetchall() if row[0] not in ignored]
        kept = ", ".join(f'"{column}"' for column in columns)
        found = con.execute(
            f"select count(*), coalesce(sum(hash(t)::hugeint), 0) from (select {kept} from {table}) as t"
        ).fetchone()
        assert found is not None
        yield table, (found[0], found[1])


def of_profile(root: Path) -> dict[str, tuple[int, int]]:
    with connect(Layout(root).warehouse, read_only=True) as con:
        return dict(fingerprints(con, _OF_ITS_RUN))


def main(profiles: list[Path]) -> int:
    """Prints the fingerprints of one profile, or where those of two differ."""
    found = [of_profile(profile) for profile in profiles]
    differing = [table for table in sorted(set().union(*found)) if len({each.get(table) for each in found}) > 1]
    for table in differing if len(found) > 1 else found[0]:
        told = [f"{each[table][1]:x} ({each[table][0]} rows)" if table in each else "absent" for each in found]
        print(f"{table:40} {' -> '.join(told)}")  # noqa: T201 - what the command is for
    print(f"{len(found[0])} tables, {len(differing)} differ")  # noqa: T201 - as above
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
