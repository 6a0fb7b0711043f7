"""Polling: until it works, or until a deadline."""

from collections.abc import Callable

import pytest

from csat.contract.polling import poll


def results(*values: object) -> tuple[Callable[[], object], list[object]]:
    """A function that returns these values, one a call, and the values that it has returned."""
    left, seen = list(values), []

    def call() -> object:
        seen.append(left.pop(0))
        return seen[-1]

    return call, seen


def test_poll_returns_the_first_true_result_and_pauses_before_each_further_call() -> None:
    call, seen = results(None, 0, "here", "too late")
    slept: list[float] = []
    assert poll(call, 60, 0.5, slept.append) == "here"
    assert (seen, slept) == ([None, 0, "here"], [0.5, 0.5])


def test_poll_returns_the_last_result_once_it_has_slept_for_all_of_its_time() -> None:
    call, _ = results(None, None, 0, "too late")
    slept: list[float] = []
    assert poll(call, 4, 2, slept.append) == 0
    assert slept == [2, 2]


def test_poll_counts_the_time_of_the_calls_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def slow() -> bool:
        nonlocal now
        now += 7
        return False

    slept: list[float] = []
    monkeypatch.setattr("tenacity.time.monotonic", lambda: now)
    assert poll(slow, 10, 0.1, slept.append) is False
    assert slept == [0.1]


def test_poll_calls_once_without_time() -> None:
    call, seen = results("at once")
    assert poll(call, 0, 1) == "at once"
    call, seen = results(False)
    assert poll(call, 0, 1) is False
    assert seen == [False]


def test_poll_passes_an_error_on() -> None:
    def broken() -> bool:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        poll(broken, 60, 1, lambda _: pytest.fail("poll sleeps"))
