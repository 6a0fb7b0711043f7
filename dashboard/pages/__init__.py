"""The pages: what each shows of the marts."""

from dashboard.pages import agents, overview

PAGES = (overview.PAGE, agents.PAGE)
