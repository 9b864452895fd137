"""What a head answers by the link in a mail: over HTTP, at the process that a city starts."""

import json
import os
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import polars as pl
import pytest
import requests
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from orchestration.alerts.answering import answers_of, standings
from orchestration.alerts.answers import Standing
from orchestration.alerts.links import SHOW, VALID_FOR, Link, keys_of, link_of
from orchestration.alerts.pages import HEADERS, MOST_BYTES, PER_LINK
from orchestration.cli import app
from orchestration.report import published_verdicts
from orchestration.settings import SettingInvalidError, Settings
from tests.orchestration.answering import ROOT, TODAY, WEEK, Web, buttons_in, expired, serving
from tests.orchestration.profiles import NOW, copy_profile, settings_in
from warehouse.state import Answer, State

SUPPLIED = "wind_mw_2050"
MARCH = date(2027, 3, 1)
PLAN = {
    "fact": "Er zijn 300 dossiers.",
    "cause": "De wachttijd is te lang.",
    "action": "Twee adviseurs erbij <zo snel mogelijk>.",
    "owner": "diensthoofd wonen",
    "due_date": MARCH.isoformat(),
}


@pytest.fixture(scope="module")
def home(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = copy_profile(demo_home, tmp_path_factory.mktemp("web") / "var")
    # the registry of the demo knows no figure that another department supplies
    (table,) = home.rglob("fct_target_verdicts.parquet")
    supplied = pl.when(pl.col("target_id") == SUPPLIED).then(pl.lit("gebouwen")).otherwise("data_owner_department_id")
    verdicts = pl.read_parquet(table).with_columns(supplied.alias("data_owner_department_id"))
    table.unlink()
    verdicts.write_parquet(table)
    return home


@pytest.fixture(scope="module")
def web(home: Path) -> Iterator[Web]:
    with serving(home) as started:
        yield started


@pytest.fixture(scope="module")
def target(web: Web) -> dict[str, object]:
    """A target that is behind and has a deadline."""
    rows = published_verdicts(web.settings).filter(status="behind", is_alarm=True).drop_nulls("target_date")
    return rows.sort("target_id").row(0, named=True)


@pytest.fixture
def link(web: Web, target: dict[str, object], request: pytest.FixtureRequest) -> str:
    """The link of a message of the test's own."""
    return web.link(str(target["target_id"]), str(target["department_id"]), period=request.node.name)


def sign(web: Web, purpose: str = SHOW, **said: object) -> str:
    keys = keys_of(web.settings)
    return replace(Link(purpose, "x", "wonen", WEEK, TODAY + VALID_FOR), **said).signed(keys)  # type: ignore[arg-type]


def test_a_link_shows_the_story_of_its_target_in_dutch(link: str, target: dict[str, object]) -> None:
    page = requests.get(link, timeout=30)
    assert (page.status_code, page.headers["Content-Language"]) == (200, "nl-BE")
    text = page.text.replace("&#39;", "'").replace("\N{NO-BREAK SPACE}", " ")
    assert '<html lang="nl-BE">' in text
    for told in ("title_nl", "sentence_nl", "target_nl"):
        assert str(target[told]) in text
    assert f"tegen {target['target_date']:%d/%m/%Y}" in text
    assert "<script" not in text


def test_whoever_follows_a_link_changes_nothing(web: Web, link: str) -> None:
    before = web.given
    buttons = web.buttons(link)
    assert len(buttons) == 4
    for address in (link, *buttons.values()):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"):
            requests.request(method, address, data=PLAN, timeout=30)
    requests.post(link, data=PLAN, timeout=30)
    assert web.given == before


def test_a_button_gives_one_answer_and_the_same_again_writes_nothing_more(web: Web, link: str) -> None:
    before = web.given
    seen = web.buttons(link)["Gezien"]
    thanks = requests.post(seen, timeout=30)
    assert (thanks.status_code, "Genoteerd. Dank u wel." in thanks.text) == (200, True)
    (given,) = web.given[len(before) :]
    assert (given.kind, given.way, given.token_id is None) == ("seen", "web", False)
    again = requests.post(seen, timeout=30)
    assert (again.status_code, "Dit was al genoteerd. Er is niets veranderd." in again.text) == (200, True)
    assert len(web.given) == len(before) + 1
    assert "Gezien" not in web.buttons(link)


def test_of_twenty_the_same_at_once_one_is_written(web: Web, link: str) -> None:
    before = len(web.given)
    button = web.buttons(link)["Gezien"]
    with ThreadPoolExecutor(20) as pool:
        said = [page.text for page in pool.map(lambda _: requests.post(button, timeout=30), range(20))]
    assert len(web.given) == before + 1
    assert sum("Dank u wel" in text for text in said) == 1
    assert sum("al genoteerd" in text for text in said) == 19


def test_a_link_that_was_used_before_changes_no_plan(web: Web, link: str) -> None:
    button = web.buttons(link)["Plan bewaren"]
    requests.post(button, data=PLAN, timeout=30)
    before = web.given
    assert "al genoteerd" in requests.post(button, data=PLAN | {"action": "Niets."}, timeout=30).text
    assert web.given == before


def test_a_plan_is_kept_in_its_own_words_and_shown_on_the_page(web: Web, link: str, target: dict[str, object]) -> None:
    page = requests.post(web.buttons(link)["Plan bewaren"], data=PLAN, timeout=30)
    assert "Twee adviseurs erbij &lt;zo snel mogelijk&gt;." in page.text
    plan = web.given[-1].plan
    assert plan is not None
    assert (*plan[:4], plan.due_date.isoformat()) == tuple(PLAN.values())
    assert (web.given[-1].target_id, web.given[-1].department_id) == (target["target_id"], target["department_id"])


def test_what_is_put_off_says_until_when_and_can_be_taken_back(web: Web, link: str) -> None:
    said = {"reason": "De plantdagen zijn in maart.", "until": "1/3/2027"}
    page = requests.post(web.buttons(link)["Uitstellen"], data=said, timeout=30)
    assert web.given[-1].until == MARCH
    assert "Uitgesteld tot 01/03/2027" in page.text
    page = requests.post(buttons_in(page)["Niet langer uitstellen"], timeout=30)
    assert "Uitgesteld tot" not in page.text


@pytest.mark.parametrize(
    ("button", "said", "told"),
    [
        ("Uitstellen", {"until": "2027-03-01"}, "Dit is nog niet ingevuld"),
        ("Uitstellen", {"reason": "later"}, "Dit is nog niet ingevuld"),
        ("Uitstellen", {"reason": "later", "until": "2028-03-01"}, "binnen een half jaar"),
        ("Uitstellen", {"reason": "later", "until": "2026-11-23"}, "een dag na vandaag"),
        ("Uitstellen", {"reason": "later", "until": "ooit"}, "dd/mm/jjjj"),
        ("Melden dat dit niet klopt", {"reason": "Bel 0479 11 22 33"}, "nummer van een persoon"),
        ("Melden dat dit niet klopt", {"reason": "x" * 501}, "500 tekens"),
        ("Plan bewaren", PLAN | {"owner": "jan@stad.test"}, "een mailadres"),
    ],
)
def test_what_is_not_filled_in_well_is_said_beside_its_field_and_not_kept(
    web: Web, link: str, button: str, said: dict[str, str], told: str
) -> None:
    before = web.given
    page = requests.post(web.buttons(link)[button], data=said, timeout=30)
    assert (page.status_code, told in page.text) == (422, True)
    # what was written well need not be written twice, and a screen reader finds what was not
    assert button in buttons_in(page)
    assert page.text.count('aria-invalid="true" aria-describedby="wrong"') == page.text.count('id="wrong"') == 1
    assert web.given == before


def test_a_dispute_is_answered_by_who_supplies_the_figure(web: Web) -> None:
    theirs = web.link(SUPPLIED, "gebouwen")
    assert web.buttons(theirs) == {}
    page = requests.post(
        web.buttons(web.link(SUPPLIED, "klimaat"))["Melden dat dit niet klopt"],
        {"reason": "Mei ontbreekt."},
        timeout=30,
    )
    assert "Betwist sinds" in page.text
    assert web.buttons(theirs).keys() == {"Antwoorden"}
    page = requests.post(web.buttons(theirs)["Antwoorden"], {"reason": "Mei is bijgeteld."}, timeout=30)
    assert "Betwist sinds" not in page.text
    assert [each.kind for each in web.given if each.target_id == SUPPLIED] == ["dispute", "dispute_closed"]


def test_forged_expired_and_misused_links_get_one_answer_and_change_nothing(web: Web, link: str) -> None:
    before = web.given
    seen = web.buttons(link)["Gezien"]
    token = seen.rpartition("/")[2]
    said, _, signature = token.partition(".")
    other = Link(SHOW, "x", "wonen", WEEK, TODAY + VALID_FOR).signed([SecretStr("k" * 64)])
    tampered = urlsafe_b64encode(b'["seen","bikes","wonen","2026-W48","2099-01-01"]').rstrip(b"=").decode()
    wrong = {
        "an empty signature": f"{said}.",
        "no signature": said,
        "another content": f"{tampered}.{signature}",
        "a letter more": f"{token}A",
        "a letter less": token[:-2],
        "another key": other,
        "no text of ours": "%00%ff%2e.é",
        "a very long one": "A" * 5000,
        "a day too old": expired(web).rpartition("/")[2],
        "a link for looking": link.rpartition("/")[2],
        "no kind of answer": sign(web, "owner"),
    }
    pages = {why: requests.post(f"{web.address}/antwoord/{each}", timeout=30) for why, each in wrong.items()}
    pages |= {"a button to look with": requests.get(f"{web.address}/doel/{token}", timeout=30)}
    pages |= {"an old link": requests.get(expired(web), timeout=30)}
    assert {why: page.status_code for why, page in pages.items()} == dict.fromkeys(pages, 403)
    assert len({page.text for page in pages.values()}) == 1
    assert "Deze link werkt niet of niet meer." in next(iter(pages.values())).text
    assert web.given == before


def test_a_link_works_to_its_last_day(web: Web) -> None:
    last = web.link("dwellings", on=TODAY - VALID_FOR)
    # whether the target is there is another matter
    assert requests.get(last, timeout=30).status_code in {200, 404}
    assert requests.get(web.link(on=TODAY - VALID_FOR - timedelta(days=1)), timeout=30).status_code == 403


def test_a_target_that_left_the_register_is_said_to_have(web: Web) -> None:
    page = requests.get(web.link("gone"), timeout=30)
    assert (page.status_code, "staat niet meer in het register" in page.text) == (404, True)


def test_every_page_may_do_nothing_but_be_read(web: Web, link: str) -> None:
    button = web.buttons(link)["Melden dat dit niet klopt"]
    pages = {
        200: requests.get(link, timeout=30),
        400: requests.post(button, data="a=%ff", headers={"Content-Type": FORM}, timeout=30),
        403: requests.get(f"{web.address}/doel/x.y", timeout=30),
        404: requests.get(f"{web.address}/.env", timeout=30),
        405: requests.get(button, timeout=30),
        413: requests.post(button, data={"reason": "x" * MOST_BYTES}, timeout=30),
        415: requests.post(button, json={"reason": "x"}, timeout=30),
        422: requests.post(button, timeout=30),
    }
    assert {code: page.status_code for code, page in pages.items()} == {code: code for code in pages}
    for page in pages.values():
        assert HEADERS.items() <= page.headers.items()
        assert not {"Set-Cookie", "Server", "Location"} & page.headers.keys()
    assert pages[405].headers["Allow"] == "POST"
    policy = HEADERS["Content-Security-Policy"]
    for part in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "'sha256-"):
        assert part in policy
    assert "unsafe" not in policy


