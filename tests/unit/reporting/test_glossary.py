"""The terms of the dashboard are explained in words for people."""

import re

import pytest

from csat.dashboard.views import PAGES
from csat.reporting import glossary
from csat.reporting.glossary import explanation

TERMS = sorted({term for page in PAGES for term in page.terms})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_page_of_figures_explains_terms(page) -> None:
    assert page.terms or not page.needs_marts


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_explained_in_a_few_plain_words(term: str) -> None:
    text = explanation(term)
    assert text.endswith(".")
    assert len(text.split()) <= 35
    assert not re.search(r"_|\||≥|÷|×|\bk\b|\bz\b|null|{|}", text)


def test_the_numbers_are_those_of_the_marts() -> None:
    assert explanation("Adjusted CSAT").startswith("CSAT as if the agent had 25 more responses")
    assert "needs 20 responses" in explanation("Rank")
    assert "needs 100 responses" in explanation("Change")
    assert "a confidence of 95 %" in explanation("Interval")
    assert "fewer than 5 of 100" in explanation("Significant")
    assert "tier 9 has all others" in explanation("Tier")
    assert "7 days, 28 days, or all" in explanation("Period")


def test_no_explanation_is_left_over() -> None:
    assert set(glossary._TERMS) == set(TERMS)
