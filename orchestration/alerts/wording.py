"""How a number, a date and a status read in a Dutch (nl-BE) message."""

from datetime import date

STATUS_NL = {"behind": "Achter op schema", "overdue": "Termijn voorbij", "at_risk": "Vraagt aandacht"}


def number(value: float | None) -> str:
    """A figure with a decimal comma and dots between thousands; decimals only where they say something."""
    if value is None:
        return "onbekend"
    decimals = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{decimals}f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return whole.replace(",", ".") + (f",{fraction}" if fraction else "")


def day(value: date | None) -> str:
    """A date as dd/mm/jjjj."""
    return f"{value:%d/%m/%Y}" if value else "onbekend"


def targets(count: int) -> str:
    """`1 doelstelling` or `2 doelstellingen`."""
    return f"{count} {'doelstelling' if count == 1 else 'doelstellingen'}"
