"""A Fluvius Energy API on the loopback: a token endpoint, mandates, and what each access point measured."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SERVER_DATE = "Mon, 23 Nov 2026 06:00:00 GMT"
TOKEN_PATH = "/tenant/oauth2/v2.0/token"
NO_DATA = {"_meta": {"fetchTime": "2026-11-23T05:59:00Z"}, "data": {}}

Reply = tuple[int, Mapping[str, str], object]


def mandate(ean: str, service: str = "VH_kwartier_uur", **more: object) -> dict[str, Any]:
    return {
        "referenceNumber": "r",
        "status": "Approved",
        "ean": ean,
        "energyType": "E",
        "dataServiceType": service,
        **more,
    }


def leaf(value: float | None, unit: str = "kWh", state: str | None = "READ", **more: object) -> dict[str, Any]:
    return {"value": value, "unit": unit, "validationState": state, **more}


def piece(start: str, end: str, *measurements: Mapping[str, Any]) -> dict[str, Any]:
    return {"start": start, "end": end, "measurements": list(measurements)}


def on_meter(
    ean: str, array: str, *pieces: Mapping[str, Any], energy_type: str = "E", meter: str = "1SAG1"
) -> dict[str, Any]:
    """An answer of a digital meter."""
    headpoint = {
        "$type": "metering-on-meter",
        "ean": ean,
        "energyType": energy_type,
        "physicalMeters": [{"seqNumber": "1", "meterID": meter, array: list(pieces)}],
    }
    return {"_meta": {"fetchTime": "2026-11-23T05:59:00Z"}, "data": {"headpoint": headpoint}}


@dataclass
class Fluvius:
    """`energy` answers a question about an access point; the rest is what was seen."""

    mandates: list[dict[str, Any]] = field(default_factory=list)
    energy: Callable[[Mapping[str, str]], Reply] = lambda _: (200, {}, NO_DATA)
    key: str = "key"
    expires_in: object = 3600
    token_reply: Reply | None = None
    url: str = ""
    forms: list[dict[str, str]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def token(self, form: dict[str, str]) -> Reply:
        self.forms.append(form)
        granted = {"access_token": f"token-{len(self.forms)}", "expires_in": self.expires_in, "token_type": "Bearer"}
        return self.token_reply or (200, {}, granted)

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
        self.headers.append(headers)
        if (
            not headers.get("Authorization", "").startswith("Bearer token-")
            or headers.get("Ocp-Apim-Subscription-Key") != self.key
        ):
            return 401, {}, {"Type": "x", "Code": "401", "Message": "no", "ValidationErrorMessages": []}
        if path == "/esco-live/v3/api/mandate":
            return 200, {}, {"data": {"mandates": self.mandates}}
        self.asked.append(query)
        return self.energy(query)


def _handler(supplier: Fluvius) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._reply(supplier.token(dict(parse_qsl(content))))

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._reply(supplier.answer(parts.path, dict(parse_qsl(parts.query)), dict(self.headers.items())))

        def _reply(self, reply: Reply) -> None:
            status, headers, body = reply
            written = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response_only(status)
            for name, value in ({"Date": SERVER_DATE, "Content-Length": str(len(written))} | dict(headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_: object) -> None:
            """Stays silent."""

    return Handler


@contextmanager
def serving(supplier: Fluvius) -> Iterator[Fluvius]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(supplier))
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    supplier.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield supplier
    finally:
        server.shutdown()
        server.server_close()
