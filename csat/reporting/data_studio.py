"""Links that create the report in Data Studio (Looker Studio until April 2026), and checks of such links.

The Linking API: https://developers.google.com/looker-studio/integrate/linking-api.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, quote, urlsplit

from csat.contract.errors import CsatError
from csat.reporting.report import EXPOSURE, exposed_marts, mart_columns, report

HOSTS = ("lookerstudio.google.com", "datastudio.google.com")
REPORT_NAME = "Customer satisfaction"
_PATH = "/reporting/create"
_MAX_CHARACTERS = 2_000  # every browser and chat accepts this length

_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_DATASET = re.compile(r"\w{1,1024}", re.ASCII)
_TEMPLATE = re.compile(r"[A-Za-z0-9_-]{20,64}")
_BOOLEAN = re.compile(r"true|false")

_REPORT_RULES = {
    "c.reportId": (_TEMPLATE, "the long id in the report's address, between /reporting/ and /page/"),
    "c.pageId": (re.compile(r"\w+"), "the id of a page"),
    "c.mode": (re.compile(r"view|edit"), "view or edit"),
    "c.explain": (_BOOLEAN, "true or false"),
    "r.reportName": (re.compile(r".+"), "a name"),
}
_SOURCE_RULES = {
    "connector": (re.compile(r"bigQuery"), "bigQuery"),
    "type": (re.compile(r"TABLE"), "TABLE: a custom query is not pruned by the date control"),
    "projectId": (_PROJECT, "a Google Cloud project: 6 to 30 of a-z, 0-9 and -"),
    "billingProjectId": (_PROJECT, "a Google Cloud project: 6 to 30 of a-z, 0-9 and -"),
    "datasetId": (_DATASET, "a BigQuery dataset: letters, digits and _"),
    "tableId": (_DATASET, "a mart"),
    "isPartitioned": (_BOOLEAN, "true or false"),
    "refreshFields": (_BOOLEAN, "true or false"),
    "datasourceName": (re.compile(r".+"), "a name"),
    "keepDatasourceName": (_BOOLEAN, "true or false"),
}
_REQUIRED = ("type", "projectId", "datasetId", "tableId")


def report_link(project: str, dataset: str, template: str = "") -> str:
    """The link that creates a report for whoever opens it. Raises CsatError.

    With a template, the report is a copy of it on the marts of the dataset. Without one, it is a plain page on
    responses over time: Data Studio creates such a page from one data source only.
    """
    definition = report()
    parameters = {"c.mode": "edit", "r.reportName": REPORT_NAME} | ({"c.reportId": template} if template else {})
    for alias, source in definition.sources.items():
        if template or alias == definition.plain:
            values = {
                "connector": "bigQuery",
                "type": "TABLE",
                "projectId": project,
                "datasetId": dataset,
                "tableId": source.mart,
                # A refresh would drop the names and formats of the template's fields
                "refreshFields": "false" if template else "true",
            } | ({"isPartitioned": "true"} if source.is_partitioned else {})
            parameters |= {f"ds.{alias}.{name}": value for name, value in values.items()}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(parameters.items()))
    link = f"https://{HOSTS[0]}{_PATH}?{query}"
    if problems := link_problems(link):
        raise CsatError("; ".join(problems))
    return link


def link_problems(link: str) -> list[str]:
    """The problems that keep the link from creating the report, each with its fix. Empty: none."""
    parts = urlsplit(link)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    parameters = dict(pairs)
    found = []
    if parts.scheme != "https" or parts.netloc not in HOSTS or parts.path != _PATH:
        found.append(f"the link must begin with https://{HOSTS[0]}{_PATH} (or {HOSTS[1]})")
    if len(link) > _MAX_CHARACTERS:
        found.append(f"the link has {len(link)} characters, browsers and chats accept {_MAX_CHARACTERS}")
    if "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs) != parts.query:
        found.append("a value is not percent-encoded: write a space as %20 and & as %26")
    if len(parameters) < len(pairs):
        found.append("a parameter is given twice")
    return [*found, *_report_problems(parameters), *_source_problems(parameters)]


def _report_problems(parameters: Mapping[str, str]) -> Iterator[str]:
    own = {name: value for name, value in parameters.items() if not name.startswith("ds.")}
    yield from _rule_problems(own, _REPORT_RULES, "")


def _source_problems(parameters: Mapping[str, str]) -> Iterator[str]:
    by_alias: dict[str, dict[str, str]] = {}
    for name, value in parameters.items():
        if name.startswith("ds."):
            _, alias, field = [*name.split(".", 2), ""][:3]
            by_alias.setdefault(alias, {})[field] = value
    sources = report().sources
    if "c.reportId" in parameters:
        for alias in sorted(sources.keys() - by_alias.keys()):
            yield f"ds.{alias}.* is missing: the template's data source {alias} would still read its author's tables"
    elif len(by_alias) != 1:
        yield "without c.reportId there must be one data source: Data Studio creates a page from one only"
    for alias, fields in by_alias.items():
        if alias not in sources:
            yield f"ds.{alias}: the template has no such data source, it has {', '.join(sources)}"
        yield from _rule_problems(fields, _SOURCE_RULES, f"ds.{alias}.")
        yield from _completeness_problems(alias, fields)
        yield from _table_problems(alias, fields)


def _rule_problems(
    parameters: Mapping[str, str], rules: Mapping[str, tuple[re.Pattern[str], str]], prefix: str
) -> Iterator[str]:
    for name, value in parameters.items():
        if name not in rules:
            yield f"{prefix}{name} is not a parameter of the Linking API that the report uses"
        elif not rules[name][0].fullmatch(value):
            yield f"{prefix}{name}={value}: it must be {rules[name][1]}"


def _completeness_problems(alias: str, fields: Mapping[str, str]) -> Iterator[str]:
    if "connector" not in fields:
        yield f"ds.{alias}.connector=bigQuery is missing: without it the report keeps the template's own tables"
    for name in _REQUIRED:
        if name not in fields:
            yield f"ds.{alias}.{name} is missing: a replaced data source needs it"


def _table_problems(alias: str, fields: Mapping[str, str]) -> Iterator[str]:
    table, source = fields.get("tableId", ""), report().sources.get(alias)
    if not table:
        return
    if table not in exposed_marts():
        yield f"ds.{alias}.tableId={table}: the exposure {EXPOSURE} in dbt does not name this mart"
    elif source is not None and source.mart != table:
        yield f"ds.{alias}.tableId={table}: the charts on {alias} need the columns of {source.mart}"
    elif source is not None and fields.get("isPartitioned") == "true":
        found = mart_columns(table).get(source.date)
        if found != "date":
            yield f"ds.{alias}.isPartitioned=true: {source.date} is {found}, the date control needs a date"
