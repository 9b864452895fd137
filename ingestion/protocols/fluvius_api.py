"""Fluvius Energy API v3: one token, the mandates, and one access point per question.

The API has no pages: a question spans at most 184 days. Instants are UTC; what ends on a local midnight is asked
with a day more, or its last hours are missing. Paths and shapes: the v3 sandbox and its published clients.
"""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self
from uuid import uuid4

from pydantic import SecretStr

from ingestion.errors import PermanentSupplierError
from ingestion.http import Answer, Budget, Client, address

MOST_DAYS = 184
_ONE_DAY_MORE = timedelta(days=1)
_EARLY_SECONDS = 60
_TOKEN_SECONDS = 3600.0
# three years of three hundred access points, one question per half year
_CRAWL_SECONDS = 4 * 3600.0
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TOKEN_PATH = "/oauth2/v2.0/token"  # noqa: S105 - a path
_ISSUER_PATH = "/v2.0"
_ARRAYS = {"quarterHourlyEnergy": "PT15M", "hourlyEnergy": "PT1H", "dailyEnergy": "P1D"}
_CARRIERS = {"E": "electricity", "G": "gas"}
_GRANULARITIES = {
    "VH_dag": ("daily",),
    "VH_kwartier_uur": ("hourly_quarterhourly",),
    "VH_onbepaald": ("daily", "hourly_quarterhourly"),
}
_NOT_MEASURED = "No data"
_NOT_SAID = "NVAL"

