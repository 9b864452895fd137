"""Identifiers that follow from a name: a second run writes the same bytes, and Power BI knows an object again."""

import uuid

_OURS = uuid.uuid5(uuid.NAMESPACE_DNS, "ademruimte.powerbi")


def tag(*names: str) -> str:
    """An identifier as the model writes it."""
    return str(uuid.uuid5(_OURS, "/".join(names)))


def short_tag(*names: str) -> str:
    """An identifier as the report writes it: twenty hexadecimal digits."""
    return uuid.uuid5(_OURS, "/".join(names)).hex[:20]
