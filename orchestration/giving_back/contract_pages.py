"""The published contracts: a page per source for people, an Open Data Contract Standard file for machines.

Belongs here: writing what the contract code says in other words, and seeing whether what is published still says
it. Does not belong here: any promise of its own; a page that lacks something lacks it in the contract.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from contracts.kinds import kind_of
from contracts.reasons import wire_name
from contracts.vocabulary import Column, Delivers, Sensitivity, SourceContract, TableContract
from orchestration.giving_back import refusal_page
from orchestration.giving_back.markdown import code_first, markdown_table
from orchestration.giving_back.open_data_contract import API_VERSION, as_yaml
from orchestration.giving_back.refusal_page import said_of

INDEX = "README.md"
REFUSALS = "refusals.md"
REGENERATE = "ademruimte contracts write"
_GENERATED = f"<!-- Made from the contract code by `{REGENERATE}`; do not edit. -->"
_NO_VALUE_NL = (
    "Elke kolom: een cel met een fout van het rekenblad (`#REF!`, `#N/A`), een formule zonder uitkomst, of een nummer "
    "dat het rekenblad afrondde (`2,02611E+11`)."
)
_INDEX_NL = """# Wat we van leveranciers vragen

Per bron één bladzijde: wat de stad ontvangt, in welke kolommen, en waarom een rij geweigerd wordt.
`ademruimte check BESTAND --source BRON` zegt het voor u verstuurt."""
_INDEX_EN = f"""*English*: one page per source, made from the contract code: columns, units, limits, keys, and the
reasons for which a row is refused; the machine-readable file follows the Open Data Contract Standard
{API_VERSION}. [What is refused, and which way that moves a figure]({REFUSALS}) lays every rule beside real files.
Make them again with `{REGENERATE}`."""
_PERSONAL_NL = {
    Sensitivity.NONE: "Er staan geen gegevens over personen in. We bewaren het bestand zelf.",
    Sensitivity.PERSONAL: "Er kunnen gegevens over personen in staan. We bewaren het bestand zelf niet, alleen de "
    "kolommen hieronder. Nummers, telefoons, mailadressen en rekeningen die toch in een tekst staan, halen we eruit.",
}
_DELIVERS_NL = {
    Delivers.CHANGES: "Een levering mag alleen bevatten wat nieuw of gewijzigd is.",
    Delivers.SNAPSHOT: "Een levering bevat altijd alles. Wat er niet meer in staat, is weg.",
}


def published(contracts: Mapping[str, SourceContract]) -> dict[str, bytes]:
    """Every page, standard file and empty template, by its name in the folder."""
    refusals = "\n\n".join((_GENERATED, refusal_page.page(contracts.values()))) + "\n"
    texts = {INDEX: _index(contracts.values()), REFUSALS: refusals}
    templates: dict[str, bytes] = {}
    for contract in contracts.values():
        texts[f"{contract.name}.md"] = page(contract)
        texts[f"{contract.name}.odcs.yaml"] = as_yaml(
            contract, {table.name: said_of(table) for table in contract.tables}
        )
        templates |= _templates(contract)
    return {name: text.encode() for name, text in texts.items()} | templates


def _templates(contract: SourceContract) -> dict[str, bytes]:
    """The empty tables of a source whose file is our own, one per ending it takes."""
    # brings the reader of spreadsheets
    from ingestion.protocols.spreadsheet import write_template  # noqa: PLC0415

    written: dict[str, bytes] = {}
    tables = {table.name: table.received for table in contract.tables}
    (only, *more) = tables.values()
    with TemporaryDirectory() as folder:
        for name in template_names(contract):
            path = Path(folder) / name
            write_template(tables if more else only, path)
            written[name] = path.read_bytes()
    return written


def template_names(contract: SourceContract) -> list[str]:
    """The names of the empty templates of a source; several tables only fit in a workbook."""
    if not contract.has_template:
        return []
    fitting = {".xlsx", ".csv"} if len(contract.tables) == 1 else {".xlsx"}
    return [f"{contract.name}-sjabloon{ending}" for ending in contract.endings if ending in fitting]


def _index(contracts: Iterable[SourceContract]) -> str:
    links = ((_link(each.title_nl, f"{each.name}.md"), _links([f"{each.name}.odcs.yaml"]), each) for each in contracts)
    rows = [(title, standard, _links(template_names(each)) or "geen") for title, standard, each in links]
    parts = (_GENERATED, _INDEX_NL, markdown_table(("bron", "machineleesbaar", "leeg sjabloon"), rows), _INDEX_EN)
    return "\n\n".join(parts) + "\n"


def page(contract: SourceContract) -> str:
    """The page of a source: Dutch for who delivers it, then English for the data team."""
    parts = [_GENERATED, f"# {contract.title_nl}", *_dutch(contract), "## In English", *_english(contract)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _dutch(contract: SourceContract) -> Iterator[str]:
    yield f"Bron `{contract.name}`, versie {contract.version} van het contract. Vragen: {contract.owner}."
    yield "## Hoe leveren"
    yield contract.delivery_nl
    yield "\n".join(f"- {line}" for line in _arrangements_nl(contract))
    yield "## Wat we bewaren"
    yield _PERSONAL_NL[contract.sensitivity]
    yield (
        "Kolommen die hieronder niet staan, lezen en bewaren we niet. Hun namen, nooit hun waarden, staan in het "
        f"verslag van de levering. We bewaren de rijen {_duration_nl(contract.retention)}."
    )
    for table in contract.tables:
        yield from _table_nl(table)


def _arrangements_nl(contract: SourceContract) -> Iterator[str]:
    if contract.endings:
        yield f"Als bestand ({', '.join(contract.endings)}) in de map van de bron. Daar wordt het vanzelf gelezen."
    for cron in contract.crons:
        yield f"De stad vraagt het zelf op, volgens de klok `{cron}` (plaatselijke tijd)."
    yield f"Een levering die ouder is dan {_duration_nl(contract.fresh_within)}, melden we als te laat."
    if contract.has_template:
        yield f"Leeg sjabloon: {_links(template_names(contract))}."
    if contract.endings:
        yield f"Kijk een bestand na voor u het verstuurt: `ademruimte check BESTAND --source {contract.name}`."


def _table_nl(table: TableContract) -> Iterator[str]:
    yield f"## Tabel `{table.name}`"
    yield table.description_nl
    yield _DELIVERS_NL[table.delivers]
    yield markdown_table(("kolom", "verplicht", "wat erin hoort", "vorm en grenzen"), _columns_nl(table))
    equal = " Zijn ze even recent en verschillend, dan telt geen van beide." if table.refuses_contradictions else ""
    yield f"Eén rij is herkenbaar aan: {', '.join(_key_nl(table))}. Van twee zulke rijen telt de laatste versie.{equal}"
    yield "### Waarom een rij geweigerd wordt"
    if table.noted:
        kept = ", ".join(f"`{wire_name(table, column)}`" for column in table.noted)
        yield f"Een waarde die niet kan in {kept} houdt de rij niet tegen: we nemen ze niet over, en tellen ze."
    past = ", ".join(f"`{wire_name(table, column)}`" for column in (table.event_date, *table.past))
    day_to_come = f"{past}: ligt na de dag van levering."
    yield (
        "\n".join(f"- {code_first(reason)}" for reason in dict.fromkeys(said_of(table).values()))
        + f"\n- {day_to_come}\n- {_NO_VALUE_NL}"
    )


def _key_nl(table: TableContract) -> list[str]:
    wires = {column.name: column.wire for column in table.columns}
    return list(dict.fromkeys(f"`{wires[name]}`" for name in table.key))


def _columns_nl(table: TableContract) -> list[tuple[str, ...]]:
    received = table.received
    rows: list[tuple[str, ...]] = []
    for name in received.columns:
        typed = [column for column in table.columns if column.wire == name]
        required = "ja" if name in received.required and name not in received.added else "nee"
        rows.append((f"`{name}`", required, received.meaning_nl.get(name, ""), _form_nl(name, table, typed)))
    return rows


def _form_nl(name: str, table: TableContract, typed: Sequence[Column]) -> str:
    if name in table.received.added:
        return "vullen we zelf in"
    if name in table.received.pseudonyms:
        return "wordt meteen een pseudoniem; de tekst zelf bewaren we niet"
    return "; ".join(part for column in typed[:1] for part in _limits_nl(column))


def _limits_nl(column: Column) -> Iterator[str]:
    yield kind_of(column).title_nl
    if column.minimum is not None:
        yield f"minstens {column.minimum:g}".replace(".", ",")
    if column.maximum is not None:
        yield f"hoogstens {column.maximum:g}".replace(".", ",")
    if column.allowed:
        yield "een van " + ", ".join(f"`{value}`" for value in column.allowed)
    if column.pattern:
        yield f"patroon `{column.pattern}`"


def _english(contract: SourceContract) -> Iterator[str]:
    yield (
        f"Sensitivity: {contract.sensitivity}. Kept for {contract.retention.days} days. Late when older than "
        f"{contract.fresh_within}. Owner: {contract.owner}."
    )
    for table in contract.tables:
        yield f"### Table `{table.name}`"
        yield f"{table.description} A delivery holds {table.delivers.value}."
        rows = [(f"`{column.name}`", *_column_en(column, table)) for column in table.columns]
        yield markdown_table(("landed column", "type", "read from", "empty", "what it holds"), rows)
        yield f"Key: {_codes(table.key)}. Version: {_codes(table.version) or 'the time of the delivery'}."
        yield "Reasons for which a row is refused:"
        yield "\n".join(f"- {code_first(reason)}" for reason in said_of(table))


def _column_en(column: Column, table: TableContract) -> tuple[str, ...]:
    wire = column.wire
    read_from = f"`{wire}`" if wire in table.received.columns else "several columns"
    return str(column.dtype), read_from, "may be" if column.nullable else "never", column.description


def _codes(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _link(text: str, target: str) -> str:
    return f"[{text}]({target})"


def _links(names: Sequence[str]) -> str:
    return ", ".join(_link(name, name) for name in names)


def _duration_nl(duration: timedelta) -> str:
    hours = int(duration.total_seconds() // 3600)
    if hours < 48:
        return f"{hours} uur"
    if duration.days % 365 == 0:
        return f"{duration.days // 365} jaar"
    return f"{duration.days} dagen"
