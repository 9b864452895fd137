"""Which meter readings may come in: those of access points that the register of buildings names.

Belongs here: refusing what is not the city's, and turning a dwelling's readings into totals of months before
anything of them is written. Does not belong here: reading a file or an answer (`protocols`), or the register itself.

A month of a dwelling is kept only when one delivery holds it whole. Of half a month the total would change
when the other half comes, and the difference between the two would tell days.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import polars as pl

from contracts.cities.profile import City
from contracts.gate import split
from contracts.reading import day, instant, text
from contracts.sources.energy_meters import READINGS
from contracts.vocabulary import LINE
from ingestion.delivery import Context
from ingestion.errors import TransientSupplierError

UNKNOWN = "EAN staat niet in het gebouwenregister"
NOT_THAT_DAY = "EAN was die dag niet van de stad (geldig_van, geldig_tot in het gebouwenregister)"
IN_MONTHS = "woning: opgeteld tot maandtotalen, het detail is niet bewaard"
NOT_WHOLE = "woning: rij onleesbaar of maand niet volledig in deze levering, niet bewaard"

_REGISTER = ("buildings", "connections")
_EAN = r"^\d{18}$"
_MONTH = "P1M"
_STEP_MINUTES = {"PT15M": 15, "PT1H": 60}
_SERIES = ("ean", "carrier", "direction", "unit", "source", "month")
# the least certain reading of a month is the month's
_WORDS = {1: "Not validated", 2: "Estimated", 3: "Read", 4: "Validated"}


class RegisterMissingError(TransientSupplierError):
    """Nobody told yet which meters are the city's; the delivery may come again once somebody has."""


@dataclass(frozen=True, slots=True)
class Register:
    """The access points of the newest register.

    Attributes:
        connections: ean, is_dwelling, valid_from_date and valid_to_date (null: still valid).
    """

    connections: pl.DataFrame

    @classmethod
    def of(cls, context: Context) -> Self:
        """The newest register that landed.

        Raises:
            RegisterMissingError: none has, or it names no access point.
        """
        try:
            rows = context.rows(*_REGISTER)
        except LookupError:
            rows = pl.DataFrame(schema={"ean": pl.String})
        named = rows.filter(pl.col("ean") != "")
        if named.is_empty():
            raise RegisterMissingError("no_register")
        newest = named.sort("supplied_at", "content_sha256").select("supplied_at", "content_sha256").tail(1)
        current = named.join(newest, on=["supplied_at", "content_sha256"], how="semi")
        return cls(current.select("ean", "is_dwelling", "valid_from_date", "valid_to_date"))

    def eans(self) -> Mapping[str, bool]:
        """Every access point, and whether it is a dwelling's at any time."""
        return dict(self.connections.group_by("ean").agg(pl.col("is_dwelling").any()).sort("ean").iter_rows())

    def said_of(self, ean: str) -> list[str]:
        """What the register says of an access point: when it says something else, more may come in than before."""
        return sorted(map(str, self.connections.filter(pl.col("ean") == ean).iter_rows()))

    def admit(self, rows: pl.DataFrame, city: City) -> tuple[pl.DataFrame, dict[str, int]]:
        """Keeps what is the city's, and of dwellings totals of whole months.

        Args:
            rows: received rows of `energy_meters.readings`.
            city: in whose time zone a day begins.

        Returns:
            The received rows that may be written, and by reason how many were not let in. A row whose EAN
            cannot be read stays, for its sender must hear of it, but without the serial number of its meter.
        """
        known = (
            _complete(rows)
            .with_columns(_bare_ean(), _first_day(city))
            .join(
                self._of_days(rows, city),
                on=["bare_ean", "first_date"],
                how="left",
                nulls_equal=True,
                maintain_order="left",
            )
        )
        unread = ~pl.col("bare_ean").str.contains(_EAN).fill_null(value=False)
        is_named = pl.col("bare_ean").is_in(self.connections["ean"].unique().to_list())
        marked = known.with_columns(unread=unread, is_named=is_named)
        # what was added up at an earlier landing, and is looked at again
        is_month = text("granularity").eq_missing(_MONTH)
        dwellings = marked.filter(~pl.col("unread") & pl.col("is_dwelling") & ~is_month)
        kept = marked.filter(
            pl.col("unread") | ~pl.col("is_dwelling") | (pl.col("is_dwelling") & is_month)
        ).with_columns(pl.when(~pl.col("unread")).then(pl.col("meter")).alias("meter"))
        gone = marked.filter(~pl.col("unread") & pl.col("is_dwelling").is_null())
        months, summed = _month_totals(dwellings, city)
        counts = {
            UNKNOWN: gone.filter(~pl.col("is_named")).height,
            NOT_THAT_DAY: gone.filter("is_named").height,
            IN_MONTHS: summed,
            NOT_WHOLE: dwellings.height - summed,
        }
        admitted = pl.concat([kept, months], how="diagonal").select(*rows.columns, *_added(rows)).sort(LINE)
        return admitted, {reason: count for reason, count in counts.items() if count}

    def has_detail_of_dwellings(self, rows: pl.LazyFrame, city: City) -> bool:
        """Whether received rows tell of less than a month of a dwelling."""
        homes = [ean for ean, is_dwelling in self.eans().items() if is_dwelling]
        absent = set(READINGS.received.columns) - set(rows.collect_schema().names())
        complete = rows.with_columns(pl.lit(None, pl.String).alias(name) for name in sorted(absent))
        is_month = text("granularity").eq_missing(_MONTH)
        detail = complete.filter(_bare_ean().is_in(homes) & ~is_month).collect()
        return bool(self._of_days(detail, city)["is_dwelling"].any())

    def _of_days(self, rows: pl.DataFrame, city: City) -> pl.DataFrame:
        """Per EAN and day in the rows whether it is a dwelling's then; absent when it is not the city's."""
        days = _complete(rows).select(_bare_ean(), _first_day(city)).unique()
        pairs = days.join(self.connections, left_on="bare_ean", right_on="ean", how="inner")
        is_then = pl.col("first_date").is_between(
            pl.col("valid_from_date"), pl.coalesce("valid_to_date", pl.col("first_date"))
        )
        # of a day that cannot be read, the stricter answer holds
        return (
            pairs.filter(is_then.fill_null(value=True))
            .group_by("bare_ean", "first_date")
            .agg(pl.col("is_dwelling").any())
        )


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    absent = [pl.lit(None, pl.String).alias(name) for name in READINGS.received.columns if name not in rows.columns]
    return rows.with_columns(absent)


