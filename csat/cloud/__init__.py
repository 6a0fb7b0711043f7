"""Deploys the code to Google Cloud, and estimates what it costs there."""
