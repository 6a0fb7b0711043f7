"""The contract that every part shares: the event, the landing table, the settings and the state files."""