Row = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Account:
    """As whom the API is asked: by secret, or by a certificate that signs an assertion.

    Attributes:
        token_url: the token endpoint of the tenant at Entra ID.
        certificate: PEM; its thumbprint tells which key signed.
        private_key: PEM, RSA.
    """

    token_url: str
    client_id: str
    scope: str
    subscription_key: SecretStr
    secret: SecretStr | None = None
    certificate: bytes | None = None
    private_key: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Mandate:
    """What the holder of an access point allows to be read.

    Attributes:
        granularities: as the API asks for them: `daily`, `hourly_quarterhourly`.
        first: first day, None for no limit; the same for `last`.
    """

    ean: str
    granularities: tuple[str, ...]
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A period to ask, UTC, the end not included.

    Attributes:
        period_type: `readTime` (when it was measured) or `insertTime` (when Fluvius stored it).
    """

    period_type: str
    start: datetime
    end: datetime


def windows(period_type: str, start: datetime, end: datetime) -> list[Window]:
    """A period and one day more, in pieces of at most 184 days."""
    pieces: list[Window] = []
    last = end + _ONE_DAY_MORE
    while start < last:
        until = min(start + timedelta(days=MOST_DAYS), last)
        pieces.append(Window(period_type, start, until))
        start = until
    return pieces


class EnergyApi:
    """Asks the Energy API; use it as a context manager.

    Args:
        base: the address up to and with the version, `…/esco-live/v3`.
        account: as whom.
        sleep: pauses between tries.
        clock: seconds that never go back, by which a token's age is told.
    """

    def __init__(
        self,
        base: str,
        account: Account,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = base.rstrip("/")
        self._account = account
        self._sleep = sleep
        self._clock = clock
        self._budget = Budget(_CRAWL_SECONDS)
        self._client: Client | None = None
        self._valid_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def mandates(self) -> tuple[list[Mandate], datetime]:
        """The approved mandates that allow a volume to be read, one per access point, and the supplier's clock.

        Raises:
            AccessRefusedError: the credentials or the subscription key are refused.
            SupplierError: see `Client.get`.
        """
        answer = self._get("/api/mandate", {"status": "Approved"})
        data = _object(answer.json(), answer.url_without_query).get("data")
        found = _mandates(_objects(data.get("mandates")) if isinstance(data, dict) else [])
        return found, answer.server_time or datetime.now(UTC)

    def energy(self, mandate: Mandate, window: Window) -> Mapping[str, object]:
        """What one access point measured in a window; see `rows_of`.

        Raises:
            AccessRefusedError: this access point may no longer be read.
            SupplierError: see `Client.get`.
        """
        asked = {
            "ean": mandate.ean,
            "periodType": window.period_type,
            "granularity": ",".join(mandate.granularities),
            "complexEnergyTypes": "active,reactive",
            "from": _written(window.start),
            "to": _written(window.end),
        }
        answer = self._get("/api/mandate/energy", asked)
        return _object(answer.json(), answer.url_without_query)

    def _get(self, path: str, params: Mapping[str, str]) -> Answer:
        return self._authorised().get(f"{self._base}{path}", params)

    def _authorised(self) -> Client:
        """A client with a token that lives a minute more at least."""
        if self._client is None or self._clock() >= self._valid_until - _EARLY_SECONDS:
            self._close()
            asked_at = self._clock()
            token, seconds = self._token()
            headers = {
                "Authorization": f"Bearer {token.get_secret_value()}",
                "Ocp-Apim-Subscription-Key": self._account.subscription_key.get_secret_value(),
                "Accept": "application/json",
            }
            self._client = Client(self._base, headers, self._sleep, budget=self._budget)
            self._valid_until = asked_at + seconds
        return self._client

    def _token(self) -> tuple[SecretStr, float]:
        account = self._account
        fields: dict[str, str | SecretStr] = {
            "grant_type": "client_credentials",
            "client_id": account.client_id,
            "scope": account.scope,
            **_proof(account),
        }
        with Client(account.token_url, None, self._sleep, budget=self._budget) as client:
            answer = client.post_form(account.token_url, fields)
        granted = _object(answer.json(), answer.url_without_query)
        token, seconds = granted.get("access_token"), granted.get("expires_in")
        if not isinstance(token, str) or not token:
            raise PermanentSupplierError("no_token", answer.url_without_query)
        is_told = isinstance(seconds, (int, float, str)) and str(seconds).isdecimal()
        return SecretStr(token), float(str(seconds)) if is_told else _TOKEN_SECONDS

    def _close(self) -> None:
        if self._client is not None:
            self._client.__exit__(None, None, None)
            self._client = None


def rows_of(body: Mapping[str, object]) -> Iterator[Row]:
    """The received rows of an answer, in its order; none where there is no data yet.

    Arrays lie on the headpoint (a large connection), on its physical meters (a digital meter), or on both; then
    those of the headpoint count, for they are the same energy. A submeter has rows of its own, under its own number.
    """
    data = body.get("data")
    headpoint = data.get("headpoint") if isinstance(data, dict) else None
    if not isinstance(headpoint, dict):
        return
    energy_type = headpoint.get("energyType")
    whose: Row = {
        "ean": _text(headpoint.get("ean")),
        "carrier": _CARRIERS.get(str(energy_type), _text(energy_type)),
        "source": "fluvius_api",
    }
    for array, granularity in _ARRAYS.items():
        kept = whose | {"granularity": granularity}
        own = list(_slices(headpoint, array, kept | {"meter": None, "sub_ean": None}))
        yield from own or _of_meters(headpoint, array, kept)
        for sub in _objects(headpoint.get("subHeadpoints")):
            number = _text(sub.get("ean")) or _text(sub.get("seqNumber")) or "?"
            yield from _slices(sub, array, kept | {"meter": None, "sub_ean": number})


def fetched_at(body: Mapping[str, object]) -> datetime | None:
    """When Fluvius gathered an answer (UTC); None when it does not say so legibly."""
    meta = body.get("_meta")
    written = meta.get("fetchTime") if isinstance(meta, dict) else None
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _of_meters(headpoint: Mapping[str, object], array: str, whose: Row) -> Iterator[Row]:
    for meter in _objects(headpoint.get("physicalMeters")):
        yield from _slices(meter, array, whose | {"meter": _text(meter.get("meterID")), "sub_ean": None})


def _slices(holder: Mapping[str, object], array: str, whose: Row) -> Iterator[Row]:
    for piece in _objects(holder.get(array)):
        timed = whose | {"start_at": _text(piece.get("start"))}
        for measurement in _objects(piece.get("measurements")):
            for direction, registers in measurement.items():
                if isinstance(registers, dict):
                    yield from _leaves(direction, registers, timed)


def _leaves(direction: str, registers: Mapping[str, object], timed: Row) -> Iterator[Row]:
    for register, leaf in registers.items():
        if isinstance(leaf, dict):
            value = leaf.get("value")
            is_measured = value is not None
            yield timed | {
                "register": f"{direction} {register}",
                "volume": _number(value) if is_measured else "",
                "unit": _text(leaf.get("unit")),
                "status": (_text(leaf.get("validationState")) or _NOT_SAID) if is_measured else _NOT_MEASURED,
                "gcv_state": _text(leaf.get("gasConversionFactor")),
            }


def _number(value: object) -> str:
    """A number without exponent; what is none stays as it is, for the gate to refuse."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return format(Decimal(repr(value)), "f")
    return str(value)