FORM = "application/x-www-form-urlencoded"


def test_a_body_that_never_ends_is_cut_off(web: Web, link: str) -> None:
    parts = iter([b"reason=", *[b"x" * 1000] * 100])
    page = requests.post(
        web.buttons(link)["Melden dat dit niet klopt"], data=parts, headers={"Content-Type": FORM}, timeout=30
    )
    assert page.status_code == 413


def test_who_asks_too_often_waits_and_nobody_else_does(home: Path) -> None:
    with serving(home) as web:
        busy, other = web.link(period="2026-W40"), web.link(period="2026-W41")
        with ThreadPoolExecutor(20) as pool:
            codes = list(pool.map(lambda _: requests.get(busy, timeout=30).status_code, range(PER_LINK + 50)))
            # one link that comes back a second later, at most
            assert 48 <= codes.count(429) <= 50
            forged = f"{web.address}/doel/x.y"
            strangers = list(pool.map(lambda _: requests.get(forged, timeout=30), range(150)))
        assert {page.status_code for page in strangers} == {403, 429}
        late = next(page for page in strangers if page.status_code == 429)
        assert 1 <= int(late.headers["Retry-After"]) <= 60
        assert HEADERS.items() <= late.headers.items()
        assert requests.get(other, timeout=30).status_code != 429


