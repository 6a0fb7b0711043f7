"""The colours of charts and tables: safe for colour-blind viewers, with contrast to their theme's background."""

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Palette:
    """Colours of one theme. `parts` are for several lines in one chart, `rest` for all others together."""

    background: str
    text: str
    muted: str
    satisfied: str
    dissatisfied: str
    parts: tuple[str, ...]
    rest: str


LIGHT = Palette(
    background="#ffffff",
    text="#1b2733",
    muted="#5a6875",
    satisfied="#0b5cad",
    dissatisfied="#c2410c",
    parts=("#0b5cad", "#c2410c", "#3a8fd9", "#6b1d2a", "#2e4057"),
    rest="#85919e",
)
DARK = Palette(
    background="#10161d",
    text="#e6ebf0",
    muted="#a3b0bd",
    satisfied="#6cb2f2",
    dissatisfied="#f0a35e",
    parts=("#6cb2f2", "#f0a35e", "#b8d8f8", "#d96a5a", "#e8c9a0"),
    rest="#7d8b99",
)


def palette() -> Palette:
    """The palette of the viewer's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT
