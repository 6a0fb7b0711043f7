"""The monthly cost on Google Cloud for a number of responses per day: `python -m csat.cloud.costs`.

Every price is an assumption: the list price of us-central1 and the US multi-region in dollars, without discount, tax or
free tier except BigQuery's first TiB, from archived copies of Google's price pages. Check current prices first:
https://cloud.google.com/products/calculator
"""

from dataclasses import dataclass

PRICES_READ = "2026-11"
HOURS = 730  # of a month
DAYS = 365 / 12
GIB = 2**30

# cloud.google.com/dataproc-serverless/pricing: an hour of a data compute unit: 0.6 for a vCPU, 0.1 for a GiB
SPARK_UNIT_HOUR = 0.06
# cloud.google.com/managed-service-for-apache-kafka/pricing: the same units, and local disk
KAFKA_UNIT_HOUR = 0.09
KAFKA_DISK_GIB_MONTH = 0.17
# cloud.google.com/composer/pricing
COMPOSER_UNIT_HOUR = 0.06
COMPOSER_DISK_GIB_HOUR = 0.000232877
# cloud.google.com/bigquery/pricing
QUERY_TIB = 6.25
FREE_QUERY_TIB = 1
STORAGE_GIB_MONTH = 0.02
OLD_STORAGE_GIB_MONTH = 0.01  # of partitions unchanged for 90 days
SMALLEST_QUERY_BYTES = 10 * 2**20  # minimum billed for every table that a statement reads
# cloud.google.com/storage/pricing: a thousand writes or lists, a thousand reads, in a multi-region
WRITES_1000 = 0.01
READS_1000 = 0.0004
# cloud.google.com/run/pricing: a second of a vCPU, of a GiB
RUN_CPU_SECOND = 0.000018
RUN_GIB_SECOND = 0.000002
# cloud.google.com/compute/vm-instance-pricing: an hour of e2-standard-4
MACHINE_HOUR = 0.134
# cloud.google.com/compute/disks-image-pricing: a month of a GiB of balanced disk
MACHINE_DISK_GIB_MONTH = 0.10

MESSAGE_BYTES = 711  # as the simulator makes them
STORED_BYTES = 1_100  # logical, per response in the landing table, the fact and the aggregates
NODE_VCPUS, NODE_GIB = (
    4,
    4.4,
)  # driver and executors: as backends/dataproc_batch.py, with Spark's overhead of a tenth
RESPONSES_A_SECOND_A_VCPU = (
    10_000  # well below docs/performance.md: a cloud's vCPU is half a core, files go over the network
)
PEAK = 5  # of the average
BUILDS_A_DAY = 96
STATEMENTS_A_BUILD = 60
TABLES_A_STATEMENT = 1.5
# What a build reads per response per day: a year of three columns for the period "all", the rows of two days, and 90
# days of a key, where a copy may arrive late. tools/bench/scaling has it by statement, and a test compares the two.
BUILD_BYTES_A_RESPONSE_A_DAY = 16_300
BUILD_SECONDS = 90
BATCH_SECONDS = 90


@dataclass(frozen=True)
class Month:
    """The monthly cost by part, in dollars."""

    responses_a_day: int
    parts: dict[str, float]

    @property
    def total(self) -> float:
        """The sum."""
        return sum(self.parts.values())


