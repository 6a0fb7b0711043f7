"""The local dashboard, the questions behind it, and the kit for the report in Data Studio."""
