"""The BigQuery emulator and its fixes."""
