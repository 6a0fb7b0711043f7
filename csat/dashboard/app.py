"""The dashboard's script, which Streamlit runs for every viewer: `python -m csat.dashboard.serve` starts it."""

from functools import partial
from pathlib import Path

import streamlit as st

from csat.dashboard import frame
from csat.dashboard.navigation import bar
from csat.dashboard.views import IN_BAR, PAGES

_FOLDER = Path(__file__).parent

st.set_page_config(page_title="CSAT", page_icon=_FOLDER / "icon.svg", layout="wide")
st.logo(_FOLDER / "icon.svg", size="large")
st.html(_FOLDER / "style.css")
page = st.navigation(
    [st.Page(partial(frame.run, one), title=one.title, url_path=one.path, default=one is PAGES[0]) for one in PAGES],
    position="hidden",
)
st.html(bar(IN_BAR, page.url_path))
page.run()
