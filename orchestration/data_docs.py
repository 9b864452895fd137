"""The Data Docs of a build: pages that ask nothing of an outside host.

Great Expectations' own pages take their styles and scripts from four hosts; cut off from them they are bare, and
their index, which a script fills, is empty.

Belongs here: what its pages look like and where they begin. Does not belong here: what is checked (`quality`).
"""

import html
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_STYLES = Path(__file__).with_name("data_docs.css")
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
_OUTSIDE = re.compile(r"""<(?:link|img)\b[^>]*?\b(?:src|href)="https?://[^>]*>""")
_OUTSIDE_IMAGE = re.compile(r"url\(['\"]?https?://[^)]*\)")
_WHEN_DARK = "@media (prefers-color-scheme: dark)"


class Family(NamedTuple):
    """A family of KPIs and how many of its expectations were met."""

    name: str
    met: int
    checked: int


def data_docs_index(docs: Path) -> Path:
    """The page to open of the Data Docs in the folder `docs`."""
    return docs / "gx" / "uncommitted" / "data_docs" / "local_site" / "index.html"


def make_stand_alone(docs: Path, build_id: str, families: Iterable[Family]) -> None:
    """Rewrites the pages of a build so that all they show lies beside them, and writes the index.

    Args:
        docs: the folder of this build's Data Docs.
        build_id: which build they are of.
        families: what was checked.
    """
    index = data_docs_index(docs)
    styles = index.with_name(_STYLES.name)
    styles.write_bytes(_STYLES.read_bytes())
    for page in index.parent.rglob("*.html"):
        page.write_text(_alone(page.read_text("utf-8"), os.path.relpath(styles, page.parent)), encoding="utf-8")
    # pictures of a product that no page shows
    shutil.rmtree(index.parent / "static" / "images", ignore_errors=True)
    index.write_text(_index(index.parent, build_id, families), encoding="utf-8")


def _alone(page: str, styles: str) -> str:
    # half of a dark page lies with an outside host, so all pages are light
    text = _OUTSIDE_IMAGE.sub("none", _OUTSIDE.sub("", _SCRIPT.sub("", page))).replace(_WHEN_DARK, "@media not all")
    return text.replace("</head>", f'<link rel="stylesheet" href="{styles}">\n</head>', 1)


def _index(site: Path, build_id: str, families: Iterable[Family]) -> str:
    """One row per family, the failed ones first."""
    rows = "\n".join(
        _row(site, family) for family in sorted(families, key=lambda each: (each.met == each.checked, each))
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Data Docs of build {html.escape(build_id)}</title>
<link rel="stylesheet" href="{_STYLES.name}">
</head>
<body>
<main>
<h1>Data Docs</h1>
<p>What was expected of the KPIs of build {html.escape(build_id)}, and whether they met it.</p>
<table>
<thead><tr><th scope="col">KPI family</th><th scope="col">Expectations met</th><th scope="col">Outcome</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</main>
</body>
</html>
"""


def _row(site: Path, family: Family) -> str:
    (page,) = site.glob(f"validations/{family.name}/**/*.html")
    outcome = "passed" if family.met == family.checked else "failed"
    return (
        f'<tr><td><a href="{page.relative_to(site).as_posix()}">{html.escape(family.name)}</a></td>'
        f'<td class="number">{family.met} of {family.checked}</td><td class="{outcome}">{outcome}</td></tr>'
    )
