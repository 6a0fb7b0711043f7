"""What the builds and the reconciliation ask of BigQuery, by Google's own analyser."""

import re

from csat.contract import landing
from csat.contract.settings import ROOT
from csat.marts import builds as mart_builds
from csat.marts import differences as mart_differences
from csat.marts import freshness
from csat.marts import plans as mart_plans
from csat.marts.differences import _BY_DATE, _COMPARE_SQL, _FIGURES, _LANDED, _MARTS_BY_DATE, _RANKINGS, _SEEN
from tests.unit.tools.sqlcheck.conftest import Check
from tools.sqlcheck.schemas import source_columns

MARTS = ("fct_survey_responses", "agg_agent_daily", "agg_category_daily", "agg_response_hourly", "int_agents_dated")
SHOWN = ("agent_leaderboard", "category_ranking", "response_series")
NAMES = {"landing": "p.d.survey_responses", "builds": "p.d.mart_builds"}


def _columns(model: str) -> str:
    """Columns and types of a mart, as its contract has them."""
    [file] = (ROOT / "dbt" / "models").glob(f"*/{model}.yml")
    text = file.read_text().split("unit_tests:")[0].split("\n    columns:\n")[1]
    return ", ".join(
        f"{name} {kind}" for name, kind in re.findall(r"- name: (\w+)\n\s+description: .*\n\s+data_type: (\w+)", text)
    )


def _tables() -> dict[str, str]:
    made = {mart: _columns(mart) for mart in (*MARTS, *SHOWN)}
    for name in (landing.TABLE, mart_builds.TABLE):
        made[name] = ", ".join(f"{column} {kind}" for column, kind in source_columns(name).items())
    tables = {name: f"create table `p`.`d`.`{name}` ({columns})" for name, columns in made.items()}
    messages = "select *, date(survey_answered_at) as response_date from `p`.`d`.`survey_responses`"
    return tables | {"messages": f"create view `p`.`d`.`messages` as {messages}"}


def _differences() -> dict[str, str]:
    """The statements of the reconciliation, put together as it does."""
    expected = _BY_DATE.format(figures=_FIGURES, rows=_LANDED.format(messages="p.d.messages"))
    found = _BY_DATE.format(figures=_FIGURES, rows=_SEEN.format(responses="p.d.fct_survey_responses"))
    statements = {"difference of fct_survey_responses": _COMPARE_SQL.format(expected=expected, found=found)}
    for mart, figures, of_responses in _MARTS_BY_DATE:
        expected = _BY_DATE.format(figures=of_responses, rows="`p.d.fct_survey_responses`")
        found = _BY_DATE.format(figures=figures, rows=f"`p.d.{mart}`")
        statements[f"difference of {mart}"] = _COMPARE_SQL.format(expected=expected, found=found)
    for mart, (date_column, condition) in _RANKINGS.items():
        statements[f"difference of {mart}"] = mart_differences._RANKING_SQL.format(
            responses="p.d.fct_survey_responses", table=f"p.d.{mart}", date_column=date_column, condition=condition
        )
    return statements


STATEMENTS = {
    "freshness": freshness._NEWEST_SQL.format(**NAMES),
    "last build": mart_builds._LAST_SQL.format(**NAMES),
    "count": mart_plans._COUNT_SQL.format(**NAMES),
    "latest": mart_plans._LATEST_SQL.format(**NAMES),
    "touched": mart_plans._TOUCHED_SQL.format(**NAMES),
}


def test_bigquery_would_take_every_statement_about_the_marts(check: Check) -> None:
    statements = {**_tables(), **STATEMENTS, **_differences()}
    outcome = check({"project": "p", "statements": [{"origin": name, "sql": sql} for name, sql in statements.items()]})
    assert outcome.stdout.splitlines() == [f"{len(statements)} statements checked, 0 refused"]
    assert len(statements) > 20
