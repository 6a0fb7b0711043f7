locals {
  services = toset(concat([
    "bigquery.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "dataproc.googleapis.com",
    "iam.googleapis.com",
    "storage.googleapis.com",
  ], var.enable_managed_kafka ? ["managedkafka.googleapis.com"] : []))
}

resource "google_project_service" "main" {
  for_each = local.services

  service            = each.key
  disable_on_destroy = false
}
