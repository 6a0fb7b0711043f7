"""What the dashboard, the command line and Data Studio show: queries, statistics, formats, definitions."""
