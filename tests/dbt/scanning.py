"""What a query read: a count, which is the same on every machine, where seconds are not."""

import json
from collections import Counter

import duckdb


def rows_scanned(con: duckdb.DuckDBPyConnection, sql: str) -> Counter[str]:
    """How many rows of each table a query read, as DuckDB counted them while it ran."""
    scanned: Counter[str] = Counter()
    [(_, profile)] = con.execute(f"explain (analyze, format json) {sql}").fetchall()
    waiting = json.loads(profile)["operator"]
    while waiting:
        operator = waiting.pop()
        waiting.extend(operator.get("children", []))
        if operator["type"] == "TABLE_SCAN" and "Table" in operator["extra_info"]:
            scanned[operator["extra_info"]["Table"].partition(".")[2]] += operator["rows_scanned"]
    return scanned
