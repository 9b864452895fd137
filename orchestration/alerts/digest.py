"""What one department is told, and the mail that tells it.

Belongs here: ordering what one department is told, and turning it into one message. Does not belong here: deciding a
status (dbt's verdicts), whether it is told (`policy`), storing or sending (`outbox`, `channels`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from functools import cache
from hashlib import sha256
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import polars as pl

from orchestration.alerts import chart, facts, wording
from orchestration.alerts.answers import Standing as Answered
from orchestration.alerts.decisions import OPEN, Decided
from orchestration.alerts.policy import COORDINATOR, DIRECTOR, NOBODY_ANSWERED, Topic, is_deputy, owner_of

if TYPE_CHECKING:
    import jinja2

SYNTHETIC_BANNER = "SYNTHETISCHE GEGEVENS (demo)"
MAX_CHARTS = 3
_MOST_BYTES_OF_CHARTS = 100_000
KEY_HEADER = "X-Ademruimte-Key"
# Python folds a header just before an encoded word so that the reader sees two spaces; a line may be 998 long.
UNFOLDED = SMTP.clone(max_line_length=900)

# Quoted-printable folds at 76: one less than the terminal keeps the source of the mail readable too.
_TEXT_WIDTH = 76
# A message is dated on its day, not on the moment it was made, so that making it again gives the same bytes.
_DATED_AT = time(7, tzinfo=UTC)
REJUDGED, ESCALATED = "rejudged", "escalated"
# who reads beside the departments
_ROLES = {COORDINATOR: "klimaatcoördinator", DIRECTOR: "algemeen directeur"}


@dataclass(frozen=True, slots=True)
class Line:
    """One target in a digest; figures in `unit`, those that end in `_nl` in words with their unit, dates of the city.

    Attributes:
        status_nl: the status in words.
        gap: distance to the path at `ref_date`; negative is behind.
        gap_nl: that distance in words.
        attention_nl: why it asks for attention: at risk, or disputed.
        is_disputed: whether its judgement hangs on an open question; the sentence says on which.
        is_alarm: whether it is a reason to write at all: late by every reading, once for each figure.
        story_nl: the other promises on its figure, with their judgement.
        ref_date: the date the data speaks of.
        required_value: what the path asked at `ref_date`.
        required_today_nl: what it asks on the day of the build.
        limit_value: how far from a norm it may be.
        forecast_low: with eight chances in ten it will be no less at the deadline; `forecast_high` no more.
        what_nl: where it stands, in a sentence or two.
        needed_nl: what is needed, and what comes of the recent pace.
        remark_nl: what else there is to know.
        drivers_nl: what holds it back most.
        plan_nl: what its department plans.
        owner_nl: the department that is responsible.
        doubted_on: when its department said that the figure is not right, as long as nobody settled that.
        link: address of its page, where its department can answer.
    """

    target_id: str
    kpi_id: str
    title_nl: str
    unit: str
    status: str
    status_nl: str
    value: float | None
    required_value: float | None
    gap: float | None
    value_nl: str | None
    target_nl: str | None
    required_nl: str | None
    required_today_nl: str | None
    gap_nl: str | None
    attention_nl: str | None
    is_disputed: bool
    is_alarm: bool
    story_nl: str | None
    unit_nl: str | None
    baseline_value: float | None
    target_value: float | None
    target_date: date | None
    ref_date: date | None
    status_since: date | None
    limit_value: float | None
    forecast_value: float | None
    forecast_low: float | None
    forecast_high: float | None
    sentence_nl: str
    what_nl: str | None
    needed_nl: str | None
    remark_nl: str | None
    drivers_nl: str | None
    reason: str
    former_status_nl: str | None
    plan_nl: str | None = None
    doubted_on: date | None = None
    owner_nl: str | None = None
    link: str | None = None

    @property
    def is_due(self) -> bool:
        """Whether its deadline has passed: then only the target counts, and no path to it."""
        return self.status == "overdue"


_LATE = ("behind", "overdue", "worse", "reminder")
_CALM = ("at_risk", "eased")
_ASKED = "awaiting_figure"
_THANKED = "figure_came"
_WHY = {
    "worse": "Verder achter dan toen we u hierover schreven.",
    "reminder": "Herinnering: we schreven u dit al, en het is nog niet in orde.",
    "eased": "Niet meer achter, maar nog niet zeker.",
    "recovered": "Weer in orde.",
    "reached": "Behaald.",
}
_SECTIONS = (
    ("Let op", "", _CALM),
    ("Niemand antwoordde", "De afdeling kreeg dit al meer dan eens en antwoordde niet.", (ESCALATED,)),
    ("Goed nieuws", "Weer in orde, of behaald.", ("recovered", "reached")),
    ("Nog open", "Dit schreven we u al, en het is nog niet in orde.", (OPEN,)),
    ("Termijn verstreken, cijfer nog niet bekend", "Levert u deze cijfers aan? Het is niet dringend.", (_ASKED,)),
    ("Bedankt voor het cijfer", "", (_THANKED,)),
    (
        "Anders beoordeeld door een andere methode of definitie",
        "De regels zijn veranderd. Aan de cijfers van de stad ligt het niet. Het is niet dringend.",
        (REJUDGED,),
    ),
    ("Niet langer beoordeeld", "Zolang dat zo is, krijgt u er geen bericht over.", ("withdrawn",)),
)
_HEADINGS = (
    (_CALM, "{} om op te letten"),
    (("recovered",), "{} weer in orde"),
    (("reached",), "{} behaald"),
    ((ESCALATED,), "{} zonder antwoord"),
    ((REJUDGED,), "{} anders beoordeeld"),
    (("withdrawn",), "{} niet langer beoordeeld"),
)


class Section(NamedTuple):
    """A part of a message: its title, what it means, and its targets."""

    title: str
    explained: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """What one department is told: in the digest of a week, or at once.

    Attributes:
        period: the ISO week, as `2026-W48`; the day, as `2026-11-24`, of what could not wait for one.
        as_of: the city date of the build; what stands here is so on that day.
        made_on: the city date on which it is written.
        lines: what is told, worst first, and what is still open beside it.
    """

    department_id: str
    department_nl: str
    period: str
    build_id: str
    as_of: date
    made_on: date
    lines: tuple[Line, ...]

    @property
    def reader_nl(self) -> str:
        """Who reads it: a department, the deputy of one, or a role."""
        whom = _ROLES.get(self.department_id, f"afdeling {self.department_nl}")
        return f"vervanger van {whom}" if is_deputy(self.department_id) else whom

    @property
    def is_beside(self) -> bool:
        """Whether its reader is none of the departments: somebody beside them, or the deputy of one."""
        return self.department_id in _ROLES or is_deputy(self.department_id)

    @property
    def is_urgent(self) -> bool:
        """Whether it could not wait for the digest of the week."""
        return "W" not in self.period

    @property
    def told(self) -> tuple[Line, ...]:
        """The targets that are newly behind or overdue, further behind, or still so after a while."""
        return self._of(*_LATE)

    @property
    def sections(self) -> tuple[Section, ...]:
        """What stands below what is late, each part under its title; a part without lines is left out."""
        parts = [Section(title, explained, self._of(*reasons)) for title, explained, reasons in _SECTIONS]
        return tuple(part for part in parts if part.lines)

    @property
    def heading(self) -> str:
        """What it is about, counted."""
        fresh = self._of("behind", "overdue", "worse")
        reminded = self._of("reminder")
        due, late = (sum(line.is_due for line in lines) for lines in (fresh, reminded))
        counted = [
            (len(fresh) - due, "{} achter op schema"),
            (due, "{} waarvan de termijn verstreken is"),
            (len(reminded) - late, "{} nog altijd niet in orde"),
            (late, "{} nog altijd voorbij de termijn"),
            *((len(self._of(*reasons)), words) for reasons, words in _HEADINGS),
        ]
        parts = [words.format(wording.targets(count)) for count, words in counted if count]
        if not parts and (asked := len(self._of(_ASKED))):
            parts.append(wording.figures_asked(asked))
        return ", ".join(parts) or wording.figures_came(len(self._of(_THANKED)))

    @property
    def supplies(self) -> bool:
        """Whether it speaks of nothing but figures that this department supplies."""
        return all(line.reason in {_ASKED, _THANKED} for line in self.lines)

    def _of(self, *reasons: str) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.reason in reasons)


def message_key(digest: Digest, city_title: str) -> str:
    """The same key is the same message, whichever build makes it: known before a word of it is written."""
    return f"{_named(city_title)}:{digest.department_id}:{digest.period}"


def period_of(key: str) -> str:
    """The period of a message, by its key."""
    return key.rpartition(":")[2]


def is_urgent_key(key: str) -> bool:
    """Whether a key is of a message that could not wait."""
    return len(period_of(key)) == len("2026-11-24")


LinkOf = Callable[[str, str, str], str | None]
"""The address where a department answers of a target (target, department, period); None where it cannot."""


def no_link(target_id: str, department_id: str, period: str) -> None:
    """Where nobody can answer."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Of which build, and on which day, a message is written.

    Attributes:
        as_of: the city date of the build.
        day: the city date of the message.
        former: by target the former status, in words, of those that another method or definition changed.
        answered: by target what its department answered.
        link_of: where a department answers.
    """

    build_id: str
    as_of: date
    day: date
    former: Mapping[str, str | None] = field(default_factory=dict)
    answered: Mapping[str, Answered] = field(default_factory=dict)
    link_of: LinkOf = no_link


def digests(
    verdicts: pl.DataFrame, departments: pl.DataFrame, decided: Iterable[Decided], occasion: Occasion
) -> list[Digest]:
    """One message per department that is told anything.

    Args:
        verdicts: rows of `fct_target_verdicts` of one published build.
        departments: department_id, name_nl; rows of `dim_department`.
        decided: what is done with each target.
        occasion: the build and the day.

    Returns:
        In order of department_id.
    """
    names = dict(departments.select("department_id", "name_nl").iter_rows())
    rows = {row["target_id"]: row for row in verdicts.iter_rows(named=True)}
    by_department = defaultdict(list)
    for each in decided:
        by_department[each.department_id].append(each)
    found = []
    for department, all_of_it in sorted(by_department.items()):
        told = [each for each in all_of_it if each.is_told]
        if not told:
            continue
        is_urgent = any(each.decision.is_urgent for each in told)
        period = f"{occasion.day}" if is_urgent else wording.iso_week(occasion.day)
        ordered = sorted(told, key=_worst_first)
        lines = tuple(_line(rows[each.target_id], each, occasion, period, names) for each in ordered)
        owner = owner_of(department)
        name = names.get(owner, owner)
        made = occasion.build_id, occasion.as_of, occasion.day
        found.append(Digest(department, name, period, *made, lines))
    return found


def _worst_first(each: Decided) -> tuple[float, str, str]:
    return each.standing.points or 0.0, each.target_id, each.decision.reason


def _line(row: Mapping[str, Any], each: Decided, occasion: Occasion, period: str, names: Mapping[str, str]) -> Line:
    said = {name: row[name] for name in Line.__slots__ if name in row}
    answered = occasion.answered.get(each.target_id, NOBODY_ANSWERED)
    return Line(
        **said,
        reason=each.decision.reason,
        former_status_nl=occasion.former.get(each.target_id),
        plan_nl=wording.plan(answered.plan.plan) if answered.plan and answered.plan.plan else None,
        doubted_on=answered.disputed_on,
        owner_nl=names.get(row["department_id"], "onbekend"),
        # of a figure that is owed there is nothing to answer but the figure
        link=None if each.topic is Topic.FIGURE else occasion.link_of(each.target_id, each.department_id, period),
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a chart is drawn from.

    Attributes:
        observations: kpi_id, area_id, ref_date, value.
        paths: target_id, path_date, required_value; rows of `fct_target_path`.
    """

    observations: pl.DataFrame
    paths: pl.DataFrame


