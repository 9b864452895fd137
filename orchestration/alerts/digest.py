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

_TELLS = ("behind", "overdue")
_MENTIONS = ("at_risk",)
# Quoted-printable folds at 76: one less than the terminal keeps the source of the mail readable too.
_TEXT_WIDTH = 76
# A digest is dated on the build's day, not on the moment it was made, so that making it again gives the same bytes.
_DATED_AT = time(7, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One target in a digest; figures in `unit`, dates of the city.

    Attributes:
        gap: distance to the path; negative is behind.
        ref_date: the date the data speaks of.
        required_value: what the path asks at `ref_date`.
    """

    target_id: str
    kpi_id: str
    title_nl: str
    unit: str
    status: str
    value: float | None
    required_value: float | None
    gap: float | None
    baseline_value: float | None
    target_value: float | None
    target_date: date | None
    ref_date: date | None
    sentence_nl: str

    @property
    def is_told(self) -> bool:
        """Whether it is a reason to write at all."""
        return self.status in _TELLS

    @property
    def status_nl(self) -> str:
        """The status in words."""
        return wording.STATUS_NL[self.status]

    @property
    def unit_nl(self) -> str:
        """The unit in Dutch."""
        return wording.unit(self.unit)

    @property
    def gap_nl(self) -> str:
        """The distance to the path in words, whichever way the target points."""
        if self.gap is None or self.value is None or self.required_value is None:
            return "onbekend"
        side = "te weinig" if self.value < self.required_value else "te veel"
        return f"{wording.number(abs(self.value - self.required_value))} {side}"


@dataclass(frozen=True, slots=True)
class Digest:
    """What one department is told about one ISO week.

    Attributes:
        period: ISO week of the build, as `2026-W48`.
        lines: behind and overdue first, worst first; then those at risk.
    """

    department_id: str
    department_nl: str
    period: str
    build_id: str
    as_of: date
    lines: tuple[Line, ...]

    @property
    def told(self) -> tuple[Line, ...]:
        """The targets behind or overdue."""
        return tuple(line for line in self.lines if line.is_told)

    @property
    def mentioned(self) -> tuple[Line, ...]:
        """The targets at risk."""
        return tuple(line for line in self.lines if not line.is_told)


def message_key(digest: Digest, city_title: str) -> str:
    """The same key is the same message, whichever build makes it: known before a word of it is written."""
    return f"{_named(city_title)}:{digest.department_id}:{digest.period}"


def digests(verdicts: pl.DataFrame, departments: pl.DataFrame, build_id: str, as_of: date) -> list[Digest]:
    """One digest per department with a target behind or overdue; late or doubted data never makes one.

    Args:
        verdicts: rows of `fct_target_verdicts` of one published build.
        departments: department_id, name_nl; rows of `dim_department`.
        build_id: that build.
        as_of: its city date.

    Returns:
        Digests in order of department_id.
    """
    names = dict(departments.select("department_id", "name_nl").iter_rows())
    listed = verdicts.filter(pl.col("status").is_in([*_TELLS, *_MENTIONS]), pl.col("department_id").is_not_null())
    year, week, _ = as_of.isocalendar()
    found = []
    for (department,), rows in sorted(listed.partition_by("department_id", as_dict=True).items()):
        lines = _lines(rows.iter_rows(named=True))
        if any(line.is_told for line in lines):
            name = names.get(department, department)
            found.append(Digest(department, name, f"{year}-W{week:02d}", build_id, as_of, lines))
    return found


def _lines(rows: Iterable[Mapping[str, Any]]) -> tuple[Line, ...]:
    lines = [Line(**{name: row[name] for name in Line.__slots__}) for row in rows]
    return tuple(sorted(lines, key=lambda line: (not line.is_told, _relative_gap(line), line.target_id)))


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
        "week": digest.period.partition("-W")[2],
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
    subject = f"{wording.targets(len(digest.told))} achter op schema – afdeling {digest.department_nl}"
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
        png = chart.draw(series, path, line.unit_nl)
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
    environment.filters |= {"number": wording.number, "day": wording.day, "targets": wording.targets, "folded": _folded}
    return environment.get_template(name)


def _folded(text: str, indent: int = 0) -> str:
    """Text in lines of at most 76 characters; the first starts where the caller already stands."""
    margin = " " * indent
    return fill(text, _TEXT_WIDTH, initial_indent=margin, subsequent_indent=margin).removeprefix(margin)
