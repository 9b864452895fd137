"""What every store of published builds can do, whatever it keeps them in.

A build is loaded where no reader looks yet, and then one pointer moves: within a store a reader sees one build.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from warehouse.published.contents import Contents

KEPT: Final = 14
"""How many of the newest builds a store keeps: as far back as a rollback reaches."""


class UnknownBuildError(LookupError):
    """No such build is staged."""


class Store(Protocol):
    """A place that readers look in."""

    @property
    def name(self) -> str:
        """What it is called in the state, in a message and in a log."""
        ...

    def stage(self, contents: "Contents") -> Sequence[str]:
        """Loads a build where no reader looks; of what the store holds already nothing is loaded again.

        Returns:
            The tables that were loaded, by full name; none when the build is staged already.
        """
        ...

    def flip(self, build_id: str) -> None:
        """Points readers at a staged build; doing it twice is the same as once.

        Raises:
            UnknownBuildError: that build is not staged; readers keep what they have.
        """
        ...

    def current(self) -> str | None:
        """The build that readers see, or None before the first."""
        ...

    def builds(self) -> list[str]:
        """The staged builds, by id."""
        ...

    def discard(self, build_id: str) -> None:
        """Forgets a staged build; the one that readers see stays."""
        ...

    def prune(self, keep: int = KEPT) -> list[str]:
        """Forgets all but the newest builds, never the one that readers see.

        Returns:
            The ids forgotten.
        """
        ...
