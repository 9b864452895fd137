"""The one place that knows which folder of a profile holds what.

Belongs here: paths and their permissions. Does not belong here: what is written into them.
"""

import logging
import os
import stat
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER_MODE = 0o750
_SECRETS_MODE = 0o700
# for the group to read, for strangers nothing
_CLOSED_TO_STRANGERS = 0o027
_log = logging.getLogger("ademruimte.layout")


class NewerProfileError(RuntimeError):
    """A newer version of the program wrote here; reading it as an older one could lose what it said."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path} was written by a newer version of Ademruimte (its format is {found}, this version knows {known}); "
            "install that version again, or restore the backup of before it"
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one profile: one lake, one warehouse, one published folder.

    Attributes:
        root: the profile's folder; everything else lies in it.
    """

    root: Path

    @property
    def lake(self) -> Path:
        """The truth: batches and decisions."""
        return self.root / "lake"

    @property
    def last_said(self) -> Path:
        """What was last said of every target; it follows from the decisions, and is made again when it is gone."""
        return self.decisions / ".last_said.parquet"

    @property
    def decisions(self) -> Path:
        """What every build said, and which were withdrawn."""
        return self.lake / "decisions"

    @property
    def staging(self) -> Path:
        """Batches being written; on the lake's file system and outside every source's folder."""
        return self.lake / ".staging"

    @property
    def warehouse(self) -> Path:
        """The pipeline's own DuckDB file; readers never open it."""
        return self.root / "warehouse.duckdb"

    @property
    def lock(self) -> Path:
        """Held during a whole build."""
        return self.root / "warehouse.lock"

    @property
    def state(self) -> Path:
        """What cannot be derived from the lake: outbox, progress, publications."""
        return self.root / "state.sqlite"

    @property
    def published(self) -> Path:
        """What readers see."""
        return self.root / "published"

    @property
    def quality(self) -> Path:
        """Data Docs, one folder per build."""
        return self.root / "quality"

    @property
    def mail(self) -> Path:
        """Messages written as files where no mail server is configured."""
        return self.root / "mail"

    @property
    def dbt(self) -> Path:
        """Target and logs of dbt."""
        return self.root / "dbt"

    @property
    def dagster(self) -> Path:
        """The orchestrator's own storage; only a history of runs."""
        return self.root / "dagster"

    @property
    def secrets(self) -> Path:
        """Keys; never beside the data they protect in a backup."""
        return self.root / "secrets"

    @property
    def marker(self) -> Path:
        """The file that says that everything here is invented."""
        return self.root / "SYNTHETIC"

    @property
    def own_settings(self) -> Path:
        """The settings of a profile that obeys no other: neither the environment nor a `.env`."""
        return self.root / "settings.env"

    @property
    def is_synthetic(self) -> bool:
        """Whether this profile holds invented data."""
        return self.marker.exists()

    def drop(self, source: str) -> Path:
        """The folder into which a source's files are dropped."""
        return self.root / "drop" / source

    def create(self) -> None:
        """Makes every folder, closed to strangers; the files in them come when they are needed."""
        open_to_group = (
            self.root,
            self.lake,
            self.staging,
            self.root / "drop",
            self.published,
            self.quality,
            self.mail,
            self.dbt,
            self.dagster,
        )
        for folder in open_to_group:
            _make(folder, _FOLDER_MODE)
        _make(self.secrets, _SECRETS_MODE)
        _warn_of_strangers(self.root)


def close_to_strangers() -> None:
    """From here on this process makes no file that everybody on the machine can read, in whatever folder."""
    os.umask(_CLOSED_TO_STRANGERS)


@cache
def _warn_of_strangers(root: Path) -> None:
    """Said once in the life of a process: somebody made the folder by hand, and may want it so."""
    if stat.S_IMODE(root.stat().st_mode) & stat.S_IRWXO:
        _log.warning("%s is open to everybody on this machine: `chmod o= %s` closes it", root, root)


def _make(folder: Path, mode: int) -> None:
    """A folder that exists keeps the permissions someone gave it."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        # mkdir's own mode is cut by the umask of whoever runs it
        folder.chmod(mode)
