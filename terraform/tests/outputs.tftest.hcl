mock_provider "google" {}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

# tests/terraform compares this plan with csat's settings and tables.
run "names_are_handed_to_csat" {
  command = plan

  assert {
    condition = output.env_vars == {
      CSAT_TARGET         = "gcp"
      CSAT_PROJECT_ID     = "shop-data-1"
      CSAT_LOCATION       = "EU"
      CSAT_DATASET_PREFIX = "csat"
      CSAT_KAFKA_TOPIC    = "messages"
      CSAT_STAGING_URI    = "gs://shop-data-1-csat-staging"
      CSAT_CHECKPOINT_URI = "gs://shop-data-1-csat-checkpoints/stream"
      CSAT_DOCUMENTS_URI  = "gs://shop-data-1-csat-documents/stream"
    }
    error_message = "The settings that are handed to csat have changed."
  }
}
