# What Terraform made, handed over by name. No output holds a secret: there are none.

locals {
  env_vars = merge(
    {
      CSAT_TARGET         = "gcp"
      CSAT_PROJECT_ID     = var.project_id
      CSAT_LOCATION       = var.location
      CSAT_DATASET_PREFIX = local.dataset_prefix
      CSAT_KAFKA_TOPIC    = var.kafka_topic
      CSAT_STAGING_URI    = "gs://${google_storage_bucket.main["staging"].name}"
      CSAT_CHECKPOINT_URI = "gs://${google_storage_bucket.main["checkpoints"].name}/stream"
      CSAT_DOCUMENTS_URI  = "gs://${google_storage_bucket.main["documents"].name}/stream"
    },
    var.enable_managed_kafka ? {
      CSAT_KAFKA_BOOTSTRAP_SERVERS = "bootstrap.${local.kafka_cluster}.${var.region}.managedkafka.${var.project_id}.cloud.goog:9092"
      CSAT_KAFKA_SECURITY_PROTOCOL = "SASL_SSL"
      CSAT_KAFKA_SASL_MECHANISM    = "OAUTHBEARER"
    } : {},
  )
}

output "env_vars" {
  description = "Settings of csat for this environment: `make cloud-env` writes them to .env."
  value       = local.env_vars
}

output "service_accounts" {
  description = "E-mail address of the account of each job."
  value       = { for key, account in google_service_account.main : key => account.email }
}

output "spark" {
  description = "What a batch of the stream is given: region, account, subnetwork (null: Google's default) and where its code and its own files lie."
  value = {
    region          = var.region
    service_account = google_service_account.main["stream"].email
    subnetwork      = local.subnetwork
    code_uri        = "gs://${google_storage_bucket.main["code"].name}"
    staging_bucket  = google_storage_bucket.main["staging"].name
  }
}
