"""BigQuery: the client, tables, schemas and rejected messages."""
