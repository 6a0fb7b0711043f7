"""dbt run manually on Google Cloud: the profile takes its project, datasets and limits from the environment."""

from pathlib import Path
from typing import Any


def test_views_read_the_project_of_the_environment(compiled: Path) -> None:
    sql = (compiled / "compiled/csat/models/staging/stg_survey_responses_rejected.sql").read_text()
    assert "`shop-1`.`cx_raw`.`survey_responses`" in sql


def test_tables_are_candidates_and_views_are_for_readers(manifest: dict[str, Any]) -> None:
    names = {node["name"]: node["relation_name"] for node in manifest["nodes"].values()}
    assert names["agent_leaderboard"] == "`shop-1`.`cx_candidate`.`agent_leaderboard`"
    assert names["fct_survey_responses"] == "`shop-1`.`cx_candidate`.`fct_survey_responses`"
    assert names["pipeline_health"] == "`shop-1`.`cx_marts`.`pipeline_health`"
