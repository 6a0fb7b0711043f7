"""How the guard's task says that a life of the stream ended."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from csat.documents import Documents
from csat.health import Verdict
from csat.settings import get_settings
from guard.operator import StreamEndedError, StreamGuardOperator

Make = Callable[..., Any]


@pytest.fixture
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Documents]:
    monkeypatch.setenv("CSAT_STATE_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield Documents(get_settings().documents)
    get_settings.cache_clear()


def finish(verdict: str) -> dict[str, str]:
    return StreamGuardOperator(task_id="guard_stream").finish({}, {"verdict": verdict, "detail": "why"})


@pytest.mark.parametrize("verdict", ["stopped", "recycle", "memory", "superseded"])
def test_a_life_that_ended_in_good_order_is_a_success(verdict: str) -> None:
    assert finish(verdict)["verdict"] == verdict


def test_a_life_that_ended_in_disorder_fails_the_run_with_the_reason(documents: Documents) -> None:
    with pytest.raises(StreamEndedError, match=r"dead or frozen \(why\)\. The next run starts") as raised:
        finish("dead_or_frozen")
    assert raised.value.verdict is Verdict.DEAD_OR_FROZEN