def executors(responses_a_day: int) -> int:
    """Executors that keep up with the peak; Dataproc's minimum is two."""
    peak = responses_a_day / 86_400 * PEAK
    return max(2, -int(-peak // (RESPONSES_A_SECOND_A_VCPU * NODE_VCPUS)))


def spark(responses_a_day: int) -> float:
    """The stream's batch, running all month: one driver and its executors."""
    units = NODE_VCPUS * 0.6 + NODE_GIB * 0.1
    return (1 + executors(responses_a_day)) * units * SPARK_UNIT_HOUR * HOURS


def kafka(responses_a_day: int) -> float:
    """The smallest cluster: 3 vCPUs with 12 GiB and their disk take 20 MiB/s each, far more than 10 million per day."""
    vcpus = max(3, -int(-(responses_a_day / 86_400 * PEAK * MESSAGE_BYTES) // (20 * 2**20)))
    return (vcpus * 0.6 + vcpus * 4 * 0.1) * KAFKA_UNIT_HOUR * HOURS + vcpus * 100 * KAFKA_DISK_GIB_MONTH


def composer() -> float:
    """A small environment: about 6 units all month, and a database of 10 GiB."""
    return 6 * COMPOSER_UNIT_HOUR * HOURS + 10 * COMPOSER_DISK_GIB_HOUR * HOURS


def queries(responses_a_day: int) -> float:
    """The builds of the marts. A statement bills at least 10 MiB per table."""
    minimum = STATEMENTS_A_BUILD * TABLES_A_STATEMENT * SMALLEST_QUERY_BYTES
    bytes_read = max(minimum, responses_a_day * BUILD_BYTES_A_RESPONSE_A_DAY)
    return query_dollars(bytes_read * BUILDS_A_DAY * DAYS)


def query_dollars(bytes_read: float) -> float:
    """The price of queries that read this many bytes in a month."""
    return max(0.0, bytes_read / 2**40 - FREE_QUERY_TIB) * QUERY_TIB


def storage(responses_a_day: int) -> float:
    """A year of responses: a quarter of it at the price of new data."""
    day = responses_a_day * STORED_BYTES / GIB
    return day * 90 * STORAGE_GIB_MONTH + day * 275 * OLD_STORAGE_GIB_MONTH


def objects() -> float:
    """Requests to the buckets: heartbeats, polls, checkpoints and staging files; the bytes cost almost nothing."""
    heartbeats = 86_400 / 15
    batches = 86_400 / BATCH_SECONDS
    writes = (heartbeats + batches * 20) * DAYS
    reads = (heartbeats * 5 + 86_400 / 2 + batches * 10) * DAYS
    return writes / 1000 * WRITES_1000 + reads / 1000 * READS_1000


def commands() -> float:
    """csat in Cloud Run: a build every 15 minutes, a health check every 5, with 1 vCPU and 2 GiB."""
    seconds = (BUILDS_A_DAY * BUILD_SECONDS + 288 * 30) * DAYS
    return seconds * (RUN_CPU_SECOND + 2 * RUN_GIB_SECOND)


def with_composer(responses_a_day: int) -> Month:
    """All managed services: Managed Kafka, Dataproc, Composer."""
    parts = {
        "Kafka": kafka(responses_a_day),
        "Spark": spark(responses_a_day),
        "Composer": composer(),
        "Cloud Run": commands(),
        "BigQuery queries": queries(responses_a_day),
        "BigQuery storage": storage(responses_a_day),
        "bucket requests": objects(),
    }
    return Month(responses_a_day, parts)


def on_a_machine(responses_a_day: int) -> Month:
    """The compose stack on one machine, with BigQuery."""
    parts = {
        "machine": MACHINE_HOUR * HOURS + 100 * MACHINE_DISK_GIB_MONTH,
        "BigQuery queries": queries(responses_a_day),
        "BigQuery storage": storage(responses_a_day),
    }
    return Month(responses_a_day, parts)


VOLUMES = (2_771, 100_000, 10_000_000)


def table() -> str:
    """The monthly costs at all volumes, as a Markdown table."""
    months = [(name, cost(volume)) for name, cost in _VARIANTS.items() for volume in VOLUMES]
    names = list(dict.fromkeys(part for _, month in months for part in month.parts))
    lines = [f"| | {' | '.join(f'{name}, {month.responses_a_day:,}' for name, month in months)} |"]
    lines.append(f"| --- |{' ---: |' * len(months)}")
    for part in names:
        cells = [f"{month.parts[part]:,.0f}" if part in month.parts else "–" for _, month in months]
        lines.append(f"| {part} | {' | '.join(cells)} |")
    lines.append(f"| **a month, $** | {' | '.join(f'**{month.total:,.0f}**' for _, month in months)} |")
    return "\n".join(lines)


_VARIANTS = {"services": with_composer, "one machine": on_a_machine}


if __name__ == "__main__":
    print(table())