def test_a_state_that_cannot_be_read_is_told_in_plain_dutch(
    home: Path, target: dict[str, object], tmp_path: Path
) -> None:
    with serving(copy_profile(home, tmp_path / "var")) as web:
        button = web.buttons(web.link(str(target["target_id"]), str(target["department_id"]), "2026-W39"))["Gezien"]
        for each in web.settings.layout.root.glob("state.sqlite*"):
            each.unlink()
        web.settings.layout.state.write_bytes(b"no database at all, " * 500)
        page = requests.post(button, timeout=30)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "60")
    assert "kan nu niet genoteerd worden" in page.text
    assert "sqlite" not in page.text


def test_a_key_taken_out_of_the_file_ends_the_links_it_signed(web: Web, link: str) -> None:
    file = web.settings.web_key_file
    written = file.read_text("ascii")
    try:
        file.write_text(written + "n" * 64 + "\n", "ascii")
        newer = web.link("gone", period="2026-W38")
        assert [requests.get(each, timeout=30).status_code for each in (link, newer)] == [200, 404]
        file.write_text("n" * 64 + "\n", "ascii")
        assert [requests.get(each, timeout=30).status_code for each in (link, newer)] == [403, 404]
    finally:
        file.write_text(written, "ascii")


def test_no_mail_bears_a_link_where_nobody_serves_it_or_the_key_could_be_guessed(
    web: Web, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = "dwellings", "wonen", WEEK, TODAY
    assert link_of(web.settings, *said) == link_of(web.settings, *said)
    assert link_of(settings_in(tmp_path, {}), *said) is None
    key = tmp_path / "web.key"
    key.write_text("kortrijk\n", "ascii")
    weak = settings_in(tmp_path, {}, ADEMRUIMTE_WEB_URL="https://x.test/a/", ADEMRUIMTE_WEB_KEY_FILE=str(key))
    assert link_of(weak, *said) is None
    assert "fewer than 32 characters" in caplog.text
    key.write_text("k" * 64 + "\n", "ascii")
    assert str(link_of(weak, *said)).startswith("https://x.test/a/doel/")


@pytest.mark.parametrize("address", ["http://ademruimte.kortrijk.be", "ademruimte.kortrijk.be", "https://x.test/?a=b"])
def test_links_are_secrets_so_their_address_is_encrypted(tmp_path: Path, address: str) -> None:
    with pytest.raises(SettingInvalidError, match="ADEMRUIMTE_WEB_URL"):
        settings_in(tmp_path, {}, ADEMRUIMTE_WEB_URL=address)


def target_of(settings: Settings) -> str:
    return next(t for t in published_verdicts(settings)["target_id"] if t.startswith("collective_renovation"))


def test_a_plan_that_is_typed_is_shown_by_status_within_eighty_columns(own_demo: Settings) -> None:
    target = target_of(own_demo)
    words = ["--fact", "Eén buurt doet mee.", "--cause", "Geen begeleider.", "--action", "Een begeleider aanwerven."]
    told = typed(own_demo, "alerts", "plan", target, *words, "--owner", "diensthoofd wonen", "--date", "2027-03-01")
    assert (told.returncode, told.stdout) == (0, f"{target}: noted for wonen\n"), told.stderr
    with State(own_demo.layout.state) as state:
        for said in (
            Answer(target, "wonen", "snooze", NOW, "web", "De gemeenteraad beslist in januari.", date(2027, 2, 1)),
            Answer(target, "wonen", "dispute", NOW, "web", "De buurt Overleie telt niet mee."),
        ):
            state.answer(said)
    status = typed(own_demo, "status", "--behind").stdout
    assert max(map(len, status.splitlines())) <= 80
    for shown in ("planned for 2027-03-01", "snoozed until 2027-02-01", "called wrong on 2026-11-23"):
        assert shown in " ".join(status.split())
    why = " ".join(run(own_demo, "status", "--why", target).output.split())
    assert "Plan van diensthoofd wonen, tegen 01/03/2027: Een begeleider aanwerven." in why
    assert "Uitgesteld tot 01/02/2027: De gemeenteraad beslist in januari." in why
    assert "Betwist sinds 23/11/2026: De buurt Overleie telt niet mee." in why


def test_what_is_typed_is_kept_as_what_is_clicked(own_demo: Settings) -> None:
    target = target_of(own_demo)
    reason = ["--reason", "De gemeenteraad beslist in januari."]
    for words in (
        ["seen", target],
        ["snooze", target, "--until", "2027-02-01", *reason],
        ["wake", target],
        ["dispute", target, *reason],
        ["settle", target, *reason],
    ):
        told = run(own_demo, "alerts", *words)
        assert (told.exit_code, told.output) == (0, f"{target}: noted for wonen\n")
    kinds = ["seen", "snooze", "snooze_ended", "dispute", "dispute_closed"]
    assert [(each.kind, each.way, each.token_id) for each in answers_of(own_demo)] == [(k, "cli", None) for k in kinds]
    day = date(2026, 11, 23)
    assert standings(own_demo, day)[target] == Standing(seen_on=standings(own_demo, day)[target].seen_on)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["seen", "co2_teritory_2030"], "did you mean co2_territory_2030?"),
        (["seen", "Netto CO₂-neutrale samenlevin"], "did you mean co2_neutral_2050?"),
        (["seen", "42"], "`ademruimte targets list` shows them"),
        (["dispute", "co2_territory_2030", "--reason", "Vraag het aan jan@stad.test"], "--reason holds a mail address"),
        (["snooze", "co2_territory_2030", "--until", "2028-01-01", "--reason", "later"], "--until choose a day within"),
        (["settle", "co2_territory_2030", "--reason", "ok"], "nothing is disputed"),
    ],
)
def test_what_cannot_be_noted_says_what_to_do(demo: Settings, words: list[str], told: str) -> None:
    before = answers_of(demo)
    result = run(demo, "alerts", *words)
    said = " ".join(result.output.replace("│", " ").split())
    assert (result.exit_code, told in said) == (2, True), said
    assert "jan@" not in said
    assert answers_of(demo) == before


