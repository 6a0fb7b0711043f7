locals {
  services = toset(concat(
    [
      "bigquery.googleapis.com",
      "cloudresourcemanager.googleapis.com",
      "compute.googleapis.com",
      "dataproc.googleapis.com",
      "dataprocrm.googleapis.com", # runtime 3.0 of batches
      # csat calls it nowhere, dbt makes the marts: BigQuery Studio keeps saved queries and notebooks in it.
      "dataform.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com", # to act as a service account without a key
      "storage.googleapis.com",
    ],
    var.enable_managed_kafka ? ["managedkafka.googleapis.com"] : [],
    var.enable_composer ? ["artifactregistry.googleapis.com", "composer.googleapis.com", "run.googleapis.com"] : [],
    var.enable_monitoring || length(var.alert_emails) > 0 ? ["logging.googleapis.com", "monitoring.googleapis.com"] : [],
    var.monthly_budget != null ? ["billingbudgets.googleapis.com"] : [],
    var.alert_webhook_secret != null ? ["secretmanager.googleapis.com"] : [],
    var.query_gib_per_day != null ? ["cloudquotas.googleapis.com"] : [],
    local.is_ci_on ? ["sts.googleapis.com"] : [],
  ))
}

# They stay on when this is destroyed: others in the project may use them.
resource "google_project_service" "main" {
  for_each = local.services

  service            = each.key
  disable_on_destroy = false
}
