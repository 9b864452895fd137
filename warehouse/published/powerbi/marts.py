"""The tables that readers get, as the model is made of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class MartColumn(NamedTuple):
    """A column of a table, with its type in DuckDB and its Dutch description."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Mart:
    """A published table.

    Attributes:
        key: the one column that names a row; None where more than one does.
    """

    schema: str
    name: str
    description: str
    columns: tuple[MartColumn, ...]
    key: str | None

    @property
    def is_dimension(self) -> bool:
        """Whether facts refer to it."""
        return self.name.startswith("dim_")


class Link(NamedTuple):
    """A column of one table that names a row of another."""

    many: str
    many_column: str
    one: str
    one_column: str


@dataclass(frozen=True, slots=True)
class Marts:
    """Every published table, and how they refer to each other."""

    tables: tuple[Mart, ...]
    links: tuple[Link, ...]

    @classmethod
    def of(cls, tables: Iterable[Mart], links: Iterable[Link]) -> "Marts":
        """In an order of their own, so that the same marts are written as the same bytes."""
        return cls(tuple(sorted(tables, key=lambda table: table.name)), tuple(sorted(set(links))))
