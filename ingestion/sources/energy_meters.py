"""Energy meters: Mijn Fluvius exports dropped as files, and the Fluvius Energy API v3 of mandated access points."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import SecretStr, model_validator

from contracts.cities.profile import City
from contracts.sources.energy_meters import READINGS
from contracts.vocabulary import LINE
from ingestion.delivery import Context, Delivery, DroppedFile, digest_of
from ingestion.endpoint import Endpoint
from ingestion.errors import AccessRefusedError, PermanentSupplierError, SupplierError, TransientSupplierError
from ingestion.http import address
from ingestion.protocols.dropped_file import original_bytes
from ingestion.protocols.fluvius_api import Account, EnergyApi, Mandate, Row, Window, fetched_at, rows_of, windows
from ingestion.protocols.fluvius_csv import read_export
from ingestion.registered_meters import Register, RegisterMissingError
from ingestion.source import AskedSource, Tables

NO_MANDATE = "mandaat ingetrokken of verlopen, niets gelezen: vraag het opnieuw aan voor"
A_HOME = "een woning"
NOT_ASKED = "mandaat voor een EAN buiten het gebouwenregister, niet opgevraagd"

_log = logging.getLogger("ademruimte.energy_meters")
_AUTHORITY = "https://login.microsoftonline.com"
# what the supplier keeps
_HISTORY = timedelta(days=3 * 365)
# what was stored late while the last pull ran
_OVERLAP = timedelta(days=2)
_REREAD = timedelta(days=92)
_LEAST_DETAIL = ("daily",)
# with one access point more (105 000 quarters in three years, for each of four registers) they take two gigabytes on
# their way to the lake
_MOST_ROWS = 500_000
_ROWS_AT_ONCE = 10_000
# a supplier that is down makes every question wait minutes
_MOST_OUTAGES = 3
_MOST_NAMED = 3


class EnergyApiEndpoint(Endpoint):
    """As whom the Energy API is asked, and from when on."""

    url: str
    """The Fluvius Energy API v3 (https://apihub.fluvius.be/esco-live/v3; sandbox: esco-sbx), for meters of which the
    city holds a mandate; without this address only dropped exports are read."""
    since: date | None = None
    """The first day asked (YYYY-MM-DD); empty: three years ago. Years of many meters come in parts, one each pull,
    until all were read once: `ademruimte land energy_meters` again goes on at once."""
    tenant: str | None = None
    """The tenant at Entra ID that grants the token."""
    token_url: str | None = None
    """The whole address of the token endpoint, where the tenant does not say it."""
    client_id: str
    """Who asks: the client that Entra ID knows."""
    scope: str
    """For what it asks (api://…/.default)."""
    subscription_key: SecretStr
    """The key of the subscription."""
    client_secret: SecretStr | None = None
    """How that client proves who it is: a secret (sandbox)."""
    certificate_file: Path | None = None
    """Or how it proves that: a certificate, as a PEM file (production)."""
    private_key_file: Path | None = None
    """The RSA key of that certificate, as a PEM file."""

    @model_validator(mode="after")
    def _names_who_grants(self) -> Self:
        if not (self.tenant or self.token_url):
            raise ValueError("ADEMRUIMTE_ENERGY_METERS_TENANT is not set: the tenant at Entra ID that grants the token")
        return self

    def account(self) -> Account:
        """As whom the API is asked.

        Raises:
            PermanentSupplierError: a file cannot be read.
        """
        certificate, private_key = self.certificate_file, self.private_key_file
        key = _content(private_key, "PRIVATE_KEY_FILE").decode("latin-1") if private_key else None
        return Account(
            token_url=self.token_url or f"{_AUTHORITY}/{self.tenant}/oauth2/v2.0/token",
            client_id=self.client_id,
            scope=self.scope,
            subscription_key=self.subscription_key,
            secret=self.client_secret,
            certificate=_content(certificate, "CERTIFICATE_FILE") if certificate else None,
            private_key=SecretStr(key) if key else None,
        )


class EnergyMeters(AskedSource[EnergyApiEndpoint]):
    """What the meters of the city measured, as files or from the supplier."""

    endpoint = EnergyApiEndpoint

    def read(self, file: DroppedFile, context: Context) -> Delivery:
        """One export; up to where it speaks, its rows say.

        Raises:
            UnreadableFileError: it is no Mijn Fluvius export.
            RegisterMissingError: no register of buildings landed yet; the file may come again.
        """
        exported, titles = read_export(original_bytes(file), file.path.name)
        rows, withheld = Register.of(context).admit(exported, context.city)
        tables, titles_of = {READINGS.name: rows}, {READINGS.name: titles}
        return Delivery(file.path.name, tables, file.supplied_at, withheld=withheld, titles=titles_of)

    def reread(self, original: bytes, name: str, context: Context) -> dict[str, pl.DataFrame]:
        """The tables in the bytes of an earlier delivery, as the register of today lets them in."""
        exported, _ = read_export(original, name)
        rows, _ = Register.of(context).admit(exported, context.city)
        return {READINGS.name: rows}

    def revise(self, kept: Tables, context: Context) -> tuple[Tables, Mapping[str, int]]:
        """What was kept of an earlier delivery, as the register of today lets it in, and what it no longer lets in.

        Raises:
            RegisterMissingError: no register of buildings landed yet.
        """
        rows, withheld = Register.of(context).admit(kept[READINGS.name], context.city)
        return {**kept, READINGS.name: rows}, withheld

    def keeps_too_much(self, kept: Mapping[str, pl.LazyFrame], context: Context) -> bool:
        """Whether what was kept tells more than months of what the register of today calls a dwelling."""
        try:
            register = Register.of(context)
        except RegisterMissingError:
            return False
        return register.has_detail_of_dwellings(kept[READINGS.name], context.city)

    def fetch(self, endpoint: EnergyApiEndpoint, context: Context) -> Delivery:
        """What every mandated access point of the register measured, or had corrected, since the last pull.

        An access point whose mandate is gone is told and forgotten, so that a new mandate brings all of it again. One
        that cannot be read is told too, and asked again from where it was. A pull that grew long leaves the access
        points that were never read to the next one, and speaks until where they begin.

        Raises:
            RegisterMissingError: no register of buildings landed yet.
            SupplierError: the supplier cannot be asked, or no access point can be read.
        """
        register = Register.of(context)
        with EnergyApi(endpoint.url, endpoint.account()) as api:
            mandates, now = api.mandates()
            pull = _Pull(api, now, context, endpoint.since, register)
            for mandate in pull.in_order(mandates):
                pull.ask(mandate)
        pull.require_one()
        rows, withheld = register.admit(pull.table(), context.city)
        return Delivery(
            origin=address(endpoint.url),
            tables={READINGS.name: rows},
            supplied_at=min(pull.fetched, default=now),
            complete_until=min(pull.behind, default=None),
            withheld={**pull.withheld, **withheld},
            memory={"access_points": pull.memory},
            faults=pull.faults(),
            warnings=pull.warnings(),
        )


SOURCE = EnergyMeters()


@dataclass(slots=True)
class _Pull:
    """One round along the mandates.

    Attributes:
        behind: of every access point that is left to the next pull, up to where it was read.
        broken: of every one that could not be read, its name and why.
        begun: how many were read for the first time; one at least, so that every pull gets further.
        outages: how many in a row failed in a way that may pass.
    """

    api: EnergyApi
    now: datetime
    context: Context
    since: date | None
    register: Register
    frames: list[pl.DataFrame] = field(default_factory=list)
    fetched: list[datetime] = field(default_factory=list)
    memory: dict[str, object] = field(default_factory=dict)
    withheld: dict[str, int] = field(default_factory=dict)
    behind: list[datetime] = field(default_factory=list)
    broken: list[tuple[str, SupplierError]] = field(default_factory=list)
    read: int = 0
    begun: int = 0
    refused: int = 0
    outages: int = 0

    def in_order(self, mandates: Iterable[Mandate]) -> list[Mandate]:
        """Those read before come first: they bring little, and must not wait for those that bring years."""
        return sorted(mandates, key=lambda mandate: self._remembered(mandate.ean) is None)

    def ask(self, mandate: Mandate) -> None:
        """Reads one access point; nothing is asked of one that is not the city's."""
        is_dwelling = self.register.eans().get(mandate.ean)
        if is_dwelling is None:
            self._tell(NOT_ASKED)
            return
        asked = replace(mandate, granularities=_LEAST_DETAIL) if is_dwelling else mandate
        known = _known(self._remembered(mandate.ean), self._terms(asked))
        if self.outages >= _MOST_OUTAGES or (self._is_long and self.begun and not known):
            self._leave(mandate.ean, known)
            return
        try:
            self._read(asked, known, is_dwelling=is_dwelling)
        except AccessRefusedError:
            self.refused += 1
            self._tell(f"{NO_MANDATE} {A_HOME if is_dwelling else mandate.ean}")
        except SupplierError as broken:
            self.outages += isinstance(broken, TransientSupplierError)
            self.broken.append((A_HOME if is_dwelling else mandate.ean, broken))
            self._keep(mandate.ean, known)

    def _read(self, mandate: Mandate, known: Mapping[str, datetime], *, is_dwelling: bool) -> None:
        """All windows of one access point, or nothing of it: half a month of a dwelling may not be summed."""
        is_due = self._is_due(known)
        frames, fetched = [], []
        for window in self._windows(mandate, known, is_due=is_due, is_dwelling=is_dwelling):
            body = self.api.energy(mandate, window)
            frames.append(_frame(rows_of(body)))
            fetched += [moment for moment in [fetched_at(body)] if moment]
        self.frames += frames
        self.fetched += fetched
        self.read, self.begun, self.outages = self.read + 1, self.begun + (not known), 0
        moments = {"pulled_at": self.now, "read_at": self.now if is_due else known["read_at"]}
        said = {name: moment.isoformat() for name, moment in moments.items()}
        self.memory[mandate.ean] = said | {"terms": self._terms(mandate)}

    @property
    def _is_long(self) -> bool:
        return sum(frame.height for frame in self.frames) >= _MOST_ROWS

    def _leave(self, ean: str, known: Mapping[str, datetime]) -> None:
        self.behind.append(known["pulled_at"] if known else self._first_moment())
        self._keep(ean, known)

    def _keep(self, ean: str, known: Mapping[str, datetime]) -> None:
        """What was remembered of an access point, so that the next pull asks it from there."""
        if known:
            self.memory[ean] = self._remembered(ean)

    def _remembered(self, ean: str) -> object:
        points = self.context.memory.get("access_points")
        return points.get(ean) if isinstance(points, dict) else None

    def _terms(self, mandate: Mandate) -> str:
        """On what earlier pulls were asked and let in: on other terms all of it is read again."""
        said = self.register.said_of(mandate.ean)
        return digest_of(self.since, mandate.granularities, mandate.first, said)

    def _windows(
        self, mandate: Mandate, known: Mapping[str, datetime], *, is_due: bool, is_dwelling: bool
    ) -> Iterator[Window]:
        """All of it at first; then what was stored since, and once a month what was measured lately."""
        if is_due:
            since = self.now - _REREAD if known else self._first_moment()
            yield from windows("readTime", *self._within(mandate, since))
        # half a month of a dwelling is not kept, so it is not asked for either
        if known and not is_dwelling:
            yield from windows("insertTime", known["pulled_at"] - _OVERLAP, self.now)

    def _is_due(self, known: Mapping[str, datetime]) -> bool:
        """In a pull that grew long the three months wait for the next one, and what was stored since does not."""
        if not known or self._is_long:
            return not known
        return (known["read_at"].year, known["read_at"].month) != (self.now.year, self.now.month)

    def _first_moment(self) -> datetime:
        oldest = self.now - _HISTORY
        return max(oldest, _midnight(self.since, self.context.city)) if self.since else oldest

    def _within(self, mandate: Mandate, since: datetime) -> tuple[datetime, datetime]:
        """From the first of a month, and inside the period of the mandate."""
        local = since.astimezone(ZoneInfo(self.context.city.time_zone)).date()
        first = max(local.replace(day=1), mandate.first or local.replace(day=1))
        last = _midnight(mandate.last + timedelta(days=1), self.context.city) if mandate.last else self.now
        return _midnight(first, self.context.city), min(last, self.now)

    def _tell(self, reason: str) -> None:
        self.withheld[reason] = self.withheld.get(reason, 0) + 1
        _log.warning("energy_meters: %s", reason)

    def require_one(self) -> None:
        """One access point may fail; when all do, it is the supplier, or us who may not ask.

        Raises:
            PermanentSupplierError: every access point was refused.
            SupplierError: none could be read; that of the first.
        """
        if not self.read and self.broken:
            raise self.broken[0][1]
        if not self.read and self.refused > 1:
            raise PermanentSupplierError("all_refused", "energy_meters", count=self.refused)

    def faults(self) -> dict[str, str]:
        """Which access points failed in one way; of dwellings only how many, for an EAN leads to who lives there."""
        by_reason: dict[str, list[str]] = {}
        for name, why in self.broken:
            by_reason.setdefault(str(why), []).append(name)
        return {_named(names): why for why, names in by_reason.items()}

    def warnings(self) -> tuple[str, ...]:
        """How many access points the next pull reads."""
        if not self.behind:
            return ()
        return (f"{len(self.behind)} access points are left to the next pull; `land energy_meters` goes on at once",)

    def table(self) -> pl.DataFrame:
        """What was answered, numbered in the order of the crawl."""
        rows = pl.concat([_frame(iter(())), *self.frames])
        return rows.with_row_index(LINE, offset=1).cast({LINE: pl.Int64})


def _frame(rows: Iterator[Row]) -> pl.DataFrame:
    """Received rows as columns, a few thousand at a time: as dicts they take four times the room."""
    schema = dict.fromkeys(READINGS.received.columns, pl.String)
    batches = iter(lambda: list(islice(rows, _ROWS_AT_ONCE)), [])
    pieces = [pl.DataFrame(some, schema=schema) for some in batches]
    return pl.concat([pl.DataFrame(schema=schema), *pieces])


def _named(names: list[str]) -> str:
    eans = [name for name in names if name != A_HOME]
    homes = len(names) - len(eans)
    more = [f"{len(eans) - _MOST_NAMED} more"] if len(eans) > _MOST_NAMED else []
    return ", ".join([*eans[:_MOST_NAMED], *more, *([f"dwellings ({homes})"] if homes else [])])


def _known(found: Any, terms: str) -> dict[str, datetime]:  # noqa: ANN401 - whatever the state kept
    """When an access point was last pulled and last read in full; empty when not known, or on other terms."""
    try:
        if found is None or found["terms"] != terms:
            return {}
        return {name: datetime.fromisoformat(found[name]) for name in ("pulled_at", "read_at")}
    except (KeyError, TypeError, ValueError):
        return {}


def _midnight(day: date, city: City) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(city.time_zone)).astimezone(UTC)


def _content(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as broken:
        why = broken.strerror
    raise PermanentSupplierError("setting_file", "energy_meters", name=name, why=why)
