"""Energy meters: Mijn Fluvius exports dropped as files, and the Fluvius Energy API v3 of mandated access points."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from contracts.cities.profile import City
from contracts.sources.energy_meters import READINGS
from contracts.vocabulary import LINE
from ingestion.delivery import Context, Delivery, DroppedFile, Endpoint, Secret, digest_of
from ingestion.errors import AccessRefusedError, PermanentSupplierError
from ingestion.http import address
from ingestion.protocols.dropped_file import original_bytes
from ingestion.protocols.fluvius_api import Account, EnergyApi, Mandate, Row, Window, fetched_at, rows_of, windows
from ingestion.protocols.fluvius_csv import read_export
from ingestion.registered_meters import Register, RegisterMissingError

NO_MANDATE = "mandaat ingetrokken of verlopen, niets gelezen: vraag het opnieuw aan voor"
NOT_ASKED = "mandaat voor een EAN buiten het gebouwenregister, niet opgevraagd"

_log = logging.getLogger("ademruimte.energy_meters")
_AUTHORITY = "https://login.microsoftonline.com"
# what the supplier keeps
_HISTORY = timedelta(days=3 * 365)
# what was stored late while the last pull ran
_OVERLAP = timedelta(days=2)
_REREAD = timedelta(days=92)
_LEAST_DETAIL = ("daily",)


def read(file: DroppedFile, context: Context) -> Delivery:
    """One export; up to where it speaks, its rows say.

    Raises:
        UnreadableFileError: it is no Mijn Fluvius export.
        RegisterMissingError: no register of buildings landed yet; the file may come again.
    """
    exported = read_export(original_bytes(file), file.path.name)
    rows, withheld = Register.of(context).admit(exported, context.city)
    return Delivery(file.path.name, {READINGS.name: rows}, file.supplied_at, withheld=withheld)


def reread(original: bytes, name: str, context: Context) -> dict[str, pl.DataFrame]:
    """The tables in the bytes of an earlier delivery, as the register of today lets them in."""
    rows, _ = Register.of(context).admit(read_export(original, name), context.city)
    return {READINGS.name: rows}


def revised(kept: Mapping[str, pl.DataFrame], context: Context) -> tuple[dict[str, pl.DataFrame], dict[str, int]]:
    """What was kept of an earlier delivery, as the register of today lets it in, and what it no longer lets in.

    Raises:
        RegisterMissingError: no register of buildings landed yet.
    """
    rows, withheld = Register.of(context).admit(kept[READINGS.name], context.city)
    return {**kept, READINGS.name: rows}, withheld


def keeps_too_much(kept: Mapping[str, pl.LazyFrame], context: Context) -> bool:
    """Whether what was kept tells more than months of what the register of today calls a dwelling."""
    try:
        register = Register.of(context)
    except RegisterMissingError:
        return False
    return register.has_detail_of_dwellings(kept[READINGS.name], context.city)


def fetch(endpoint: Endpoint, context: Context) -> Delivery:
    """What every mandated access point of the register measured, or had corrected, since the last pull.

    An access point whose mandate is gone is told and forgotten, so that a new mandate brings all of it again.

    Raises:
        RegisterMissingError: no register of buildings landed yet.
        SupplierError: the supplier cannot be asked, or refuses every access point.
    """
    register = Register.of(context)
    with EnergyApi(endpoint.url, _account(endpoint)) as api:
        mandates, now = api.mandates()
        pull = _Pull(api, now, context, endpoint.since, register)
        for mandate in mandates:
            pull.ask(mandate)
    pull.require_access()
    rows, withheld = register.admit(pull.table(), context.city)
    return Delivery(
        origin=address(endpoint.url),
        tables={READINGS.name: rows},
        supplied_at=min(pull.fetched, default=now),
        withheld={**pull.withheld, **withheld},
        memory={"access_points": pull.memory},
    )


@dataclass(slots=True)
class _Pull:
    """One round along the mandates."""

    api: EnergyApi
    now: datetime
    context: Context
    since: date | None
    register: Register
    rows: list[Row] = field(default_factory=list)
    fetched: list[datetime] = field(default_factory=list)
    memory: dict[str, dict[str, str]] = field(default_factory=dict)
    withheld: dict[str, int] = field(default_factory=dict)
    refused: int = 0

    def ask(self, mandate: Mandate) -> None:
        """Reads one access point; nothing is asked of one that is not the city's."""
        is_dwelling = self.register.eans().get(mandate.ean)
        if is_dwelling is None:
            self._tell(NOT_ASKED)
            return
        asked = replace(mandate, granularities=_LEAST_DETAIL) if is_dwelling else mandate
        terms = self._terms(asked)
        known = _known(self.context.memory, mandate.ean, terms)
        try:
            for window in self._windows(asked, known, is_dwelling=is_dwelling):
                body = self.api.energy(asked, window)
                self.rows += rows_of(body)
                self.fetched += [moment for moment in [fetched_at(body)] if moment]
        except AccessRefusedError:
            self.refused += 1
            self._tell(f"{NO_MANDATE} {'een woning' if is_dwelling else mandate.ean}")
            return
        read_at = self.now if self._is_due(known) else known["read_at"]
        moments = {"pulled_at": self.now.isoformat(), "read_at": read_at.isoformat()}
        self.memory[mandate.ean] = moments | {"terms": terms}

    def _terms(self, mandate: Mandate) -> str:
        """On what earlier pulls were asked and let in: on other terms all of it is read again."""
        said = self.register.said_of(mandate.ean)
        return digest_of(self.since, mandate.granularities, mandate.first, said)

    def _windows(self, mandate: Mandate, known: Mapping[str, datetime], *, is_dwelling: bool) -> Iterator[Window]:
        """All of it at first; then what was stored since, and once a month what was measured lately."""
        if self._is_due(known):
            since = self.now - _REREAD if known else self._first_moment()
            yield from windows("readTime", *self._within(mandate, since))
        # half a month of a dwelling is not kept, so it is not asked for either
        if known and not is_dwelling:
            yield from windows("insertTime", known["pulled_at"] - _OVERLAP, self.now)

    def _is_due(self, known: Mapping[str, datetime]) -> bool:
        return not known or (known["read_at"].year, known["read_at"].month) != (self.now.year, self.now.month)

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

    def require_access(self) -> None:
        """One mandate may be gone; when all are, it is us who may not ask.

        Raises:
            PermanentSupplierError: every access point was refused.
        """
        if self.refused > 1 and not self.memory:
            raise PermanentSupplierError(
                f"energy_meters: the supplier refused all {self.refused} access points; check the data access contract "
                "and ADEMRUIMTE_ENERGY_METERS_SUBSCRIPTION_KEY"
            )

    def table(self) -> pl.DataFrame:
        """What was answered, numbered in the order of the crawl."""
        schema = dict.fromkeys(READINGS.received.columns, pl.String)
        rows = pl.DataFrame(self.rows, schema=schema) if self.rows else pl.DataFrame(schema=schema)
        return rows.with_row_index(LINE, offset=1).cast({LINE: pl.Int64})


