"""How the guard's task reports the end of a stream run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.sdk.exceptions import TaskDeferred

from csat.airflow.operator import StreamGuardOperator, StreamRunFailedError
from csat.contract.settings import get_settings


@pytest.fixture(autouse=True)
def _nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CSAT_STATE_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def finish(verdict: str) -> dict[str, str]:
    return StreamGuardOperator(task_id="guard_stream").finish({}, {"verdict": verdict, "detail": "why"})


@pytest.mark.parametrize("verdict", ["stopped", "recycle", "memory", "superseded"])
def test_a_clean_end_is_a_success(verdict: str) -> None:
    assert finish(verdict)["verdict"] == verdict


@pytest.mark.parametrize("verdict", ["dead_or_frozen", "never_started", "failed", "stalled", "poison_batch"])
def test_a_failed_stream_run_fails_the_task_with_the_verdict(verdict: str) -> None:
    with pytest.raises(StreamRunFailedError, match=r"\(why\)\. The next run starts a new driver") as raised:
        finish(verdict)
    assert raised.value.verdict == verdict


def test_a_run_waits_while_the_state_files_cannot_be_accessed(tmp_path: Path) -> None:
    (tmp_path / "stream" / "desired_state.json").mkdir(parents=True)
    with pytest.raises(TaskDeferred) as deferred:
        StreamGuardOperator(task_id="guard_stream").execute({})
    assert deferred.value.method_name == "execute_again"
    (tmp_path / "stream" / "desired_state.json").rmdir()
    with pytest.raises(TaskDeferred) as deferred:
        StreamGuardOperator(task_id="guard_stream").execute_again({})
    assert deferred.value.method_name == "finish"
