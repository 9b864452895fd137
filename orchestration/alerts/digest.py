"""Which department must know what, and the mail that tells it.

Belongs here: choosing and ordering the targets of one department, and turning them into one message. Does not
belong here: deciding a status (dbt's verdicts), storing or sending (`outbox`, `channels`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from functools import cache
from hashlib import sha256
from textwrap import fill
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from orchestration.alerts import chart, wording

if TYPE_CHECKING:
    import jinja2

SYNTHETIC_BANNER = "SYNTHETISCHE GEGEVENS (demo)"
MAX_CHARTS = 4
KEY_HEADER = "X-Ademruimte-Key"
# Python folds a header just before an encoded word so that the reader sees two spaces; a line may be 998 long.
UNFOLDED = SMTP.clone(max_line_length=900)

# asked of whoever supplies the figure, and never urgent
_AWAITS = "awaiting_figure"
# Quoted-printable folds at 76: one less than the terminal keeps the source of the mail readable too.
_TEXT_WIDTH = 76
# A digest is dated on the build's day, not on the moment it was made, so that making it again gives the same bytes.
_DATED_AT = time(7, tzinfo=UTC)


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
        required_today_nl: what it asks on the day of the digest.
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
    sentence_nl: str
    former_status_nl: str | None

    @property
    def is_due(self) -> bool:
        """Whether its deadline has passed: then only the target counts, and no path to it."""
        return self.status == "overdue"


@dataclass(frozen=True, slots=True)
class Digest:
    """What one department is told about one ISO week, or is asked in a month.

    Attributes:
        period: ISO week of the build, as `2026-W48`; its month, as `2026-11`, where nothing is told and a figure asked.
        lines: behind and overdue first, worst first; then those at risk.
        awaited: the targets past their deadline whose figure this department supplies.
        rejudged: the targets whose status another method or definition changed since the last digest.
    """

    department_id: str
    department_nl: str
    period: str
    build_id: str
    as_of: date
    lines: tuple[Line, ...]
    awaited: tuple[Line, ...] = ()
    rejudged: tuple[Line, ...] = ()

    @property
    def told(self) -> tuple[Line, ...]:
        """The targets behind or overdue."""
        return tuple(line for line in self.lines if line.is_alarm)

    @property
    def mentioned(self) -> tuple[Line, ...]:
        """The targets at risk, and those of which the judgement is disputed."""
        return tuple(line for line in self.lines if not line.is_alarm)

    @property
    def heading(self) -> str:
        """What it is about: how many are behind, how many past their deadline; else how many figures are asked."""
        due = sum(line.is_due for line in self.told)
        counted = (
            (len(self.told) - due, "{} achter op schema"),
            (due, "{} waarvan de termijn verstreken is"),
        )
        parts = [words.format(wording.targets(count)) for count, words in counted if count]
        if not parts and self.awaited:
            parts.append(wording.figures_asked(len(self.awaited)))
        return ", ".join(parts) or f"{wording.targets(len(self.rejudged))} anders beoordeeld"


def message_key(digest: Digest, city_title: str) -> str:
    """The same key is the same message, whichever build makes it: known before a word of it is written."""
    return f"{_named(city_title)}:{digest.department_id}:{digest.period}"


def digests(
    verdicts: pl.DataFrame,
    departments: pl.DataFrame,
    build_id: str,
    as_of: date,
    rejudged: Mapping[str, str | None] | None = None,
) -> list[Digest]:
    """One digest per department with a target behind or overdue; late or doubted data never makes one.

    Of several promises on one figure it tells one, and of a judgement that hangs on an open question none: see
    `fct_target_verdicts.is_alarm`.

    A department that supplies a figure whose deadline has passed is asked for it, and one of whose targets another
    method or definition changed the status is told so once: in the digest of its week where it has one, else in that
    of the month.

    Args:
        verdicts: rows of `fct_target_verdicts` of one published build.
        departments: department_id, name_nl; rows of `dim_department`.
        build_id: that build.
        as_of: its city date.
        rejudged: by target the former status, in words, of those that another method or definition changed and nobody
            was told of yet.

    Returns:
        Digests in order of department_id.
    """
    names = dict(departments.select("department_id", "name_nl").iter_rows())
    former = pl.col("target_id").replace_strict(rejudged or {}, default=None, return_dtype=pl.String)
    verdicts = verdicts.with_columns(former.alias("former_status_nl"))
    is_rejudged = pl.col("target_id").is_in([*(rejudged or {})])
    others = verdicts.filter(~is_rejudged)
    mentioned = pl.col("is_first_of_story") & pl.col("attention_nl").is_not_null()
    listed = _by(others.filter(pl.col("is_alarm") | mentioned), "department_id")
    awaited = _by(others.filter(pl.col("status") == _AWAITS), "data_owner_department_id")
    changed = _by(verdicts.filter(is_rejudged), "department_id")
    year, week, _ = as_of.isocalendar()
    found = []
    for department in sorted({*listed, *awaited, *changed}):
        lines, asked, again = (part.get(department, ()) for part in (listed, awaited, changed))
        is_told = any(line.is_alarm for line in lines)
        if is_told or asked or again:
            period = f"{year}-W{week:02d}" if is_told else f"{as_of:%Y-%m}"
            name = names.get(department, department)
            found.append(Digest(department, name, period, build_id, as_of, lines if is_told else (), asked, again))
    return found


def _by(verdicts: pl.DataFrame, column: str) -> dict[str, tuple[Line, ...]]:
    """The lines of each department that a column names, in order."""
    parts = verdicts.filter(pl.col(column).is_not_null()).partition_by(column, as_dict=True)
    return {department: _lines(rows.iter_rows(named=True)) for (department,), rows in parts.items()}


def _lines(rows: Iterable[Mapping[str, Any]]) -> tuple[Line, ...]:
    lines = [Line(**{name: row[name] for name in Line.__slots__}) for row in rows]
    return tuple(sorted(lines, key=lambda line: (not line.is_alarm, _relative_gap(line), line.target_id)))


def _relative_gap(line: Line) -> float:
    """The gap as a share of the way to go: the only way to compare trees with percentages."""
    if line.gap is None:
        return 0.0
    way = abs((line.target_value or 0.0) - (line.baseline_value or 0.0)) or abs(line.required_value or 0.0) or 1.0
    return line.gap / way


def message(  # noqa: PLR0913, PLR0917 - a mail needs its content, both ends and its label
    digest: Digest,
    observations: pl.DataFrame,
    sender: str,
    recipient: str,
    city_title: str,
    is_synthetic: bool,  # noqa: FBT001 - named by every caller
) -> EmailMessage:
    """The mail of a digest: plain text, and HTML with its charts inside. The same input gives the same bytes.

    Args:
        digest: what to tell.
        observations: kpi_id, area_id, ref_date, value; drawn against the path.
        sender: address with or without a name.
        recipient: address of the department.
        city_title: the city as its readers write it.
        is_synthetic: label it as made-up data.
    """
    domain = parseaddr(sender)[1].rpartition("@")[2]
    banner = SYNTHETIC_BANNER if is_synthetic else ""
    charts = _charts(digest, observations, domain)
    words = {
        "digest": digest,
        "city": city_title,
        "when": wording.week_or_month(digest.period),
        "banner": banner,
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


def _headers(  # noqa: PLR0913, PLR0917 - private half of `message`
    digest: Digest, sender: str, recipient: str, city_title: str, domain: str, banner: str
) -> dict[str, Any]:
    city = _named(city_title)
    subject = f"{digest.heading} – afdeling {digest.department_nl}"
    name, address = parseaddr(sender)
    return {
        "From": Address(name or f"Ademruimte {city_title}", addr_spec=address),
        "To": recipient,
        "Subject": f"{banner}: {subject}" if banner else subject,
        "Date": datetime.combine(digest.as_of, _DATED_AT),
        "Message-ID": f"<digest.{city}.{digest.department_id}.{digest.period}@{domain}>",
        "List-Id": f"<digest.{digest.department_id}.{city}.{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        KEY_HEADER: message_key(digest, city_title),
    }


def _named(city_title: str) -> str:
    """The city in an identifier."""
    return city_title.lower().replace(" ", "-")


def _charts(digest: Digest, observations: pl.DataFrame, domain: str) -> dict[str, tuple[str, str, bytes]]:
    """Per target behind: content id, alternative text and PNG."""
    drawn = {}
    for line in digest.told[:MAX_CHARTS]:
        path = chart.Path(line.ref_date, line.value, line.required_value, line.target_date, line.target_value)
        series = chart.series(observations, line.kpi_id)
        png = chart.draw(series, path, line.unit_nl or line.unit)
        cid = f"<{line.target_id}.{digest.period}@{domain}>"
        drawn[line.target_id] = (cid, chart.alternative_text(line.title_nl, series, path), png)
    return drawn


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
