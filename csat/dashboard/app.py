"""The dashboard's script, which Streamlit runs for every viewer: `python -m csat.dashboard.serve` starts it."""

from functools import partial
from pathlib import Path

import streamlit as st

from csat.dashboard import frame
from csat.dashboard.views import PAGES

_FOLDER = Path(__file__).parent

st.set_page_config(page_title="CSAT", page_icon=_FOLDER / "icon.svg", layout="wide")
st.logo(_FOLDER / "icon.svg", size="large")
st.html(_FOLDER / "style.css")
st.navigation(
    [
        st.Page(partial(frame.run, page), title=page.title, url_path=page.path, default=page is PAGES[0])
        for page in PAGES
    ],
    position="top",
).run()
