"""The browser's tab has the name of the view."""

import pytest

from tests.dashboard_page import OpenPage


@pytest.mark.parametrize(
    ("name", "filters", "titles"),
    [
        ("over_time", {}, ["Over time · CSAT"]),
        ("agents", {"agent": "agent-0001"}, ["Agents · CSAT", "Zoë Ames 1 · CSAT"]),
        ("categories", {"category": "Returns"}, ["Categories · CSAT", "Returns · CSAT"]),
        ("runbook", {"alert": "stream_down"}, ["Runbook · CSAT", "stream_down · CSAT"]),
    ],
)
def test_the_title_is_that_of_the_view(
    page: OpenPage, monkeypatch: pytest.MonkeyPatch, name: str, filters: dict[str, str], titles: list[str]
) -> None:
    found: list[str] = []
    monkeypatch.setattr("streamlit.set_page_config", lambda page_title: found.append(page_title))
    page(name, **filters)
    assert found == titles
