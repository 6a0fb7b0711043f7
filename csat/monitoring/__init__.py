"""Monitoring: facts, checks, completeness, alerts and their delivery."""