def message(  # noqa: PLR0913 - a mail needs its content, both ends and its label
    digest: Digest,
    drawn: Drawn,
    *,
    sender: str,
    recipient: str,
    city_title: str,
    is_synthetic: bool,
    contact_nl: str | None = None,
) -> EmailMessage:
    """The mail of a digest: plain text, and HTML with its charts inside. The same input gives the same bytes.

    Args:
        digest: what to tell.
        drawn: what its charts are drawn from.
        sender: address with or without a name.
        recipient: address of the department.
        city_title: the city as its readers write it.
        is_synthetic: label it as made-up data.
        contact_nl: whom a department can ask, where the city has somebody.
    """
    domain = parseaddr(sender)[1].rpartition("@")[2]
    banner = SYNTHETIC_BANNER if is_synthetic else ""
    charts = _charts(digest, drawn, domain)
    words = {
        "digest": digest,
        "city": city_title,
        "when": wording.week_or_day(digest.period),
        "banner": banner,
        "notes": notes,
        "facts": facts.facts,
        "about": facts.about,
        "button": facts.BUTTON,
        "footer": _footer(digest),
        "preheader": _preheader(digest),
        "contact": contact_nl,
        "images": {target: (cid[1:-1], alt) for target, (cid, alt, _) in charts.items()},
    }
    mail = EmailMessage(policy=SMTP)
    for name, value in _headers(digest, sender, recipient, city_title, domain, banner).items():
        mail[name] = value
    mail.set_content(_template("digest.txt.j2").render(words), cte="quoted-printable")
    mail.add_alternative(_template("digest.html.j2").render(words), subtype="html", cte="quoted-printable")
    html = cast("EmailMessage", mail.get_body(("html",)))
    for target, (cid, _, png) in charts.items():
        html.add_related(png, "image", "png", cid=cid, filename=f"{target}.png", disposition="inline")
    # Only now: setting content drops every Content- header that was there.
    mail["Content-Language"] = "nl-BE"
    _fix_boundaries(mail)
    mail.policy = UNFOLDED
    return mail


def notes(line: Line) -> list[str]:
    """What is said of a target before its sentence: why it is told now, and since when."""
    if line.reason == ESCALATED:
        return [f"Verantwoordelijk: afdeling {line.owner_nl}."]
    if line.reason == REJUDGED:
        return [f"Eerst: {line.former_status_nl or 'onbekend'}. Met de regels van vandaag: {line.status_nl}."]
    # that a judgement came to hang on an open question is no progress; the sentence says it
    notes = [_WHY[line.reason]] if line.reason in _WHY and not (line.reason == "eased" and line.is_disputed) else []
    # of a deadline the sentence says the day
    if line.reason in (*_LATE, OPEN) and not line.is_due and line.status_since is not None:
        notes.append(f"{wording.sentence(line.status_nl)} sinds het cijfer van {wording.day(line.status_since)}.")
    # of a disputed judgement the sentence says it
    if line.reason in _CALM and line.attention_nl and not line.is_disputed:
        notes.append(line.attention_nl)
    return notes


def _preheader(digest: Digest) -> str:
    """What a list of mails shows beside the subject: the first target, with its figure."""
    first = (*digest.told, *(line for section in digest.sections for line in section.lines))[0]
    return first.what_nl or first.sentence_nl


def _footer(digest: Digest) -> str:
    """Why this reader gets it, and how often such a message comes at most."""
    if digest.supplies:
        return (
            "U krijgt dit bericht omdat uw afdeling deze cijfers aanlevert. We vragen een cijfer hoogstens een keer "
            "per maand."
        )
    if digest.is_beside:
        return (
            "U krijgt dit bericht omdat de verantwoordelijke afdeling niet antwoordde, of omdat geen enkele afdeling "
            "verantwoordelijk is. Hoogstens een bericht per week."
        )
    often = (
        "Het kon niet wachten op het bericht van de week. Hoogstens een keer per dag"
        if digest.is_urgent
        else "Hoogstens een bericht per week, alleen als er iets verandert of open blijft; wat dringend is, komt apart "
        "op de dag zelf"
    )
    return (
        f"U krijgt dit bericht omdat uw afdeling eigenaar is van deze doelstellingen. {often}. U krijgt het nooit "
        "omdat gegevens te laat zijn of nog niet nagekeken."
    )


