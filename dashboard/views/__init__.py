"""The pages: what each shows of the marts. Not in a folder named pages: Streamlit would run each of them alone."""

from dashboard.views import agents, categories, over_time, overview, pipeline

PAGES = (overview.PAGE, agents.PAGE, categories.PAGE, over_time.PAGE, pipeline.PAGE)
