"""What a source is: how a supplier's records become the text columns that its contract names.

Belongs here: the interface that each module in `ingestion/sources` fills in, and finding one by its name. Does not
belong here: how any of them speaks, or when it is asked.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar

import polars as pl

from ingestion.delivery import Context, Delivery, DroppedFile
from ingestion.endpoint import Endpoint

Tables = Mapping[str, pl.DataFrame]
_Endpoint = TypeVar("_Endpoint", bound=Endpoint)


class Source:
    """One supplier: every way in which it may be asked, and what most suppliers answer.

    A source has `read` where its contract takes files, and `reread` where those files are kept; the rest where it has
    something to say. One that its contract asks by a clock is an `AskedSource`.
    """

    def read(self, file: DroppedFile, context: Context) -> Delivery:
        """A file that was dropped.

        Raises:
            UnreadableFileError: it is not what the source expects.
        """
        raise NotImplementedError(f"{type(self).__name__} takes files and has no read")

    def reread(self, original: bytes, name: str, context: Context) -> Tables:
        """The tables in a file that was kept, for a replay.

        Args:
            original: its bytes.
            name: under which it was delivered.
            context: of today.
        """
        raise NotImplementedError(f"{type(self).__name__} keeps files and has no reread")

    def revise(self, kept: Tables, context: Context) -> tuple[Tables, Mapping[str, int]]:  # noqa: ARG002 - asks nothing
        """The text that was kept, with what our own registers say of it today, for a replay.

        Returns:
            The tables, and by reason how many rows they no longer let in.
        """
        return kept, {}

    def keeps_too_much(self, kept: Mapping[str, pl.LazyFrame], context: Context) -> bool:  # noqa: ARG002 - as above
        """Whether a register forbids today what was kept."""
        return False

    def said_by_name(self, name: str) -> str | None:  # noqa: ARG002 - as above
        """What the name of a file says of its rows, so that the same bytes under another are another delivery."""
        return None


class AskedSource(Source, Generic[_Endpoint]):
    """A supplier that is asked by a clock.

    Attributes:
        endpoint: the class of its settings.
    """

    endpoint: type[_Endpoint]

    def fetch(self, endpoint: _Endpoint, context: Context) -> Delivery:
        """What the supplier answers.

        Raises:
            SupplierError: it cannot be asked, or its answer cannot be used.
        """
        raise NotImplementedError(f"{type(self).__name__} is asked by a clock and has no fetch")


def source_named(name: str) -> Source:
    """The source of a contract, by the contract's name."""
    source: Source = import_module(f"ingestion.sources.{name}").SOURCE
    return source


def asked_source(name: str) -> AskedSource[Any]:
    """The source of a contract that asks it by a clock."""
    source = source_named(name)
    if not isinstance(source, AskedSource):
        raise TypeError(f"{name} is asked by a clock: let its source be an AskedSource, with the class of its settings")
    return source
