"""The search for an agent."""

import pytest

from csat.dashboard.views.agents import is_named

ROW = {"agent_name": "Zoë Ames", "agent_id": "AG-0001"}


@pytest.mark.parametrize("text", ["", " ", "zoë", "Zoe\u0308", "\u00a0ZOË\u2003\u200bames ", "ag-0001"])
def test_agent_is_found_by_what_a_person_types(text: str) -> None:
    assert is_named(ROW, text)


@pytest.mark.parametrize("text", ["zoe", "AG-0002", "Ames Zoë"])
def test_agent_is_not_found_by_another_text(text: str) -> None:
    assert not is_named(ROW, text)
