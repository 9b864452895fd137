"""How a part of a supplier fails, and what is said of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

NewSupplier = Callable[[Callable[..., Any]], Any]
Reply = tuple[int, dict[str, str], bytes]
CLOCK = datetime(2026, 11, 23, 6, tzinfo=UTC)
NO_WAIT = {"Retry-After": "0"}
FAILURES: dict[str, Reply] = {
    "down": (500, NO_WAIT, b""),
    "gone": (404, {}, b""),
    "mandate gone": (401, {}, b""),
    "forbidden": (403, {}, b""),
    "no JSON": (200, {}, b'{"data": [{"id"'),
    "HTML": (200, {}, b"<html>log in</html>"),
    "no list": (200, {}, b'{"data": {}, "status_code": 1000}'),
    "OCPI error": (200, {}, b'{"data": [], "status_code": 2001}'),
}
SAYS = {
    "down": "HTTP 500, 5 times",
    "gone": "HTTP 404",
    "mandate gone": "refused the credentials",
    "forbidden": "refused the credentials",
    "no JSON": "not JSON",
    "HTML": "HTML",
    "no list": "no list",
    "OCPI error": "OCPI status 2001",
}
