"""The colours of the report: told apart by whoever does not see red, green or blue, and dark enough on white."""

from collections.abc import Mapping
from typing import Any, Final

NAME: Final = "AdemruimteThema"
"""Without a space: Desktop drops a theme whose file has one."""

SERIES: Final = ("#0077BB", "#DA5A1B", "#332288", "#AC8C70", "#882255", "#5A3A22")
"""One colour per series, in the order in which a chart takes them."""

BEHIND, RISK, GOOD, UNJUDGED = "#9B1C1C", "#A36600", "#00527A", "#707070"
"""The colours of a judgement; a shape and a word always stand beside it."""

_INK, _QUIET, _PAPER = "#1F1F1F", "#595959", "#FFFFFF"


def theme() -> Mapping[str, Any]:
    """The theme as Power BI reads it."""
    return {
        "name": NAME,
        "dataColors": list(SERIES),
        "good": GOOD,
        "neutral": RISK,
        "bad": BEHIND,
        "foreground": _INK,
        "foregroundNeutralSecondary": _QUIET,
        "background": _PAPER,
        "tableAccent": SERIES[0],
        "textClasses": {
            "callout": {"fontFace": "Segoe UI Semibold", "fontSize": 24, "color": _INK},
            "title": {"fontFace": "Segoe UI Semibold", "fontSize": 12, "color": _INK},
            "header": {"fontFace": "Segoe UI Semibold", "fontSize": 11, "color": _INK},
            "label": {"fontFace": "Segoe UI", "fontSize": 10, "color": _INK},
        },
    }
