"""The search for an agent."""

import pytest

from csat.reporting.search import is_match

NAMES = ("Zoë Ames-Núñez", "AG-0001")


TYPED = ["", " ", "zoë", "Zoe\u0308", "\u00a0ZOË\u2003\u200bames ", "ag-0001"]
TYPED += ["zoe", "Nunez", "ames zoe", "Ames-Nunez Zoe", "zoe  ames", "zoeames", "0001 zoe", "z o e a"]


@pytest.mark.parametrize("text", TYPED)
def test_agent_is_found_by_what_a_person_types(text: str) -> None:
    assert is_match(text, *NAMES)


@pytest.mark.parametrize("text", ["AG-0002", "Ames Zoe Smith", "zoa", "?"])
def test_agent_is_not_found_by_another_text(text: str) -> None:
    assert not is_match(text, *NAMES)


def test_the_end_of_one_word_and_the_start_of_the_next_are_no_word() -> None:
    assert not is_match("eve", "Dave Vega")


@pytest.mark.parametrize(
    ("text", "name"), [("soren", "Søren"), ("Lukasz", "Łukasz"), ("strasse", "Straße"), ("ærø", "Aero"), ("ﬁ", "Fi")]
)
def test_letters_are_found_by_their_plain_ones(text: str, name: str) -> None:
    assert is_match(text, name)
