"""The rules of dbt/dbt-bouncer.yml find violations."""

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from csat.contract.settings import ROOT

RULES = ROOT / "dbt" / "dbt-bouncer.yml"
Manifest = dict[str, Any]
Violations = Callable[[Manifest], set[str]]


@pytest.fixture
def violations(tmp_path: Path) -> Violations:
    """Returns the names of the rules that a manifest violates, each with the node."""

    def check(manifest: Manifest) -> set[str]:
        rules = yaml.safe_load(RULES.read_text()) | {"dbt_artifacts_dir": str(tmp_path)}
        (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules))
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        command = [str(ROOT / ".venv" / "bin" / "dbt-bouncer"), "--config-file", str(tmp_path / "rules.yml")]
        subprocess.run(
            [*command, "--output-file", str(tmp_path / "found.json")], capture_output=True, timeout=120, check=False
        )
        found = json.loads((tmp_path / "found.json").read_text())
        failed = [rule["check_run_id"].split(":") for rule in found if rule["outcome"] != "success"]
        return {": ".join([name.removeprefix("check_"), *node]) for name, _, *node in failed}

    return check


def test_rules_find_violations(manifest: Manifest, violations: Violations) -> None:
    modified = copy.deepcopy(manifest)
    nodes = modified["nodes"]
    facts, agents = nodes["model.csat.fct_survey_responses"], nodes["model.csat.dim_agents"]
    facts["description"] = "Responses."
    facts["columns"]["is_satisfied"]["data_type"] = "int64"
    facts["columns"]["agent_id"]["description"] = "Somebody."
    facts["contract"]["enforced"] = False
    facts["config"]["materialized"] = "table"
    agents["name"] = "agents"
    agents["columns"]["shift"]["description"] = ""
    nodes["model.csat.pipeline_health"]["access"] = "protected"
    nodes["model.csat.agg_agent_daily"]["depends_on"]["nodes"].append("source.csat.landing.survey_responses")
    for name in [name for name, node in nodes.items() if node.get("attached_node") == "model.csat.agg_category_daily"]:
        del nodes[name]
    del nodes["model.csat.agg_response_hourly"]["meta"]["reconciled"]
    modified["sources"]["source.csat.landing.survey_responses"]["freshness"] = None
    assert violations(modified) == {
        "column_descriptions_are_consistent",
        "exposure_based_on_non_public_models: local_dashboard",
        "lineage_source_cannot_be_used: agg_agent_daily",
        "model_column_description_populated: dim_agents",
        "model_column_name_complies_to_column_type: fct_survey_responses",
        "model_description_contains_regexp_pattern: fct_survey_responses",
        "model_has_meta_keys: agg_response_hourly",
        "model_has_contracts_enforced: fct_survey_responses",
        "model_has_tests_by_name: agg_category_daily",
        "model_materialization_permitted: fct_survey_responses",
        "model_names: dim_agents",
        "source_freshness_populated: landing_survey_responses",
    }
