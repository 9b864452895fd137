"""The report as PBIR: every page and visual a file of its own, so that a change of one is a change of one file."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from warehouse.published.powerbi.identity import short_tag
from warehouse.published.powerbi.measures import VERSION_NAME
from warehouse.published.powerbi.model import Model, ModelError
from warehouse.published.powerbi.pages import (
    HEAD,
    HEIGHT,
    LABEL_PLACE,
    PAGES,
    VERSION_PLACE,
    WIDTH,
    Kind,
    Page,
    Place,
    Visual,
)
from warehouse.published.powerbi.schemas import schema
from warehouse.published.powerbi.theme import NAME as THEME
from warehouse.published.powerbi.theme import theme

_THEME_FILE = f"{THEME}.json"
_REGISTERED = "RegisteredResources"
_VISUAL: Final = schema("item/report/definition/visualContainer/2.0.0")
_CHARTS = (Kind.LINE, Kind.COLUMNS, Kind.BARS)
_LARGEST_FIRST = 2

_Json = dict[str, Any]


def report_files(model: Model) -> dict[str, Mapping[str, Any]]:
    """The files of the report, by their path.

    Raises:
        ModelError: a visual names what the model does not have; the message says which.
    """
    order = [_page_id(page) for page in PAGES]
    files: dict[str, Mapping[str, Any]] = {
        "definition/version.json": {
            "$schema": schema("item/report/definition/versionMetadata/1.0.0"),
            "version": "2.0.0",
        },
        "definition/report.json": _report(),
        "definition/pages/pages.json": {
            "$schema": schema("item/report/definition/pagesMetadata/1.0.0"),
            "pageOrder": order,
            "activePageName": order[0],
        },
        f"StaticResources/{_REGISTERED}/{_THEME_FILE}": theme(),
    }
    for page in PAGES:
        files |= _page(page, model)
    return files


def _report() -> Mapping[str, Any]:
    return {
        "$schema": schema("item/report/definition/report/2.0.0"),
        "themeCollection": {
            "customTheme": {"name": _THEME_FILE, "reportVersionAtImport": "5.64", "type": _REGISTERED},
        },
        "resourcePackages": [
            {
                "name": _REGISTERED,
                "type": _REGISTERED,
                "items": [{"name": _THEME_FILE, "path": _THEME_FILE, "type": "CustomTheme"}],
            }
        ],
        "settings": {"useStylableVisualContainerHeader": True, "useEnhancedTooltips": True},
    }


def _page_id(page: Page) -> str:
    return short_tag("page", page.name)


def _page(page: Page, model: Model) -> dict[str, Mapping[str, Any]]:
    folder = f"definition/pages/{_page_id(page)}"
    files: dict[str, Mapping[str, Any]] = {
        f"{folder}/page.json": {
            "$schema": schema("item/report/definition/page/2.0.0"),
            "name": _page_id(page),
            "displayName": page.name,
            "displayOption": "FitToPage",
            "height": HEIGHT,
            "width": WIDTH,
        }
    }
    for number, (name, place, visual) in enumerate(_visuals(page, model)):
        files[f"{folder}/visuals/{name}/visual.json"] = _container(name, place, number, visual)
    return files


def _visuals(page: Page, model: Model) -> Iterator[tuple[str, Place, _Json]]:
    """Every visual with its name, in the order in which a keyboard goes through them."""
    yield short_tag("visual", page.name, "head"), HEAD, _head(page)
    for title, place in (("Label van de gegevens", LABEL_PLACE), (VERSION_NAME, VERSION_PLACE)):
        card = Visual(Kind.CARD, title, f"Tekst: {title}.", place, measures=(title,))
        small = _visual(card, page, model) | {"objects": {"labels": [_properties(fontSize=_literal("11D"))]}}
        yield short_tag("visual", page.name, title), place, small
    for visual in page.visuals:
        name = short_tag("visual", page.name, visual.kind, visual.title)
        yield name, visual.place, _visual(visual, page, model)


def _container(name: str, place: Place, number: int, visual: _Json) -> Mapping[str, Any]:
    filters = visual.pop("filterConfig", None)
    position = {
        "x": place.x,
        "y": place.y,
        "z": number * 1000,
        "height": place.height,
        "width": place.width,
        "tabOrder": number * 1000,
    }
    container = {"$schema": _VISUAL, "name": name, "position": position, "visual": visual}
    return container | ({"filterConfig": filters} if filters else {})


def _head(page: Page) -> _Json:
    large, small = {"fontWeight": "bold", "fontSize": "20pt"}, {"fontSize": "11pt"}
    paragraphs = [
        {"textRuns": [{"value": page.name, "textStyle": large}]},
        {"textRuns": [{"value": page.told, "textStyle": small}]},
    ]
    return {
        "visualType": "textbox",
        "objects": {"general": [_properties(paragraphs=paragraphs)]},
        "visualContainerObjects": _said(f"Titel: {page.name}.", None),
        "drillFilterOtherVisuals": True,
    }


def _visual(visual: Visual, page: Page, model: Model) -> _Json:
    try:
        query: _Json = {"queryState": _roles(visual, model)}
        if visual.sorted_by:
            query["sortDefinition"] = {"sort": [_sort(visual.sorted_by, model)], "isDefaultSort": False}
        made: _Json = {"visualType": str(visual.kind), "query": query}
        if visual.kind is Kind.SLICER:
            made["objects"] = _AS_LIST
        if visual.coloured:
            made["objects"] = {"values": [_colour(*visual.coloured, model)]}
        if visual.most:
            made["filterConfig"] = {"filters": [_top(visual, model)]}
    except ModelError as fault:
        raise ModelError(f"visual {visual.title!r} on page {page.name!r} in pages.py: {fault}; correct it") from None
    title = None if visual.kind is Kind.CARD else visual.title
    made["visualContainerObjects"] = _said(visual.told, title)
    return made | {"drillFilterOtherVisuals": True}


def _roles(visual: Visual, model: Model) -> _Json:
    columns = [_projection(_column(each, model), is_active=True) for each in visual.columns]
    measures = [_projection(_measure(each, model)) for each in visual.measures]
    if visual.kind not in _CHARTS:
        return {"Values": {"projections": [*columns, *measures]}}
    series = [_projection(_column(visual.series, model))] if visual.series else []
    roles = {"Category": columns, "Series": series, "Y": measures}
    return {role: {"projections": shown} for role, shown in roles.items() if shown}


def _column(named: str, model: Model) -> _Json:
    mart, _, column = named.partition(".")
    return _expression("Column", model.table(mart).name, model.field(mart, column).name)


def _measure(name: str, model: Model) -> _Json:
    table, measure = model.measure(name)
    return _expression("Measure", table.name, measure.name)


def _expression(kind: str, table: str, name: str, source: str = "Entity") -> _Json:
    return {kind: {"Expression": {"SourceRef": {source: table}}, "Property": name}}


def _projection(field: _Json, *, is_active: bool = False) -> _Json:
    ((_, found),) = field.items()
    name, table = found["Property"], found["Expression"]["SourceRef"]["Entity"]
    shown = {"field": field, "queryRef": f"{table}.{name}", "nativeQueryRef": name}
    return shown | ({"active": True} if is_active else {})


def _sort(by: str, model: Model) -> _Json:
    direction = "Ascending" if by.startswith("-") else "Descending"
    return {"field": _measure(by.removeprefix("-"), model), "direction": direction}


def _colour(measure: str, by: str, model: Model) -> _Json:
    table, _ = model.measure(measure)
    selector = {"data": [{"dataViewWildcard": {"matchingOption": 1}}], "metadata": f"{table.name}.{measure}"}
    colour = {"solid": {"color": {"expr": _measure(by, model)}}}
    return _properties(fontColor=colour) | {"selector": selector}


def _top(visual: Visual, model: Model) -> _Json:
    """The filter that keeps only so many of the first column, by the measure that it is sorted by."""
    column, by = _column(visual.columns[0], model), _measure(visual.sorted_by or "", model)
    (of_column,), (of_measure,) = column.values(), by.values()
    entity, counted = (found["Expression"]["SourceRef"]["Entity"] for found in (of_column, of_measure))
    chosen = _expression("Column", "c", of_column["Property"], "Source")
    subquery = {
        "Version": 2,
        "From": [{"Name": "c", "Entity": entity, "Type": 0}, {"Name": "m", "Entity": counted, "Type": 0}],
        "Select": [chosen | {"Name": "field"}],
        "OrderBy": [
            {"Direction": _LARGEST_FIRST, "Expression": _expression("Measure", "m", of_measure["Property"], "Source")}
        ],
        "Top": visual.most,
    }
    source = {"Name": "subquery", "Expression": {"Subquery": {"Query": subquery}}, "Type": 2}
    condition = {"In": {"Expressions": [chosen], "Table": {"SourceRef": {"Source": "subquery"}}}}
    return {
        "name": short_tag("filter", visual.title),
        "field": column,
        "type": "TopN",
        "filter": {
            "Version": 2,
            "From": [source, {"Name": "c", "Entity": entity, "Type": 0}],
            "Where": [{"Condition": condition}],
        },
    }


def _said(told: str, title: str | None) -> _Json:
    """What a screen reader says of a visual, and what stands above it."""
    head = {"show": _literal("true"), "text": _literal(_quoted(title))} if title else {"show": _literal("false")}
    return {
        "title": [_properties(**head)],
        "general": [_properties(altText=_literal(_quoted(told)))],
    }


def _properties(**named: object) -> _Json:
    return {"properties": named}


def _literal(value: str) -> _Json:
    return {"expr": {"Literal": {"Value": value}}}


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


# the title above it says what it chooses from
_AS_LIST: Final = {
    "data": [_properties(mode=_literal(_quoted("Dropdown")))],
    "header": [_properties(show=_literal("false"))],
}
