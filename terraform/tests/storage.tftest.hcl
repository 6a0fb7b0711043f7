mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

run "buckets_are_private_and_kept" {
  command = plan

  assert {
    condition = { for key, bucket in google_storage_bucket.main : key => bucket.name } == {
      staging     = "shop-data-1-csat-staging"
      checkpoints = "shop-data-1-csat-checkpoints"
      documents   = "shop-data-1-csat-documents"
      code        = "shop-data-1-csat-code"
    }
    error_message = "The buckets or their names have changed."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.main : bucket.uniform_bucket_level_access])
    error_message = "A bucket may have objects with access rules of their own."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.main : bucket.public_access_prevention == "enforced"])
    error_message = "A bucket may be made public."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.main : !bucket.force_destroy])
    error_message = "A bucket may be deleted with what is in it."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.main : bucket.location == "EU"])
    error_message = "A bucket is not where the datasets are: BigQuery could not load from it."
  }
}

run "only_staging_files_end_by_age" {
  command = plan

  assert {
    condition = jsonencode({
      for key, bucket in google_storage_bucket.main : key => [for rule in bucket.lifecycle_rule : one(rule.condition).age]
    }) == jsonencode({ staging = [3], checkpoints = [], documents = [], code = [null] })
    error_message = "Only the staging bucket deletes by age, after three days."
  }

  assert {
    condition     = one(google_storage_bucket.main["code"].lifecycle_rule[0].condition).days_since_noncurrent_time == 90
    error_message = "Old versions of the code are kept for 90 days."
  }

  assert {
    condition = jsonencode({ for key, bucket in google_storage_bucket.main : key => bucket.versioning[0].enabled }) == jsonencode({
      staging = false, checkpoints = false, documents = false, code = true
    })
    error_message = "Only the code keeps old versions."
  }
}