def _mandates(found: list[Mapping[str, object]]) -> list[Mandate]:
    """One per access point, with the granularities of all of them together."""
    merged: dict[str, Mandate] = {}
    for each in found:
        ean, granularities = _text(each.get("ean")), _GRANULARITIES.get(str(each.get("dataServiceType")), ())
        if ean is None or not granularities or each.get("status") not in ("Approved", None):
            continue
        first, last = _day(each.get("dataPeriodFrom")), _day(each.get("dataPeriodTo"))
        known = merged.get(ean)
        if known is not None:
            granularities = tuple(sorted({*known.granularities, *granularities}))
            first = min(first, known.first) if first and known.first else None
            last = max(last, known.last) if last and known.last else None
        merged[ean] = Mandate(ean, granularities, first, last)
    return list(merged.values())


def _proof(account: Account) -> dict[str, str | SecretStr]:
    """What shows that we are the client: the secret, or an assertion that its certificate signed.

    Raises:
        PermanentSupplierError: there is neither, or the key or certificate cannot be read.
    """
    if account.certificate is not None and account.private_key is not None:
        return {"client_assertion_type": _ASSERTION, "client_assertion": SecretStr(_assertion(account))}
    if account.secret is None:
        raise PermanentSupplierError("no_credentials", address(account.token_url))
    return {"client_secret": account.secret}


def _assertion(account: Account) -> str:
    """A signed statement of an hour at most (RFC 7523), with the thumbprint of the certificate (RFC 7515, x5t)."""
    # half a second of import that only a pull by certificate pays
    import jwt  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA1  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    now = datetime.now(UTC)
    claims = {
        "aud": account.token_url.removesuffix(_TOKEN_PATH) + _ISSUER_PATH,
        "iss": account.client_id,
        "sub": account.client_id,
        "jti": str(uuid4()),
        "nbf": now,
        "exp": now + timedelta(hours=1),
    }
    key = account.private_key.get_secret_value() if account.private_key else ""
    try:
        # a thumbprint is a name, not a defence
        thumbprint = load_pem_x509_certificate(account.certificate or b"").fingerprint(SHA1())  # noqa: S303
        named = {"x5t": urlsafe_b64encode(thumbprint).rstrip(b"=").decode()}
        return jwt.encode(claims, key, algorithm="RS256", headers=named)
    except (ValueError, jwt.PyJWTError) as broken:
        why = type(broken).__name__
    # raised outside the handler: the exception of the parser may hold the key
    raise PermanentSupplierError("certificate", why=why)


def _object(body: object, shown: str) -> Mapping[str, object]:
    if not isinstance(body, dict):
        raise PermanentSupplierError("no_object", shown)
    return body


def _objects(found: object) -> list[Mapping[str, object]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _day(written: object) -> date | None:
    try:
        return datetime.fromisoformat(str(written)).date()
    except ValueError:
        return None


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
