"""Measured comparisons, one a file; each prints a table and can write its results as JSON."""
