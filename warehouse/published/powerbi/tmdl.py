"""The model as TMDL, in the order in which Power BI Desktop writes it itself."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from warehouse.published.powerbi.identity import tag
from warehouse.published.powerbi.measures import Measure
from warehouse.published.powerbi.model import DEPARTMENT, DEPARTMENT_CODE, Field, Model, Relation, Table, dax_name
from warehouse.published.powerbi.source import READERS, Expression, Source, readers_parameter, readers_query

CULTURE: Final = "nl-BE"
ROLE: Final = "Eigen afdeling"

_NEEDS_QUOTES = re.compile(r"[\s.=:']")


def model_files(model: Model, source: Source) -> dict[str, str]:
    """The files of the model, by their path within `definition`."""
    expressions = (*source.expressions(), readers_parameter())
    tables = {f"tables/{table.name}.tmdl": _table(table, source) for table in model.tables}
    return {
        "database.tmdl": _text(["database", "\tcompatibilityLevel: 1601"]),
        "model.tmdl": _text(_model(model, expressions)),
        f"cultures/{CULTURE}.tmdl": _text([f"cultureInfo {CULTURE}"]),
        "expressions.tmdl": _text(line for expression in expressions for line in _expression(expression)),
        "relationships.tmdl": _text(line for relation in model.relations for line in _relation(model, relation)),
        f"roles/{ROLE}.tmdl": _text(_role(model)),
        **{path: _text(lines) for path, lines in tables.items()},
        f"tables/{READERS}.tmdl": _text(_readers()),
    }


def quoted(name: str) -> str:
    """A name as TMDL writes it: in quotes where it holds a space or a sign of its own."""
    escaped = name.replace("'", "''")
    return f"'{escaped}'" if _NEEDS_QUOTES.search(name) else name


def _text(lines: Iterator[str] | Sequence[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n\n"


def _model(model: Model, expressions: Sequence[Expression]) -> Iterator[str]:
    names = [table.name for table in model.tables]
    queries = ", ".join(f'"{name}"' for name in (*(each.name for each in expressions), *names, READERS))
    yield "model Model"
    yield f"\tculture: {CULTURE}"
    yield "\tdefaultPowerBIDataSourceVersion: powerBI_V3"
    yield "\tdiscourageImplicitMeasures"
    yield f"\tsourceQueryCulture: {CULTURE}"
    yield from ("\tdataAccessOptions", "\t\tlegacyRedirects", "\t\treturnErrorValuesAsNull", "")
    # no hidden calendar for every date: the model has one of its own
    yield from ("annotation __PBI_TimeIntelligenceEnabled = 0", "")
    yield from (f"annotation PBI_QueryOrder = [{queries}]", "")
    yield from (f"ref table {quoted(name)}" for name in (*names, READERS))
    yield from ("", f"ref role {quoted(ROLE)}", "", f"ref cultureInfo {CULTURE}")


def _expression(expression: Expression) -> Iterator[str]:
    yield f"/// {expression.description}"
    if len(expression.lines) == 1:
        yield f"expression {expression.name} = {expression.lines[0]}"
    else:
        yield f"expression {expression.name} ="
        yield from (f"\t\t{line}" for line in expression.lines)
    yield f"\tlineageTag: {tag('expression', expression.name)}"
    yield from ("", f"\tannotation PBI_ResultType = {expression.kind}", "")


def _relation(model: Model, relation: Relation) -> Iterator[str]:
    link = relation.link
    yield f"relationship {tag('relationship', *link)}"
    if not relation.is_active:
        yield "\tisActive: false"
    for end, table, column in (("from", link.many, link.many_column), ("to", link.one, link.one_column)):
        yield f"\t{end}Column: {quoted(model.table(table).name)}.{quoted(model.field(table, column).name)}"
    yield ""


def _role(model: Model) -> Iterator[str]:
    department, code = model.table(DEPARTMENT).name, model.field(DEPARTMENT, DEPARTMENT_CODE).name
    reader, own = dax_name(READERS), f"{dax_name(READERS)}[Gebruiker] = USERPRINCIPALNAME()"
    yield f"role {quoted(ROLE)}"
    yield from ("\tmodelPermission: read", "", f"\ttablePermission {quoted(department)} =")
    yield f"\t\t\tVAR Eigen = CALCULATETABLE(VALUES({reader}[Afdeling]), {own})"
    yield f'\t\t\tRETURN "*" IN Eigen || {dax_name(department)}[{code}] IN Eigen'
    yield from ("", f"\ttablePermission {READERS} = {own}", "", f"\tannotation PBI_Id = {tag('role', ROLE)}")


def _table(table: Table, source: Source) -> Iterator[str]:
    yield f"/// {table.mart.description}"
    yield f"table {quoted(table.name)}"
    yield f"\tlineageTag: {tag('table', table.mart.name)}"
    if table.is_calendar:
        yield "\tdataCategory: Time"
    yield ""
    for measure in table.measures:
        yield from _measure(measure)
    for field in table.fields:
        yield from _column(field, table.mart.name)
    yield from _partition(table.name, source.query(table))


def _measure(measure: Measure) -> Iterator[str]:
    yield f"\t/// {measure.description}"
    lines = measure.dax.splitlines()
    if len(lines) == 1:
        yield f"\tmeasure {quoted(measure.name)} = {measure.dax}"
    else:
        yield f"\tmeasure {quoted(measure.name)} ="
        yield from (f"\t\t\t{line}" for line in lines)
    if measure.format:
        yield f"\t\tformatString: {measure.format}"
    if measure.is_hidden:
        yield "\t\tisHidden"
    yield from (f"\t\tdisplayFolder: {measure.folder}", f"\t\tlineageTag: {tag('measure', measure.name)}", "")


def _column(field: Field, mart: str) -> Iterator[str]:
    yield f"\t/// {field.description}"
    yield f"\tcolumn {quoted(field.name)}"
    yield f"\t\tdataType: {field.kind}"
    if field.is_hidden:
        yield "\t\tisHidden"
    if field.is_key:
        yield "\t\tisKey"
    if field.format:
        yield f"\t\tformatString: {field.format}"
    if field.folder:
        yield f"\t\tdisplayFolder: {field.folder}"
    yield f"\t\tlineageTag: {tag('column', mart, field.source)}"
    if field.category:
        yield f"\t\tdataCategory: {field.category}"
    yield "\t\tsummarizeBy: none"
    yield f"\t\tsourceColumn: {field.source}"
    if field.sort_by:
        yield f"\t\tsortByColumn: {quoted(field.sort_by)}"
    yield from ("", "\t\tannotation SummarizationSetBy = User", "")
    if field.format == "dd/mm/yyyy":
        yield from ("\t\tannotation UnderlyingDateTimeDataType = Date", "")


def _partition(name: str, query: Sequence[str]) -> Iterator[str]:
    yield f"\tpartition {quoted(name)} = m"
    yield "\t\tmode: import"
    yield "\t\tsource ="
    yield from (f"\t\t\t\t{line}" for line in query)
    yield from ("", "\tannotation PBI_ResultType = Table")


def _readers() -> Iterator[str]:
    yield "/// Wie bij welke afdeling hoort; gevuld uit de parameter Lezers."
    yield from (f"table {READERS}", "\tisHidden", f"\tlineageTag: {tag('table', READERS)}", "")
    for name, why in (
        ("Gebruiker", "Mailadres waarmee de lezer zich aanmeldt."),
        ("Afdeling", "Code van de afdeling."),
    ):
        yield from _column(
            Field(name, name, "string", why, "", None, None, None, is_hidden=True, is_key=False), READERS
        )
    yield from _partition(READERS, readers_query())
