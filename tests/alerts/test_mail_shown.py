"""The mail in a browser: legible in light and dark, whole on a telephone, and asking nothing of anybody."""

import shutil
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from orchestration.alerts.digest import Digest
from tests.alerts.shown import DARK, page_of, seen
from tests.alerts.test_mail import everything

WHITE = "rgb(255, 255, 255)"


@pytest.fixture(scope="module")
def html(told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]) -> str:
    at_risk = {"target_id": "shared_cars", "title_nl": "Deelwagens", "status": "at_risk"}
    (digest,) = told({}, {"target_id": "due", "status": "overdue", "status_nl": "termijn verstreken"}, at_risk)
    mail = mail_of(everything(digest), contact_nl="Dienst Klimaat, klimaat@stad.test.")
    return page_of(message_from_bytes(mail.as_bytes(), EmailMessage, policy=policy.default))


@pytest.mark.browser  # a second for each start of Chromium
@pytest.mark.parametrize("flags", [(), (DARK,)], ids=["light", "dark"])
@pytest.mark.parametrize(("window", "sheet"), [(700, 600), (400, 384)])
def test_a_mail_is_legible_and_whole(
    html: str, tmp_path: Path, flags: tuple[str, ...], window: int, sheet: int
) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: `make browser` installs it for root")
    look = seen(chromium, html, tmp_path, *flags, width=window)
    assert look["texts"] > 30
    assert look["contrast"] >= 4.5, "WCAG 2.1 AA"
    assert (look["beyond"], look["sheet"], look["pictures"]) == (0, sheet, 2)
    assert (look["paper"] == WHITE) == (not flags), "the dark is dark"
