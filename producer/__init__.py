"""The simulator: pure events from a seed and a clock, faults, and the Kafka client."""
