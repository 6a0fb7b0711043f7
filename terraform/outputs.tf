# What Terraform made, handed over by name. No output holds a secret: there are none.

locals {
  env_vars = merge(
    {
      CSAT_TARGET          = "gcp"
      CSAT_PROJECT_ID      = var.project_id
      CSAT_LOCATION        = local.location
      CSAT_DATASET_PREFIX  = local.dataset_prefix
      CSAT_KAFKA_TOPIC     = var.kafka_topic
      CSAT_STAGING_URI     = "gs://${google_storage_bucket.main["staging"].name}"
      CSAT_CHECKPOINT_URI  = "gs://${google_storage_bucket.main["checkpoints"].name}/stream"
      CSAT_STATE_FILES_URI = "gs://${google_storage_bucket.main["documents"].name}/stream"

      # Of the stream's batches
      CSAT_REGION                 = var.region
      CSAT_CODE_URI               = "gs://${google_storage_bucket.main["code"].name}"
      CSAT_STREAM_SERVICE_ACCOUNT = "${google_service_account.main["stream"].account_id}@${var.project_id}.iam.gserviceaccount.com"
      CSAT_DATAPROC_NAME          = var.name
    },
    local.subnetwork == null ? {} : { CSAT_SUBNETWORK = local.subnetwork },
    var.enable_managed_kafka ? {
      CSAT_KAFKA_BOOTSTRAP_SERVERS = "bootstrap.${local.kafka_cluster}.${var.region}.managedkafka.${var.project_id}.cloud.goog:9092"
      CSAT_KAFKA_SECURITY_PROTOCOL = "SASL_SSL"
      CSAT_KAFKA_SASL_MECHANISM    = "OAUTHBEARER"
      CSAT_KAFKA_OAUTH_SOURCE      = "google"
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

output "airflow" {
  description = "Airflow's address, and what `make cloud-deploy` fills for it: the bucket, the registries, the job; null without Composer."
  value = var.enable_composer ? {
    url         = google_composer_environment.main[0].config[0].airflow_uri
    environment = google_composer_environment.main[0].name
    bucket_uri  = "gs://${google_storage_bucket.main["dags"].name}"
    images      = google_artifact_registry_repository.main["images"].registry_uri
    packages    = google_artifact_registry_repository.main["packages"].registry_uri
    repository  = google_artifact_registry_repository.main["packages"].repository_id
    command_job = google_cloud_run_v2_job.commands[0].name
  } : null
}

output "ci" {
  description = "What google-github-actions/auth is given; null without github_repository_id."
  value = local.is_ci_on ? {
    workload_identity_provider = google_iam_workload_identity_pool_provider.github[0].name
    service_account            = google_service_account.ci[0].email
  } : null
}
