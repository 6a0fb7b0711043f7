"""Runbook: what to do about an alert. It reads no warehouse, so it is there when nothing else is."""

import re
from functools import cache

import streamlit as st

from csat.contract.settings import ROOT
from csat.dashboard.frame import Page, Snapshot, set_title
from csat.dashboard.tables import more, note

_FILE = ROOT / "docs" / "runbook.md"
_SECTION = re.compile(r"^## (?=\w+$)", re.MULTILINE)
_DOCUMENT_LINK = re.compile(r"\[([^\]]+)\]\((?!http|#)([^)]+)\)")


def show(_: Snapshot) -> None:
    """The page: the section of one alert where the URL names one, else all of it."""
    key = st.query_params.get("alert", "")
    if not key:
        st.markdown(runbook())
        return
    st.html(more("← The whole runbook", "runbook"))
    section = sections().get(key)
    if section is None:
        st.html(note(f"The runbook has no section {key}."))
    else:
        set_title(key)
        st.markdown(section)


@cache
def runbook() -> str:
    """docs/runbook.md without its title; links to other documents become their names."""
    _, _, text = _FILE.read_text().partition("\n")
    return _DOCUMENT_LINK.sub(r"\1 (docs/\2)", text)


@cache
def sections() -> dict[str, str]:
    """The section of each alert, by its key."""
    parts = _SECTION.split(runbook())[1:]
    return {part.partition("\n")[0]: f"## {part}" for part in parts}


PAGE = Page("Runbook", "runbook", show, needs_marts=False)
