"""Counts what is refused in the real files, for the page of refusals.

`python -m tests.orchestration.real_refusals HOME` writes the counts of the profiles that `ademruimte real` made there
(`HOME/real`); `make acceptance` holds them against the files.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from orchestration.giving_back.refusal_page import COUNTED, Counts
from warehouse.batch import Manifest
from warehouse.lake import Lake


def count(lakes: Iterable[Lake]) -> Counts:
    """Per table of a source the rows received and the values noted, and how often each reason was given."""
    rows: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    for lake in lakes:
        for manifest in lake.manifests():
            for name, counted in manifest.tables.items():
                table = f"{manifest.source}.{name}"
                rows.setdefault(table, Counter()).update(received=counted.received, noted=counted.noted)
                reasons.setdefault(table, Counter()).update(_said(lake, manifest, name))
    return {name: {"rows": dict(rows[name]), "reasons": dict(reasons[name])} for name in rows}


def _said(lake: Lake, manifest: Manifest, table: str) -> list[str]:
    if not manifest.tables[table].quarantined:
        return []
    return lake.read(manifest, table, "quarantine")["reasons"].explode().to_list()


def lakes(home: Path) -> list[Lake]:
    """The lakes of the profiles of real files."""
    return [Lake(path) for path in sorted(home.glob("*/lake"))]


if __name__ == "__main__":
    counts = count(lakes(Path(sys.argv[1]) / "real"))
    COUNTED.write_text(json.dumps(counts, indent=2, sort_keys=True) + "\n", "utf-8")