def test_pages_are_served_to_this_machine_alone(empty_profile: Callable[..., Settings]) -> None:
    told = typed(empty_profile(), "web", "--host", "0.0.0.0")  # noqa: S104 - what is refused
    assert (told.returncode, "behind your proxy" in told.stderr) == (2, True)


def run(settings: Settings, *words: str) -> Result:
    """The command line in this process."""
    return CliRunner().invoke(app, words, env=settings.environment)


def typed(settings: Settings, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **settings.environment, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *words],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        cwd=settings.layout.root,
        timeout=60,
    )


LOOK = """<script>window.addEventListener("load", () => {
  for (const each of document.querySelectorAll("details")) each.open = true;
  document.title = JSON.stringify([innerWidth, document.documentElement.scrollWidth,
    getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]);
});</script></body>"""


# starts a browser twice
@pytest.mark.browser
def test_a_page_is_as_wide_as_a_telephone_and_legible_in_the_dark(web: Web, link: str, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: `make browser` installs it for root")
    said = {"until": "2027-03-01", "reason": "x" * 501}
    page = tmp_path / "page.html"
    text = requests.post(web.buttons(link)["Uitstellen"], data=said, timeout=30).text
    page.write_text(text.replace("</body>", LOOK), "utf-8")
    seen = {}
    for name, mode in (("light", []), ("dark", ["--blink-settings=preferredColorScheme=0"])):
        words = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=400,900", *mode]
        words += [f"--user-data-dir={tmp_path / name}", "--virtual-time-budget=2000", "--dump-dom", page.as_uri()]
        dom = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout
        width, needed, *colours = json.loads(unescape(dom.partition("<title>")[2].partition("</title>")[0]))
        assert needed <= width <= 500
        seen[name] = [sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(", "))) for colour in colours]
    # ink on paper, and the other way round: 765 is white
    assert seen["light"][1] - seen["light"][0] > 500
    assert seen["dark"][0] - seen["dark"][1] > 500
