"""The DAG files: they load, fast, and each says what on-call must know."""

import subprocess
import sys
from datetime import timedelta

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import AssetOrTimeSchedule

from csat.settings import ROOT

FOLDER = ROOT / "dags"


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(str(FOLDER))


def test_the_bag_holds_exactly_our_dags(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert sorted(bag.dags) == ["build_marts", "run_stream"]


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


def test_run_stream_is_one_endless_task(bag: DagBag) -> None:
    dag = bag.dags["run_stream"]
    (task,) = dag.tasks
    assert dag.schedule == "@continuous"
    assert task.task_id == "guard_stream"
    assert (task.retries, task.execution_timeout, dag.dagrun_timeout) == (0, None, None)
    assert dag.max_consecutive_failed_dag_runs == 0  # it would pause the stream


def test_build_marts_runs_on_rows_and_on_the_clock(bag: DagBag) -> None:
    dag = bag.dags["build_marts"]
    (task,) = dag.tasks
    assert isinstance(dag.timetable, AssetOrTimeSchedule)
    assert dag.timetable.timetable.expression == "*/15 * * * *"
    assert [asset.name for asset in dag.timetable.asset_condition.objects] == ["survey_responses_landed"]
    assert (task.command, task.retries) == (["marts", "build", "--json"], 1)
    assert task.execution_timeout == timedelta(minutes=30)
    assert [asset.name for asset in task.outlets] == ["agent_leaderboard", "category_ranking", "response_series"]


def test_a_dag_file_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import run_stream, build_marts; "
        "print([m for m in ('pyspark', 'pandas', 'google.cloud.bigquery', 'gcsfs', 'dbt') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(FOLDER)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_folder_is_parsed_within_two_seconds(bag: DagBag) -> None:
    assert sum(stat.duration.total_seconds() for stat in bag.dagbag_stats) < 2