def _known(memory: Mapping[str, object], ean: str, terms: str) -> dict[str, datetime]:
    """When an access point was last pulled and last read in full; empty when not known, or on other terms."""
    points = memory.get("access_points")
    found = points.get(ean) if isinstance(points, dict) else None
    try:
        if found is None or found["terms"] != terms:
            return {}
        return {name: datetime.fromisoformat(found[name]) for name in ("pulled_at", "read_at")}
    except (KeyError, TypeError, ValueError):
        return {}


def _midnight(day: date, city: City) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(city.time_zone)).astimezone(UTC)


def _account(endpoint: Endpoint) -> Account:
    """As whom the API is asked.

    Raises:
        PermanentSupplierError: a setting is missing or its file cannot be read.
    """
    tenant, token_url = endpoint.option("TENANT"), endpoint.option("TOKEN_URL")
    key = endpoint.secret_option("SUBSCRIPTION_KEY")
    certificate, private_key = endpoint.option("CERTIFICATE_FILE"), endpoint.option("PRIVATE_KEY_FILE")
    if key is None:
        raise _missing("SUBSCRIPTION_KEY")
    if not (tenant or token_url):
        raise _missing("TENANT")
    return Account(
        token_url=token_url or f"{_AUTHORITY}/{tenant}/oauth2/v2.0/token",
        client_id=_needed(endpoint.option("CLIENT_ID"), "CLIENT_ID"),
        scope=_needed(endpoint.option("SCOPE"), "SCOPE"),
        subscription_key=key,
        secret=endpoint.secret_option("CLIENT_SECRET"),
        certificate=_content(certificate, "CERTIFICATE_FILE") if certificate else None,
        private_key=Secret(_content(private_key, "PRIVATE_KEY_FILE").decode("latin-1")) if private_key else None,
    )


def _needed(value: str | None, name: str) -> str:
    if not value:
        raise _missing(name)
    return value


def _missing(name: str) -> PermanentSupplierError:
    return PermanentSupplierError(f"energy_meters: the Energy API needs ADEMRUIMTE_ENERGY_METERS_{name}; set it")


def _content(path: str, name: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as broken:
        why = broken.strerror
    raise PermanentSupplierError(
        f"energy_meters: the file of ADEMRUIMTE_ENERGY_METERS_{name} cannot be opened ({why}); check the setting"
    )
