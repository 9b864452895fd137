"""The endpoint of a source, as its settings would make it."""

from typing import Any

from ingestion.source import AskedSource


def endpoint_of(source: AskedSource[Any], url: str, **settings: str) -> Any:  # noqa: ANN401 - each source has its own
    """An endpoint with settings as they are written, by their names in capitals; an empty one is not set."""
    said = {name.lower(): value for name, value in settings.items() if value}
    return source.endpoint.model_validate({"url": url} | said)
