"""Brings the code to Google Cloud, and says what it costs there."""
