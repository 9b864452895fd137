"""A mail as a browser shows it: measured, or drawn. `python -m tests.alerts.shown FILE.eml` draws docs/mail.png."""

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape, unescape
from pathlib import Path

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "mail.png"
_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
DARK = "--blink-settings=preferredColorScheme=0"
_LOOK = """
<script>
const parts = colour => colour.match(/[\\d.]+/g).map(Number);
const light = colour => parts(colour).slice(0, 3).map(each => each / 255)
  .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
  .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
const behind = element => {
  const colour = getComputedStyle(element).backgroundColor;
  return parts(colour)[3] === 0 && element.parentElement ? behind(element.parentElement) : colour;
};
window.addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument, found = [];
  const texts = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.getClientRects().length) continue;
    const [low, high] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => a - b);
    found.push((high + 0.05) / (low + 0.05));
  }
  document.title = JSON.stringify({
    texts: found.length,
    contrast: Math.min(...found),
    beyond: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    sheet: page.querySelector(".sheet").getBoundingClientRect().width,
    paper: getComputedStyle(page.querySelector(".sheet")).backgroundColor,
    pictures: [...page.images].filter(image => image.complete && image.naturalWidth).length,
  });
});
</script>
"""


def page_of(mail: EmailMessage) -> str:
    """The HTML of a mail with its pictures inside."""
    body = mail.get_body(("html",))
    assert body is not None
    html: str = body.get_content()
    for part in mail.walk():
        if part.get_content_type() == "image/png":
            picture = base64.b64encode(part.get_content()).decode()
            html = html.replace(f"cid:{part['Content-ID'][1:-1]}", f"data:image/png;base64,{picture}")
    return html


def seen(chromium: str, html: str, folder: Path, *flags: str, width: int = 700) -> dict[str, object]:
    """What a browser without a network makes of a mail in a window of a width."""
    page = folder / "page.html"
    frame = f'<iframe srcdoc="{escape(html)}" width="{width}" height="900" style="border:0"></iframe>'
    page.write_text(f"<!DOCTYPE html><title></title><body style='margin:0'>{frame}{_LOOK}", encoding="utf-8")
    wanted = ("--virtual-time-budget=5000", "--dump-dom", page.as_uri())
    shown = _browse(chromium, folder, *flags, *wanted)
    (title,) = re.findall(r"<title>(\{.*?\})</title>", shown)
    return dict(json.loads(unescape(title)))


def _browse(chromium: str, folder: Path, *flags: str) -> str:
    command = [chromium, *_QUIET, f"--user-data-dir={folder / 'browser'}", *flags]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def draw(eml: Path, picture: Path) -> None:
    """Draws the top of a mail."""
    mail = message_from_bytes(eml.read_bytes(), EmailMessage, policy=policy.default)
    with tempfile.TemporaryDirectory() as name:
        page = Path(name) / "page.html"
        page.write_text(page_of(mail), encoding="utf-8")
        size = ("--window-size=640,900", f"--screenshot={picture}")
        _browse(shutil.which("chromium") or "chromium", Path(name), *size, page.as_uri())


if __name__ == "__main__":
    draw(Path(sys.argv[1]), PICTURE)
