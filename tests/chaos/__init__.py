"""The stream under attack: random faults on a running stack under load, and what was lost."""
