"""The versions of Microsoft's formats that the project is written in: old enough for a Desktop of mid 2025."""

_ROOT = "https://developer.microsoft.com/json-schemas/fabric"


def schema(name: str) -> str:
    """The address by which a file says its format."""
    return f"{_ROOT}/{name}/schema.json"
