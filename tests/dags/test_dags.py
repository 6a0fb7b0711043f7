"""The DAG files: they load fast, and each documents what on-call needs."""

import copy
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import AssetOrTimeSchedule
from airflow.sdk.exceptions import ParamValidationError

from csat.airflow.alerts import alert_failure, resolve_alert
from csat.airflow.command import CsatCommandOperator
from csat.contract.settings import ROOT
from tests.dag_commands import DAG_COMMANDS, RUN_ID

FOLDER = ROOT / "dags"


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(str(FOLDER))


def test_the_bag_holds_exactly_our_dags(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert sorted(bag.dags) == [
        "accept_loss",
        "backfill_history",
        "build_marts",
        "check_stream_health",
        "erase_customer",
        "maintain",
        "rebuild_marts",
        "reconcile_marts",
        "replay_rejected",
        "run_stream",
    ]


def test_every_file_is_named_for_its_one_dag(bag: DagBag) -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted(bag.dags)


def test_every_dag_has_owner_docs_and_tags(bag: DagBag) -> None:
    for dag_id, dag in bag.dags.items():
        assert {task.owner for task in dag.tasks} == {"data-platform"}, dag_id
        assert all(text in dag.doc_md for text in (f"# {dag_id}:", "**What it does.**", "**What to do")), dag_id
        assert {tag.split(":")[0] for tag in dag.tags} == {"tier", "part"}, dag_id
        assert dag.description, dag_id


def test_every_dag_runs_by_itself_and_one_run_at_a_time(bag: DagBag) -> None:
    for dag_id, dag in bag.dags.items():
        assert (dag.max_active_runs, dag.catchup, dag.is_paused_upon_creation) == (1, False, False), dag_id


def test_every_dag_alerts_on_failures_and_resolves_the_alerts(bag: DagBag) -> None:
    for task in (task for dag in bag.dags.values() for task in dag.tasks):
        assert list(task.on_failure_callback) == [alert_failure], task.task_id
        assert list(task.on_success_callback) == [resolve_alert], task.task_id


def test_every_dag_links_the_runbook(bag: DagBag) -> None:
    assert [dag_id for dag_id, dag in bag.dags.items() if "`docs/runbook.md`" not in dag.doc_md] == []


def test_the_stream_waits_for_nothing_and_builds_for_each_other(bag: DagBag) -> None:
    pools = {task.task_id: task.pool for dag in bag.dags.values() for task in dag.tasks}
    assert [task_id for task_id, pool in pools.items() if pool == "stream"] == ["guard_stream"]
    builds = {task_id for task_id, pool in pools.items() if pool == "marts"}
    assert builds == {"build_marts", "rebuild_marts", "reconcile_marts", "erase_customer"}
    assert set(pools.values()) == {"stream", "marts", "pipeline"}


def test_every_task_but_the_endless_one_has_a_timeout(bag: DagBag) -> None:
    tasks = [task for dag in bag.dags.values() for task in dag.tasks if dag.dag_id != "run_stream"]
    limits = {task.task_id: task.execution_timeout or getattr(task, "response_timeout", None) for task in tasks}
    assert [task_id for task_id, limit in limits.items() if not limit] == []


def test_check_stream_health_runs_every_five_minutes_without_retry(bag: DagBag) -> None:
    dag = bag.dags["check_stream_health"]
    (task,) = dag.tasks
    assert dag.timetable.expression == "*/5 * * * *"
    assert (task.command, task.retries) == (["check", "health"], 0)
    assert task.execution_timeout < timedelta(minutes=5)


def test_maintain_runs_daily_task_by_task_and_each_after_a_failure(bag: DagBag) -> None:
    dag = bag.dags["maintain"]
    assert dag.timetable.expression == "40 3 * * *"
    *tasks, last = dag.topological_sort()
    assert [(task.task_id, task.command[:2], task.retries, task.trigger_rule.value) for task in tasks] == [
        ("prove_completeness", ["check", "completeness"], 1, "all_done"),
        ("clean_airflow", ["maintain", "airflow"], 1, "all_done"),
        ("clean_staging", ["maintain", "staging"], 1, "all_done"),
        ("clean_emulator_jobs", ["maintain", "emulator-jobs"], 1, "all_done"),
        ("clean_dbt", ["maintain", "dbt"], 1, "all_done"),
        ("clean_scratch", ["maintain", "scratch"], 1, "all_done"),
    ]
    for before, after in pairwise(tasks):
        assert after.task_id in before.downstream_task_ids
    assert last.upstream_task_ids == {task.task_id for task in tasks}
    assert (last.trigger_rule.value, last.downstream_task_ids) == ("all_success", set())


def test_run_stream_is_one_endless_task(bag: DagBag) -> None:
    dag = bag.dags["run_stream"]
    (task,) = dag.tasks
    assert dag.schedule == "@continuous"
    assert task.task_id == "guard_stream"
    assert (task.retries, task.execution_timeout, dag.dagrun_timeout) == (0, None, None)


def test_run_stream_never_pauses_itself_whatever_the_deployment_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__MAX_CONSECUTIVE_FAILED_DAG_RUNS_PER_DAG", "3")
    limits = {
        dag_id: DagBag(str(FOLDER / f"{dag_id}.py")).dags[dag_id].max_consecutive_failed_dag_runs
        for dag_id in ("run_stream", "maintain")
    }
    assert limits == {"run_stream": 0, "maintain": 3}


def test_build_marts_runs_on_rows_and_on_schedule(bag: DagBag) -> None:
    dag = bag.dags["build_marts"]
    task = dag.get_task("build_marts")
    assert isinstance(dag.timetable, AssetOrTimeSchedule)
    assert dag.timetable.timetable.expression == "*/15 * * * *"
    assert [asset.name for asset in dag.timetable.asset_condition.objects] == ["survey_responses_landed"]
    assert (task.command, task.retries) == (["marts", "build", "--json"], 1)
    assert task.execution_timeout == timedelta(minutes=30)


def test_build_marts_has_only_the_tasks_build_and_publish(bag: DagBag) -> None:
    """Each further task is a process that competes with the build for the machine."""
    assert {task.task_id: task.downstream_task_ids for task in bag.dags["build_marts"].tasks} == {
        "build_marts": {"publish_marts"},
        "publish_marts": set(),
    }


@pytest.mark.parametrize("dag_id", ["build_marts", "rebuild_marts", "reconcile_marts", "erase_customer"])
def test_marts_are_published_by_the_task_after_the_build(bag: DagBag, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    publish = dag.get_task("publish_marts")
    assert publish.upstream_task_ids == {publish.built_by} == {dag_id}
    assert [asset.name for asset in publish.outlets] == ["agent_leaderboard", "category_ranking", "response_series"]
    assert [task.task_id for task in dag.tasks if task.outlets] == ["publish_marts"]


def test_rebuild_marts_requires_approval_for_a_full_refresh(bag: DagBag) -> None:
    dag = bag.dags["rebuild_marts"]
    approve = dag.get_task("approve_full_refresh")
    assert (approve.unless, approve.downstream_task_ids, approve.retries) == ("from", {"rebuild_marts"}, 0)
    assert approve.options == ["Approve", "Reject"]


def test_accept_loss_accepts_only_what_was_shown_and_approved(bag: DagBag) -> None:
    dag = bag.dags["accept_loss"]
    show, approve, accept = (dag.get_task(name) for name in ("show_loss", "approve_loss", "accept_loss"))
    assert show.command == ["stream", "show-loss", "--json", "--as", "{{ run_id }}"]
    assert (approve.shown_id, approve.upstream_task_ids, approve.retries) == ("{{ run_id }}", {"show_loss"}, 0)
    assert approve.options == ["Approve", "Reject"]
    assert accept.upstream_task_ids == {"approve_loss"}
    assert accept.command[:6] == ["stream", "accept-loss", "--json", "--yes", "--shown", "{{ run_id }}"]


def test_erase_customer_counts_asks_and_erases_by_a_hash(bag: DagBag) -> None:
    dag = bag.dags["erase_customer"]
    count, approve, erase = (dag.get_task(name) for name in ("count_messages", "approve_erasure", "erase_customer"))
    which = ["erase", "--json", "--{{ params.id_of }}", "{{ params.id_hash }}"]
    assert count.command == [*which, "--dry-run"]
    assert (approve.upstream_task_ids, approve.retries) == ({"count_messages"}, 0)
    assert approve.options == ["Approve", "Reject"]
    assert erase.upstream_task_ids == {"approve_erasure"}
    assert erase.command == [*which, "--yes", "--reason", "{{ params.reason }}"]


def test_reconcile_marts_runs_every_night(bag: DagBag) -> None:
    dag = bag.dags["reconcile_marts"]
    assert dag.timetable.expression == "20 2 * * *"
    assert dag.get_task("reconcile_marts").command == ["marts", "reconcile", "--json"]


BY_HAND: dict[str, dict[str, object]] = {
    "accept_loss": {"reason": "down for longer than the retention"},
    "backfill_history": {"days": 7, "events": 2771, "seed": 1},
    "erase_customer": {"id_of": "case", "id_hash": "0" * 64, "reason": "the customer asked for it"},
    "rebuild_marts": {"selection": None, "from": None, "to": None},
    "replay_rejected": {"reason": "unsupported schema_version", "since": None, "limit": 10000},
}
DAILY: dict[str, dict[str, object]] = {
    "maintain": {
        "airflow_days": 30,
        "staging_days": 7,
        "job_hours": 6,
        "job_limit": 20000,
        "dbt_days": 14,
        "scratch_hours": 24,
    }
}
WITH_FORM = BY_HAND | DAILY


@pytest.mark.parametrize("dag_id", WITH_FORM)
def test_a_form_has_typed_fields_with_defaults(bag: DagBag, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert (dag.schedule is None) is (dag_id in BY_HAND)
    assert dag.params.dump() == WITH_FORM[dag_id]
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.schema["type"] in ("integer", "string", ["null", "string"]), name
        assert param.description.endswith("."), name


@pytest.mark.parametrize(
    ("dag_id", "bad"),
    [
        ("accept_loss", {"reason": ""}),
        ("backfill_history", {"days": 0}),
        ("erase_customer", {"id_hash": "aabbccdd-ef01-4abc-8def-0123456789ab"}),
        ("erase_customer", {"id_of": "agent"}),
        ("replay_rejected", {"since": "yesterday"}),
        ("replay_rejected", {"limit": 0}),
        ("rebuild_marts", {"selection": "--full-refresh"}),
        ("rebuild_marts", {"from": "last week"}),
        ("maintain", {"airflow_days": 6}),
        ("maintain", {"job_hours": "often"}),
    ],
)
def test_a_form_refuses_a_wrong_value(bag: DagBag, dag_id: str, bad: dict[str, object]) -> None:
    params = copy.deepcopy(bag.dags[dag_id].params)
    params.validate()
    with pytest.raises(ParamValidationError):
        params.update(bad)


@pytest.mark.parametrize(
    ("dag_id", "values"),
    [
        ("rebuild_marts", {"from": "2026-11-20", "to": "2026-11-21", "selection": "agent_leaderboard+"}),
        ("replay_rejected", {"reason": None, "since": "2026-11-20T10:00:00+01:00"}),
        ("replay_rejected", {"since": "2026-11-20T10:00:00Z"}),
    ],
)
def test_a_form_takes_what_its_pickers_give(bag: DagBag, dag_id: str, values: dict[str, object]) -> None:
    params = copy.deepcopy(bag.dags[dag_id].params)
    params.update(values)
    assert params.validate() == WITH_FORM[dag_id] | values


def rendered(task: Any, params: Mapping[str, object]) -> list[str]:
    """The command of a task in a run with these parameters."""
    copied = copy.copy(task)
    copied.render_template_fields({"params": params, "run_id": RUN_ID})
    return list(copied.command)


def test_an_empty_field_is_no_filter(bag: DagBag) -> None:
    replay = bag.dags["replay_rejected"].get_task("replay_rejected")
    empty = {"reason": None, "since": None, "limit": 5}
    assert rendered(replay, empty)[3:] == ["--reason", "", "--since", "2000-01-01", "--limit", "5"]


def test_every_command_of_the_dags_is_one_that_is_tried_in_the_job(bag: DagBag) -> None:
    """tests/integration/marts/test_command_job.py runs what is in the table."""
    commands = {
        f"{dag_id}.{task.task_id}": rendered(task, dag.params.dump())
        for dag_id, dag in bag.dags.items()
        for task in dag.tasks
        if isinstance(task, CsatCommandOperator)
    }
    assert commands == DAG_COMMANDS


def test_every_param_of_a_form_reaches_a_command(bag: DagBag) -> None:
    for dag_id, defaults in WITH_FORM.items():
        words = [word for task in bag.dags[dag_id].tasks for word in getattr(task, "command", ())]
        used = {name for word in words for name in re.findall(r"{{ params\.(\w+)", word)}
        assert used == set(defaults), dag_id


def test_a_dag_file_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "import run_stream, build_marts, rebuild_marts, reconcile_marts; "
        "import accept_loss, erase_customer, replay_rejected, backfill_history, check_stream_health, maintain; "
        "print([m for m in ('pyspark', 'pandas', 'google.cloud.bigquery', 'gcsfs', 'dbt') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(FOLDER)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_folder_is_parsed_within_two_seconds(bag: DagBag) -> None:
    assert sum(stat.duration.total_seconds() for stat in bag.dagbag_stats) < 2
