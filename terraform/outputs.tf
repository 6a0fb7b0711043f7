output "env_vars" {
  description = "Settings of csat for this environment: `make cloud-env` writes them to .env."
  value       = local.env_vars
}

locals {
  env_vars = {
    CSAT_TARGET         = "gcp"
    CSAT_PROJECT_ID     = var.project_id
    CSAT_LOCATION       = var.location
    CSAT_DATASET_PREFIX = local.dataset_prefix
    CSAT_KAFKA_TOPIC    = var.kafka_topic
    CSAT_STAGING_URI    = "gs://${google_storage_bucket.main["staging"].name}"
    CSAT_CHECKPOINT_URI = "gs://${google_storage_bucket.main["checkpoints"].name}/stream"
    CSAT_DOCUMENTS_URI  = "gs://${google_storage_bucket.main["documents"].name}/stream"
  }
}
