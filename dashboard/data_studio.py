"""Links that make the report in Data Studio (Looker Studio until April 2026), and what is wrong with one.

The Linking API: https://developers.google.com/looker-studio/integrate/linking-api. The link is built here and in
terraform/outputs.tf, and a test holds both to the same text.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, quote, urlsplit

from dashboard.report import exposed_marts, mart_columns, report

HOSTS = ("lookerstudio.google.com", "datastudio.google.com")
REPORT_NAME = "Customer satisfaction"
_PATH = "/reporting/create"
_MOST_CHARACTERS = 2_000  # what every browser and chat takes

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


class LinkError(Exception):
    """The link would not work; the message names what is wrong and the fix."""


def report_link(project: str, dataset: str, template: str = "", host: str = HOSTS[0]) -> str:
    """The link that makes a report for whoever opens it. Raises LinkError.

    With a template it is a copy of that on the marts of the dataset; without, a plain page on answers over time: Data
    Studio makes such a page of one data source only.
    """
    whole = report()
    parameters = {"c.mode": "edit", "r.reportName": REPORT_NAME} | ({"c.reportId": template} if template else {})
    for alias, source in whole.sources.items():
        if template or alias == whole.plain:
            values = {
                "connector": "bigQuery",
                "type": "TABLE",
                "projectId": project,
                "datasetId": dataset,
                "tableId": source.mart,
                # The template's fields have names and formats, which a refresh would drop
                "refreshFields": "false" if template else "true",
            } | ({"isPartitioned": "true"} if source.is_partitioned else {})
            parameters |= {f"ds.{alias}.{name}": value for name, value in values.items()}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(parameters.items()))
    link = f"https://{host}{_PATH}?{query}"
    if problems := link_problems(link):
        raise LinkError("; ".join(problems))
    return link


def link_problems(link: str) -> list[str]:
    """What would keep the link from making the report: a sentence each, with the fix. Empty: nothing."""
    parts = urlsplit(link)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    parameters = dict(pairs)
    found = []
    if parts.scheme != "https" or parts.netloc not in HOSTS or parts.path != _PATH:
        found.append(f"the link must begin with https://{HOSTS[0]}{_PATH} (or {HOSTS[1]})")
    if len(link) > _MOST_CHARACTERS:
        found.append(f"the link has {len(link)} characters, browsers and chats take {_MOST_CHARACTERS}")
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
            yield f"ds.{alias}.* is missing: the template's data source {alias} would stay its author's"
    elif len(by_alias) != 1:
        yield "without c.reportId there must be one data source: Data Studio makes a page of one only"
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
        yield f"ds.{alias}.connector=bigQuery is missing: without it the template's own tables are kept"
    for name in _REQUIRED:
        if name not in fields:
            yield f"ds.{alias}.{name} is missing: a data source that is replaced needs it"


def _table_problems(alias: str, fields: Mapping[str, str]) -> Iterator[str]:
    table, source = fields.get("tableId", ""), report().sources.get(alias)
    if not table:
        return
    if table not in exposed_marts():
        yield f"ds.{alias}.tableId={table}: no exposure of dbt names this mart"
    elif source is not None and source.mart != table:
        yield f"ds.{alias}.tableId={table}: the charts on {alias} need the columns of {source.mart}"
    elif source is not None and fields.get("isPartitioned") == "true":
        found = mart_columns(table).get(source.date)
        if found != "date":
            yield f"ds.{alias}.isPartitioned=true: {source.date} is {found}, the date control needs a date"
