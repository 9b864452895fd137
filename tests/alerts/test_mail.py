import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest

from orchestration.alerts.digest import Digest


@pytest.fixture(scope="module")
def digest(told: Callable[..., list[Digest]]) -> Digest:
    at_risk = {"status": "at_risk", "attention_nl": "Op het pad of beter, maar het recente tempo volstaat niet."}
    (digest,) = told({}, {"target_id": "shared_cars", "title_nl": "Deelwagens"} | at_risk)
    return digest


@pytest.fixture(scope="module")
def read_back(digest: Digest, mail_of: Callable[..., EmailMessage]) -> EmailMessage:
    return message_from_bytes(mail_of(digest).as_bytes(), policy=policy.default)


def _html(mail: EmailMessage) -> str:
    return mail.get_body(("html",)).get_content()


def _text(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


class _Elements(HTMLParser):
    """The tags of a page with their attributes, and the words between them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._is_styling = False

    @classmethod
    def of(cls, html: str) -> list[tuple[str, dict[str, str | None]]]:
        return cls._read(html).found

    @classmethod
    def words_of(cls, html: str) -> list[str]:
        return cls._read(html).words

    @classmethod
    def _read(cls, html: str) -> "_Elements":
        parser = cls()
        parser.feed(html)
        return parser

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._is_styling = tag == "style"

    def handle_endtag(self, _tag: str) -> None:
        self._is_styling = False

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._is_styling:
            self.words.append(" ".join(data.split()))


def _images(html: str) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in _Elements.of(html) if tag == "img"]


def test_the_mail_holds_text_and_html_with_its_chart_inside(read_back: EmailMessage) -> None:
    assert [part.get_content_type() for part in read_back.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]


def test_every_image_points_at_a_png_inside_the_mail_and_says_what_it_shows(read_back: EmailMessage) -> None:
    (image,) = _images(_html(read_back))
    (png,) = (part for part in read_back.walk() if part.get_content_type() == "image/png")
    assert image["src"] == f"cid:{png['Content-ID'][1:-1]}"
    assert "905" not in image["alt"]
    assert "Gemeten: van 700 op 22/11/2024 naar 900 op 22/11/2026." in image["alt"]
    assert "Het doel is 1.326 tegen 31/12/2030." in image["alt"]
    assert png.get_content().startswith(b"\x89PNG")
    assert png.get_content_disposition() == "inline"


def test_the_subject_states_the_number_and_survives_the_wire(read_back: EmailMessage) -> None:
    heading = "1 doelstelling achter op schema, 1 doelstelling om op te letten"
    expected = f"SYNTHETISCHE GEGEVENS (demo): {heading} – afdeling Mobiliteit"
    assert read_back["Subject"] == expected


def test_the_plural_is_right(told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]) -> None:
    (digest,) = told({}, {"target_id": "other"})
    assert mail_of(digest, is_synthetic=False)["Subject"] == "2 doelstellingen achter op schema – afdeling Mobiliteit"


def test_synthetic_data_is_named_in_subject_text_and_html(read_back: EmailMessage) -> None:
    for words in (read_back["Subject"], _text(read_back), _html(read_back)):
        assert "SYNTHETISCHE GEGEVENS (demo)" in words


def test_real_data_is_nowhere_called_synthetic(digest: Digest, mail_of: Callable[..., EmailMessage]) -> None:
    mail = mail_of(digest, is_synthetic=False)
    for words in (mail["Subject"], _text(mail), _html(mail)):
        assert "SYNTHETISCH" not in words


def test_the_headers_say_that_a_machine_wrote_and_in_which_language(read_back: EmailMessage) -> None:
    assert read_back["Auto-Submitted"] == "auto-generated"
    assert read_back["Content-Language"] == "nl-BE"
    assert read_back["List-Id"] == "<digest.mobiliteit.kortrijk.kortrijk.example>"
    assert read_back["Date"] == "Mon, 23 Nov 2026 07:00:00 +0000"


def test_making_the_mail_again_gives_the_same_bytes(digest: Digest, mail_of: Callable[..., EmailMessage]) -> None:
    assert mail_of(digest).as_bytes() == mail_of(digest).as_bytes()


def test_the_message_id_depends_on_city_department_and_period_alone(
    digest: Digest, told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]
) -> None:
    (later,) = told({"value": 1.0})
    assert mail_of(digest)["Message-ID"] == mail_of(later)["Message-ID"]
    assert mail_of(digest)["Message-ID"] == "<digest.kortrijk.mobiliteit.2026-W48@kortrijk.example>"


def test_a_terminal_of_78_columns_shows_the_text_whole(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]
) -> None:
    (digest,) = told({"title_nl": "Een lange titel " * 9, "sentence_nl": "Een lange zin met woorden. " * 12})
    assert max(len(line) for line in _text(mail_of(digest)).splitlines()) <= 78


@pytest.mark.parametrize("reader", [_text, _html])
def test_text_and_html_hold_the_same_figures_and_dates(
    read_back: EmailMessage, reader: Callable[[EmailMessage], str]
) -> None:
    words = " ".join(reader(read_back).split())
    dated = ("Stand op 22/11/2026", "Het pad vroeg toen", "Verschil toen", "Het pad vraagt op 23/11/2026", "31/12/2030")
    for figure in (*dated, "905", "1.078", "173 te weinig", "1.079", "1.326", "één op zes", "laadpunten"):
        assert figure in words
    assert "Deelwagens" in words


PLAN = "Twee extra ploegen vanaf januari. Wie: hoofd Mobiliteit. Tegen 01/03/2027."
LINK = "https://bord.stad.test/d/abc"


def everything(digest: Digest) -> Digest:
    return replace(
        digest,
        lines=tuple(replace(line, plan_nl=PLAN, doubted_on=date(2026, 11, 20), link=LINK) for line in digest.lines),
    )


def _facts_of(words: str) -> set[str]:
    """Words and figures without their case and the signs around them."""
    return {word.strip(".,:;()[]▼·*-–").casefold() for word in words.split()}


def test_who_reads_text_only_loses_nothing_that_stands_in_the_html_or_in_its_pictures(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]
) -> None:
    others = [
        {"target_id": "due", "status": "overdue", "status_nl": "termijn verstreken", "target_date": date(2025, 12, 31)},
        {"target_id": "asked", "status": "awaiting_figure"},
        {"target_id": "disputed", "is_disputed": True, "attention_nl": "Het oordeel hangt af van een open vraag."},
        {"target_id": "norm", "limit_value": 1000.0, "target_date": None, "story_nl": "−70 % tegen 2040 (let op)"},
        {"target_id": "at_risk", "status": "at_risk", "drivers_nl": "Bissegem: 3 laadpunten."},
    ]
    (digest,) = told({}, *others, rejudged={"norm": "op schema"})
    mail = mail_of(everything(digest), contact_nl="Dienst Klimaat, klimaat@stad.test.")
    text = _facts_of(_text(mail))
    html = _html(mail)
    shown = [*_Elements.words_of(html), *(str(image["alt"]) for image in _images(html))]
    assert len(shown) > 60
    assert {words: lost for words in shown if (lost := _facts_of(words) - text)} == {}
    assert _text(mail).count(LINK) == html.count(f'href="{LINK}"') == len(digest.lines)


@pytest.mark.parametrize("reader", [_text, _html])
def test_a_target_that_is_late_says_since_when_what_holds_it_back_and_what_is_needed(
    read_back: EmailMessage, reader: Callable[[EmailMessage], str]
) -> None:
    words = " ".join(re.sub(r"<[^>]+>", " ", reader(read_back)).split())
    for fact in (
        "Achter op schema sinds het cijfer van 30/06/2026.",
        "Heule (telt niet of maar half mee): 8 laadpunten",
        "Van 23/11/2026 tot 31/12/2030: 8,6 per maand. Recent tempo, tot 22/11/2026: 7,1 per maand.",
        "1.326 laadpunten tegen 31/12/2030",
        "Gerekend vanaf de eerste meting, op 01/01/2024.",
    ):
        assert fact in words


@pytest.mark.parametrize("reader", [_text, _html])
def test_a_plan_a_link_and_a_contact_are_shown_where_they_are_known_and_nowhere_else(
    digest: Digest, mail_of: Callable[..., EmailMessage], reader: Callable[[EmailMessage], str]
) -> None:
    without = reader(mail_of(digest))
    assert not re.search(r"\bPlan\b|Bekijk dit doel|https://|Vragen\?", without)
    told_all = " ".join(reader(mail_of(everything(digest), contact_nl="Dienst Klimaat, 056 00 00 00.")).split())
    for fact in (PLAN, LINK, "Bekijk dit doel en antwoord", "Vragen? Dienst Klimaat, 056 00 00 00."):
        assert fact in told_all


def test_what_the_figures_do_not_explain_is_said_so(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]
) -> None:
    (digest,) = told({"drivers_nl": None})
    assert "Waardoor: Dat zeggen de cijfers niet." in " ".join(_text(mail_of(digest)).split())


def test_a_list_of_mails_shows_the_first_figure_beside_the_subject(read_back: EmailMessage) -> None:
    title, preheader, *_ = _Elements.words_of(_html(read_back))
    assert title.startswith("1 doelstelling achter op schema")
    assert preheader.startswith("Laadpunten: 905 op 22/11/2026.")


def test_a_deadline_that_has_passed_is_named_in_the_subject_a_reminder_too(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]
) -> None:
    due = {"status": "overdue", "target_date": date(2025, 12, 31)}
    (first,) = told(due)
    assert "waarvan de termijn verstreken is" in mail_of(first)["Subject"]
    again = replace(first, lines=tuple(replace(line, reason="reminder") for line in first.lines))
    assert "1 doelstelling nog altijd voorbij de termijn" in mail_of(again)["Subject"]


def test_no_colour_is_without_a_word(read_back: EmailMessage) -> None:
    assert "Achter op schema" in _html(read_back)
    assert "[ACHTER OP SCHEMA]" in _text(read_back)


def test_a_title_with_markup_is_shown_as_text(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]
) -> None:
    (digest,) = told({"title_nl": "<script>alert(1)</script> & meer"})
    html = _html(mail_of(digest))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_outlook_gets_tables_and_inline_styles_of_at_most_600_pixels_and_the_sheet_holds_the_dark_alone(
    read_back: EmailMessage,
) -> None:
    html = _html(read_back)
    assert "<link" not in html
    (sheet,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert "@media (prefers-color-scheme: dark)" in sheet
    assert not re.search(r"^\.", sheet, re.MULTILINE), "what is told of a class is told of the dark alone"
    assert max(int(width) for width in re.findall(r'width="(\d+)"', html)) == 600
    assert [
        tag for tag in _Elements.of(html) if tag[0] in {"p", "td", "h1", "h2", "h3"} and "style" not in tag[1]
    ] == []


def test_the_mail_is_light_whatever_it_tells(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]
) -> None:
    (digest,) = told(*({"target_id": f"target_{number}"} for number in range(12)))
    mail = message_from_bytes(mail_of(digest).as_bytes(), policy=policy.default)
    charts = [part.get_content() for part in mail.walk() if part.get_content_type() == "image/png"]
    assert 0 < sum(map(len, charts)) <= 100_000
    # Gmail cuts off what comes after 102 KB
    assert len(_html(mail).encode()) < 100_000


def test_at_most_three_charts_go_along(told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]) -> None:
    (digest,) = told(*({"target_id": f"target_{number}"} for number in range(6)))
    assert len(_images(_html(mail_of(digest)))) == 3
    assert len(digest.told) == 6


def test_a_target_that_was_never_observed_and_has_no_path_still_makes_a_mail(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]
) -> None:
    figures = ("value", "required_value", "gap", "baseline_value", "target_value", "target_date")
    nothing = dict.fromkeys((*figures, "value_nl", "target_nl", "required_nl", "required_today_nl", "gap_nl"))
    (digest,) = told({**nothing, "kpi_id": "unseen", "status": "overdue"})
    assert "onbekend" in _text(mail_of(digest))


@pytest.mark.parametrize("reader", [_text, _html])
def test_a_target_at_risk_says_why_it_is(read_back: EmailMessage, reader: Callable[[EmailMessage], str]) -> None:
    words = " ".join(reader(read_back).split())
    assert "Op het pad of beter, maar het recente tempo volstaat niet." in words
    assert "Nog niet achter" not in words


@pytest.mark.parametrize("reader", [_text, _html])
def test_an_open_question_is_told_once(
    told: Callable[..., list[Digest]],
    mail_of: Callable[..., EmailMessage],
    reader: Callable[[EmailMessage], str],
) -> None:
    question = "hangt af van een open vraag"
    disputed = {"is_alarm": False, "is_disputed": True, "attention_nl": f"Het oordeel {question}: tegen 2025."}
    (digest,) = told({}, {"target_id": "b", **disputed, "sentence_nl": f"Bomen: 5. Het oordeel {question} (2025)."})
    assert " ".join(reader(mail_of(digest)).split()).count(question) == 1


@pytest.mark.parametrize("reader", [_text, _html])
def test_a_mail_calls_no_figure_one_of_now(read_back: EmailMessage, reader: Callable[[EmailMessage], str]) -> None:
    assert not re.search(r"\b(stand|nodig|vanaf) nu\b", reader(read_back), re.IGNORECASE)


@pytest.mark.parametrize("reader", [_text, _html])
def test_a_figure_that_is_awaited_is_asked_without_haste(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage], reader: Callable[[EmailMessage], str]
) -> None:
    (digest,) = told({"status": "awaiting_figure", "title_nl": "Deelwagens"})
    mail = mail_of(digest, is_synthetic=False)
    words = " ".join(reader(mail).split())
    assert mail["Subject"] == "1 cijfer gevraagd – afdeling Mobiliteit"
    for part in ("Deelwagens", "niet dringend", "deze cijfers aanlevert", "week 48"):
        assert part.casefold() in words.casefold()
    assert "achter op schema" not in words.casefold()


@pytest.mark.parametrize("reader", [_text, _html])
def test_a_target_past_its_deadline_is_held_against_the_target_and_no_path(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage], reader: Callable[[EmailMessage], str]
) -> None:
    (digest,) = told({"status": "overdue", "status_nl": "termijn verstreken", "target_date": date(2025, 12, 31)})
    words = " ".join(reader(mail_of(digest)).split())
    assert "Moest er zijn op 31/12/2025" in words
    assert "Verschil toen" not in words


@pytest.mark.parametrize("reader", [_text, _html])
def test_a_change_of_method_is_said_to_be_one_with_both_statuses(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage], reader: Callable[[EmailMessage], str]
) -> None:
    (digest,) = told({}, rejudged={"charge_points_total": "op schema"})
    mail = mail_of(digest, is_synthetic=False)
    words = " ".join(reader(mail).split())
    assert mail["Subject"] == "1 doelstelling anders beoordeeld – afdeling Mobiliteit"
    assert "Eerst: op schema. Met de regels van vandaag: achter op schema." in words
    assert "Aan de cijfers van de stad ligt het niet." in words
    assert "niet dringend" in words


def test_a_mail_names_the_other_promises_on_a_figure_that_is_behind(
    told: Callable[..., list[Digest]], mail_of: Callable[..., EmailMessage]
) -> None:
    (digest,) = told({"story_nl": "−70 % tegen 2040 (achter op schema)"})
    mail = mail_of(digest)
    assert "Op hetzelfde cijfer rust ook: −70 % tegen 2040 (achter op schema)." in " ".join(_text(mail).split())
    said = _Elements.words_of(_html(mail))
    assert said[said.index("Op hetzelfde cijfer rust ook") + 1] == "−70 % tegen 2040 (achter op schema)."
