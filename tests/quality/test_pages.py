"""The Data Docs stand alone: everything that a page shows lies beside it."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest

from orchestration.data_docs import data_docs_index
from orchestration.quality import run_suite

BUILD = "20261123T060000000000Z-0123456789ab"
TAG = re.compile(r"<(?:link|script|img|iframe|source)\b[^>]*?\b(?:src|href)=\"([^\"]*)\"")
# what the browser itself asks its makers, whatever page it shows
ITS_OWN = re.compile(r"(^|\.)(google|googleapis|gvt1)\.com$")
ROW = re.compile(r'<tr><td><a href="([^"]+)">([^<]+)</a></td>.*<td class="[^"]*">([^<]+)</td></tr>')
LOOK = """
<img src="https://outside.example/control.png">
<script>window.addEventListener("load", () => setTimeout(() => {
  document.title = JSON.stringify({
    link: getComputedStyle(document.querySelector("a")).color,
    font: getComputedStyle(document.body).fontFamily,
    rows: document.querySelectorAll("table tbody tr").length,
    failed: [...document.querySelectorAll("td.failed, .fa-times")].length,
    width: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  });
}, 300));</script>
"""


@pytest.fixture
def site(kpi_rows: pd.DataFrame, tmp_path: Path) -> Path:
    """The pages of a suite in which one KPI fails."""
    kpi_rows.loc[3, "value"] = 140.0
    assert run_suite(kpi_rows, tmp_path, BUILD)
    return data_docs_index(tmp_path).parent


def test_no_page_asks_anything_of_an_outside_host_and_what_it_asks_is_there(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) == 5
    for page in pages:
        text = page.read_text("utf-8")
        asked = TAG.findall(text)
        assert "data_docs.css" in " ".join(asked)
        assert "<script" not in text
        assert not [where for where in asked if "//" in where]
        assert not re.findall(r"url\([\"']?https?:|@import", text)
        assert not [where for where in asked if "favicon" not in where and not (page.parent / where).is_file()]


def test_no_picture_lies_beside_the_pages_that_none_of_them_shows(site: Path) -> None:
    pictures = [path for path in site.rglob("*") if path.suffix in {".png", ".gif", ".svg", ".ico"}]
    shown = " ".join(page.read_text("utf-8") for page in site.rglob("*.html"))
    assert [path.name for path in pictures if path.name not in shown] == []


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("no chromium on this machine: `make browser` installs it for root")
    return found


def seen(chromium: str, page: Path, folder: Path) -> tuple[dict[str, object], set[str]]:
    """What a browser without a network makes of a page, and the outside hosts that it asked for."""
    probe = page.with_name(f"probe-{page.name}")
    probe.write_text(page.read_text("utf-8").replace("</body>", LOOK + "</body>"), encoding="utf-8")
    shown = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--user-data-dir={folder / 'browser'}", "--host-resolver-rules=MAP * ~NOTFOUND"),
            *(f"--log-net-log={folder / 'net.json'}", "--virtual-time-budget=5000", "--dump-dom", probe.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    (title,) = re.findall(r"<title>(\{.*?\})</title>", shown)
    asked = re.findall(r'"url":"(https?://[^"]*)"', (folder / "net.json").read_text("utf-8"))
    hosts = {urlsplit(url).hostname or "" for url in asked}
    return json.loads(unescape(title)), {host for host in hosts if not ITS_OWN.search(host)}


@pytest.mark.browser
# a page of a family says so at its head too
@pytest.mark.parametrize(("kind", "failed"), [("index.html", 1), ("validations/**/*tickets*.html", 2)])
def test_a_page_is_styled_and_whole_where_the_network_is_cut_off(
    site: Path, chromium: str, tmp_path: Path, kind: str, failed: int
) -> None:
    (page,) = site.glob(kind)
    look, hosts = seen(chromium, page, tmp_path)
    assert hosts == {"outside.example"}, "only what this test put there to see that a request is noticed"
    assert look["link"] != "rgb(0, 0, 238)", "the colour of a bare link"
    assert "Arial" in str(look["font"])
    assert look["rows"] > 1
    assert look["failed"] == failed
    assert look["width"] == 0, "nothing lies beyond the window"


def test_the_index_names_every_family_the_failed_ones_first_and_leads_to_its_page(site: Path) -> None:
    rows = ROW.findall((site / "index.html").read_text("utf-8"))
    assert [(family, outcome) for _, family, outcome in rows] == [
        ("kpi_tickets_on_time", "failed"),
        ("kpi_own_energy", "passed"),
    ]
    assert all((site / where).is_file() for where, _, _ in rows)
