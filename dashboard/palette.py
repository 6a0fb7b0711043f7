"""The colours that charts and tables draw with: told apart by the colour-blind, visible on their theme's ground."""

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Palette:
    """Colours of one theme. `parts` are for lines beside each other, `rest` for all that is not named."""

    ground: str
    ink: str
    muted: str
    satisfied: str
    unhappy: str
    parts: tuple[str, ...]
    rest: str


LIGHT = Palette(
    ground="#ffffff",
    ink="#1b2733",
    muted="#5a6875",
    satisfied="#0b5cad",
    unhappy="#c2410c",
    parts=("#0b5cad", "#c2410c", "#3a8fd9", "#6b1d2a", "#2e4057"),
    rest="#85919e",
)
DARK = Palette(
    ground="#10161d",
    ink="#e6ebf0",
    muted="#a3b0bd",
    satisfied="#6cb2f2",
    unhappy="#f0a35e",
    parts=("#6cb2f2", "#f0a35e", "#b8d8f8", "#d96a5a", "#e8c9a0"),
    rest="#7d8b99",
)


def palette() -> Palette:
    """The palette of the viewer's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT
