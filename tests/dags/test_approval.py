"""What a person sees before approving a loss."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowException

from csat.airflow.approval import LossApprovalOperator
from csat.contract.settings import get_settings
from csat.control.shown_loss import ExpiredRange, ShownLoss
from csat.control.state_files import StateFiles


@pytest.fixture
def bodies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The texts of the approvals that were requested; the state files are the test's own."""
    requested: list[Any] = []
    monkeypatch.setenv("CSAT_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(ApprovalOperator, "execute", lambda operator, context: requested.append(operator.body))
    get_settings.cache_clear()
    yield requested
    get_settings.cache_clear()


def approve(shown_id: str) -> None:
    operator = LossApprovalOperator(task_id="approve_loss", shown_id=shown_id, subject="Lost?", body="Reason: why")
    operator.execute({})


def keep(shown_id: str) -> None:
    ranges = tuple(
        ExpiredRange(kafka_topic="messages", kafka_topic_id="a", kafka_partition=number, first_offset=5, end_offset=end)
        for number, end in ((0, 9), (2, 1505))
    )
    StateFiles(get_settings().state_files).write_shown_loss(ShownLoss(shown_id=shown_id, ranges=ranges))


def test_the_request_names_partitions_offsets_and_counts(bodies: list[Any]) -> None:
    keep("run-1")
    approve("run-1")
    assert bodies == [
        "1,504 records of messages, by offset:\n\n- partition 0: 5 to 8 (4)\n- partition 2: 5 to 1504 (1,500)\n\n"
        "Reason: why"
    ]


@pytest.mark.parametrize("last", ["", "run-2"])
def test_no_loss_is_approved_that_was_not_shown_in_this_run(bodies: list[Any], last: str) -> None:
    if last:
        keep(last)
    with pytest.raises(AirflowException, match="no loss was shown as run-1, or another one since then"):
        approve("run-1")
    assert bodies == []
