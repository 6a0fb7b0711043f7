"""Kafka: connection, login, tokens, offsets and lag."""
