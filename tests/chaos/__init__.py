"""Chaos test of the stream: random faults on a running stack under load, and what was lost."""