def _headers(  # noqa: PLR0913, PLR0917 - private half of `message`
    digest: Digest, sender: str, recipient: str, city_title: str, domain: str, banner: str
) -> dict[str, Any]:
    city = _named(city_title)
    subject = f"{digest.heading} – {digest.reader_nl}"
    name, address = parseaddr(sender)
    return {
        "From": Address(name or f"Ademruimte {city_title}", addr_spec=address),
        "To": recipient,
        "Subject": f"{banner}: {subject}" if banner else subject,
        "Date": datetime.combine(digest.made_on, _DATED_AT),
        "Message-ID": f"<digest.{city}.{digest.department_id}.{digest.period}@{domain}>",
        "List-Id": f"<digest.{digest.department_id}.{city}.{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        KEY_HEADER: message_key(digest, city_title),
    }


def _named(city_title: str) -> str:
    """The city in an identifier."""
    return city_title.lower().replace(" ", "-")


def _charts(digest: Digest, drawn: Drawn, domain: str) -> dict[str, tuple[str, str, bytes]]:
    """Per target that is late, worst first: content id, alternative text and PNG, as far as a mail stays light."""
    charts, room = {}, _MOST_BYTES_OF_CHARTS
    for line in digest.told[:MAX_CHARTS]:
        path = _path(line, drawn.paths)
        series = chart.series(drawn.observations, line.kpi_id)
        png = chart.draw(series, path, line.unit_nl or line.unit)
        if len(png) > room:
            break
        room -= len(png)
        cid = f"<{line.target_id}.{digest.period}@{domain}>"
        charts[line.target_id] = (cid, chart.alternative_text(line.title_nl, series, path), png)
    return charts


