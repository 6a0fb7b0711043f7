"""The pages. The folder is not named pages: Streamlit would run each file in it as a script."""

from csat.dashboard.views import agents, categories, over_time, overview, pipeline, runbook

PAGES = (overview.PAGE, agents.PAGE, categories.PAGE, over_time.PAGE, pipeline.PAGE, runbook.PAGE)
