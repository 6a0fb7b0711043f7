"""Constants of Kafka messages in the stream: the columns it reads, and the scheme of staging buckets."""

BUCKETS = "gs://"
MESSAGE_COLUMNS = ("value", "topic", "partition", "offset", "timestamp")
