"""The pages. The folder is not named pages: Streamlit would run each file in it as a script."""

from csat.dashboard.views import agents, categories, over_time, overview, pipeline, runbook

IN_BAR = (overview.PAGE, agents.PAGE, categories.PAGE, over_time.PAGE, pipeline.PAGE)
PAGES = (*IN_BAR, runbook.PAGE)
