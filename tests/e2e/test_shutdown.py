"""The shutdown of the stack, after all its other tests."""

import pytest

from tests.e2e.conftest import Platform, processes_of

pytestmark = pytest.mark.e2e


def test_stack_leaves_no_process_when_it_is_down(platform: Platform):
    platform.csat("down")
    assert processes_of(platform.settings) == []
    assert platform.json("status", expect=1)["components"]["kafka"]["state"] == "down"
