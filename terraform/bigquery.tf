locals {
  dataset_prefix = replace(var.name, "-", "_")

  datasets = {
    raw       = { description = "What the stream lands: one row for every Kafka record.", time_travel_hours = 168 }
    candidate = { description = "What dbt builds and tests, before it is published.", time_travel_hours = 48 }
    marts     = { description = "What passed its tests, for the dashboards.", time_travel_hours = 48 }
    ops       = { description = "Builds, replays, health and alerts.", time_travel_hours = 48 }
    scratch   = { description = "dbt's temporary tables: they end by themselves.", time_travel_hours = 48 }
  }
  scratch_hours = 24

  # A file for each table of the ops dataset, named for it.
  ops_schemas = "${path.module}/../csat/bigquery/schemas"
}

resource "google_bigquery_dataset" "main" {
  # checkov:skip=CKV_GCP_81: Google's own keys encrypt at rest; keys of one's own are the organisation's to decide.
  for_each = local.datasets

  dataset_id                  = "${local.dataset_prefix}_${each.key}"
  location                    = local.location
  description                 = each.value.description
  max_time_travel_hours       = each.value.time_travel_hours
  default_table_expiration_ms = each.key == "scratch" ? local.scratch_hours * 3600 * 1000 : null
  delete_contents_on_destroy  = !var.deletion_protection

  depends_on = [google_project_service.main]
}

# Partition and clusters are those of csat/contract/landing.py: tests/terraform compares them. Counts and the proof of
# completeness read all partitions, so a filter cannot be required. A table of other partitions is moved by
# `csat migrate-landing` before this is applied: Terraform would delete it (docs/cloud.md).
resource "google_bigquery_table" "survey_responses" {
  # checkov:skip=CKV_GCP_80: As of the datasets.
  dataset_id          = google_bigquery_dataset.main["raw"].dataset_id
  table_id            = "survey_responses"
  description         = "One row for every Kafka record, accepted or rejected."
  schema              = file("${path.module}/../csat/contract/landing_schema.json")
  clustering          = ["category", "channel", "agent_id"]
  deletion_protection = var.deletion_protection

  time_partitioning {
    type  = "DAY"
    field = "ingested_at"
  }
}

# Which messages landed, without what they say. dbt builds on it what the dashboard's account reads.
resource "google_bigquery_table" "landed_messages" {
  # checkov:skip=CKV_GCP_80: As of the datasets.
  dataset_id          = google_bigquery_dataset.main["ops"].dataset_id
  table_id            = "landed_messages"
  description         = "One row for every Kafka record, without the customer's remark and the record's bytes."
  deletion_protection = var.deletion_protection

  view {
    use_legacy_sql = false
    query = replace(
      file("${path.module}/../csat/bigquery/sql/landed_messages.sql"), "raw.survey_responses",
      "`${var.project_id}.${google_bigquery_table.survey_responses.dataset_id}.${google_bigquery_table.survey_responses.table_id}`"
    )
  }
}

resource "google_bigquery_table" "ops" {
  # checkov:skip=CKV_GCP_80: As of the datasets.
  for_each = { for file in fileset(local.ops_schemas, "*.json") : trimsuffix(file, ".json") => "${local.ops_schemas}/${file}" }

  dataset_id          = google_bigquery_dataset.main["ops"].dataset_id
  table_id            = each.key
  schema              = file(each.value)
  deletion_protection = var.deletion_protection
}
