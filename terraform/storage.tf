locals {
  # Files that come and go are not kept a second time: soft delete would bill each for seven days more.
  buckets = merge({
    # Parquet files between the stream and their load job.
    staging = { location = local.location, delete_after_days = var.staging_days, has_history = false }
    # Spark's offsets and commits. Never deleted by age: the first file is as needed as the last.
    checkpoints = { location = local.location, delete_after_days = null, has_history = false }
    # desired_state.json and heartbeat.json, through which Airflow and the stream communicate.
    documents = { location = local.location, delete_after_days = null, has_history = false }
    # What a batch runs: packages, jars, the job's file. A folder for each version of the code.
    code = { location = local.location, delete_after_days = null, has_history = true }
    }, var.enable_composer ? {
    # Where Composer looks for DAGs, and keeps its own files. It takes no bucket outside of its region:
    # https://docs.cloud.google.com/composer/docs/composer-3/custom-bucket
    dags = { location = var.region, delete_after_days = null, has_history = true }
  } : {})
}

resource "google_storage_bucket" "main" {
  # checkov:skip=CKV_GCP_62: The audit log of data access shows who reads; an organisation turns it on for all buckets.
  # checkov:skip=CKV_GCP_78: Code and DAGs keep old versions; the rest is rewritten all the time.
  for_each = local.buckets

  name                        = "${var.project_id}-${var.name}-${each.key}"
  location                    = each.value.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  versioning {
    enabled = each.value.has_history
  }

  soft_delete_policy {
    retention_duration_seconds = each.value.has_history ? 7 * 24 * 3600 : 0
  }

  dynamic "lifecycle_rule" {
    for_each = each.value.delete_after_days[*]

    content {
      action {
        type = "Delete"
      }
      condition {
        age = lifecycle_rule.value
      }
    }
  }

  dynamic "lifecycle_rule" {
    for_each = each.value.has_history ? [90] : []

    content {
      action {
        type = "Delete"
      }
      condition {
        days_since_noncurrent_time = lifecycle_rule.value
      }
    }
  }

  depends_on = [google_project_service.main]
}
