"""The stream: Kafka to the landing table, exactly once."""
