"""The BigQuery emulator and its patches."""

EXTENSIONS = ("icu", "ducklake", "spatial")  # of DuckDB
