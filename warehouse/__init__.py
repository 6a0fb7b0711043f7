"""Python that talks to BigQuery outside Spark."""