def _added(rows: pl.DataFrame) -> Iterable[str]:
    """The columns that totals of months need beside those of the delivery."""
    return (name for name in READINGS.received.columns if name not in rows.columns)


def _bare_ean() -> pl.Expr:
    return text("ean").str.replace_all(r"[=\"]", "").alias("bare_ean")


def _first_day(city: City) -> pl.Expr:
    by_instant = instant("start_at").dt.convert_time_zone(city.time_zone).dt.date()
    return pl.coalesce(by_instant, day("from_date")).alias("first_date")


def _month_totals(rows: pl.DataFrame, city: City) -> tuple[pl.DataFrame, int]:
    """Received rows of granularity P1M, and how many rows are in them."""
    accepted = split(rows.select(*READINGS.received.columns, LINE), READINGS, city).accepted
    starts_a_month = (pl.col("granularity") != _MONTH) | (pl.col("reading_date").dt.day() == 1)
    readings = accepted.filter((pl.col("unit") != "kVArh") & (pl.col("sub_ean") == "") & starts_a_month).with_columns(
        pl.col("reading_date").dt.month_start().alias("month")
    )
    whole = _whole_months(_once(readings), city)
    finest = whole.sort(pl.col("granularity").replace_strict(_ORDER)).unique(_SERIES, keep="first")
    return _as_received(finest.sort(LINE)), int(finest["readings"].sum())


_ORDER = {"PT15M": 1, "PT1H": 2, "P1D": 3, _MONTH: 4}


def _once(readings: pl.DataFrame) -> pl.DataFrame:
    """A total register holds day and night already."""
    is_total = pl.col("register") == "total"
    return readings.filter(is_total | ~is_total.any().over(*_SERIES, "granularity"))


def _whole_months(readings: pl.DataFrame, city: City) -> pl.DataFrame:
    """The series that measured every interval of a month, with their sum."""
    months = readings.group_by(*_SERIES, "granularity").agg(
        pl.col("value").sum(),
        pl.col("quality_rank").min(),
        pl.col("start_at").n_unique().alias("intervals"),
        pl.col("gcv_state").sort().last(),
        pl.col(LINE).min(),
        pl.len().alias("readings"),
    )
    starts, ends = pl.col("month"), pl.col("month").dt.offset_by("1mo")
    minutes = (_midnight(ends, city) - _midnight(starts, city)).dt.total_minutes()
    step = pl.col("granularity").replace_strict(_STEP_MINUTES, default=None, return_dtype=pl.Int64)
    days = pl.when(pl.col("granularity") == _MONTH).then(1).otherwise((ends - starts).dt.total_days())
    expected = pl.coalesce(minutes // step, days)
    # a rank of 0 is an interval without measurement
    return months.filter((pl.col("intervals") == expected) & (pl.col("quality_rank") > 0))


def _midnight(date: pl.Expr, city: City) -> pl.Expr:
    return date.cast(pl.Datetime("us")).dt.replace_time_zone(city.time_zone)


def _as_received(months: pl.DataFrame) -> pl.DataFrame:
    return months.select(
        pl.col("month").dt.strftime("%d-%m-%Y").alias("from_date"),
        pl.lit("00:00:00").alias("from_time"),
        pl.lit(_MONTH).alias("granularity"),
        pl.col("ean"),
        pl.col("direction").alias("register"),
        pl.col("value").round(3).cast(pl.Decimal(18, 3)).cast(pl.String).alias("volume"),
        pl.col("unit"),
        pl.col("quality_rank").replace_strict(_WORDS, default=None, return_dtype=pl.String).alias("status"),
        pl.col("gcv_state"),
        pl.col("carrier"),
        pl.col("source"),
        LINE,
    )