def _path(line: Line, paths: pl.DataFrame) -> chart.Path:
    along = paths.filter(pl.col("target_id") == line.target_id).sort("path_date")
    low, high = line.forecast_low, line.forecast_high
    return chart.Path(
        line.ref_date,
        line.value,
        line.required_value,
        line.target_date,
        line.target_value,
        limit_value=line.limit_value,
        forecast=line.forecast_value,
        band=None if low is None or high is None else (low, high),
        along=along.select("path_date", "required_value").rows(),
    )


def _fix_boundaries(mail: EmailMessage) -> None:
    seed = str(mail["Message-ID"])
    for position, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"={sha256(f'{seed} {position}'.encode()).hexdigest()[:40]}=")


@cache
def _template(name: str) -> "jinja2.Template":
    import jinja2  # noqa: PLC0415 - only a mail needs it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("orchestration.alerts", "."),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "day": wording.day,
        "folded": _folded,
        "sentence": wording.sentence,
        "unbroken": wording.unbroken,
    }
    return environment.get_template(name)


def _folded(text: str, indent: int = 0) -> str:
    """Text in lines of at most 76 characters; the first starts where the caller already stands."""
    margin = " " * indent
    lines = fill(wording.unbroken(text), _TEXT_WIDTH, initial_indent=margin, subsequent_indent=margin)
    return lines.removeprefix(margin).replace("\N{NO-BREAK SPACE}", " ")
