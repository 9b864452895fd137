"""Register of buildings: one file that holds all of it, kept by whoever manages the buildings."""

import polars as pl

from contracts.sources.buildings import CONNECTIONS
from ingestion.delivery import Context
from ingestion.protocols.template import TemplateFile

_NO = ("nee", "false", "0")


class Buildings(TemplateFile):
    """The register of buildings."""

    table = CONNECTIONS

    def filled(self, rows: pl.DataFrame, _: Context) -> pl.DataFrame:
        """The rows; who lives there, or the address, is kept only beside a plain no and written nowhere else."""
        is_no_dwelling = pl.col("is_woning").str.strip_chars().str.to_lowercase().is_in(_NO)
        return rows.with_columns(pl.when(is_no_dwelling).then(pl.col("naam")).alias("naam"))


SOURCE = Buildings()
