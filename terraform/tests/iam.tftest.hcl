mock_provider "google" {}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

# Invented values would all be the same, and the real provider would refuse them as members.
override_resource {
  target = google_service_account.main["producer"]
  values = { member = "serviceAccount:producer@x", email = "producer@x", name = "projects/shop-data-1/serviceAccounts/producer@x" }
}

override_resource {
  target = google_service_account.main["stream"]
  values = { member = "serviceAccount:stream@x", email = "stream@x", name = "projects/shop-data-1/serviceAccounts/stream@x" }
}

override_resource {
  target = google_service_account.main["marts"]
  values = { member = "serviceAccount:marts@x", email = "marts@x", name = "projects/shop-data-1/serviceAccounts/marts@x" }
}

override_resource {
  target = google_service_account.main["airflow"]
  values = { member = "serviceAccount:airflow@x", email = "airflow@x", name = "projects/shop-data-1/serviceAccounts/airflow@x" }
}

override_resource {
  target = google_service_account.main["dashboard"]
  values = { member = "serviceAccount:dashboard@x", email = "dashboard@x", name = "projects/shop-data-1/serviceAccounts/dashboard@x" }
}

run "every_job_has_an_account" {
  assert {
    condition = toset([for account in google_service_account.main : account.account_id]) == toset([
      "csat-producer", "csat-stream", "csat-marts", "csat-airflow", "csat-dashboard",
    ])
    error_message = "There is one service account for each job."
  }
}

run "the_project_gives_only_what_no_dataset_or_bucket_can" {
  assert {
    condition = toset([
      for grant in concat(
        values(google_project_iam_member.bigquery_job_user), values(google_project_iam_member.bigquery_job_viewer), values(google_project_iam_member.spark), values(google_project_iam_member.kafka_client)
      ) : "${grant.member} ${grant.role}"
      ]) == toset([
      "serviceAccount:stream@x roles/bigquery.jobUser",
      "serviceAccount:marts@x roles/bigquery.jobUser",
      "serviceAccount:airflow@x roles/bigquery.jobUser",
      "serviceAccount:dashboard@x roles/bigquery.jobUser",
      "serviceAccount:stream@x roles/bigquery.resourceViewer",
      "serviceAccount:airflow@x roles/bigquery.resourceViewer",
      "serviceAccount:stream@x roles/dataproc.worker",
      "serviceAccount:airflow@x roles/dataproc.serverlessEditor",
      "serviceAccount:airflow@x roles/logging.viewer",
    ])
    error_message = "A role of the whole project has come or gone."
  }
}

run "datasets_are_open_to_those_who_need_them" {
  assert {
    condition = toset([
      for grant in google_bigquery_dataset_iam_member.main : "${grant.member} ${grant.dataset_id} ${grant.role}"
      ]) == toset([
      "serviceAccount:marts@x csat_raw roles/bigquery.dataViewer",
      "serviceAccount:marts@x csat_marts roles/bigquery.dataEditor",
      "serviceAccount:marts@x csat_ops roles/bigquery.dataEditor",
      "serviceAccount:marts@x csat_scratch roles/bigquery.dataEditor",
      "serviceAccount:airflow@x csat_raw roles/bigquery.dataViewer",
      "serviceAccount:airflow@x csat_marts roles/bigquery.dataEditor",
      "serviceAccount:airflow@x csat_ops roles/bigquery.dataEditor",
      "serviceAccount:airflow@x csat_scratch roles/bigquery.dataEditor",
      "serviceAccount:dashboard@x csat_marts roles/bigquery.dataViewer",
      "serviceAccount:dashboard@x csat_ops roles/bigquery.dataViewer",
    ])
    error_message = "A dataset is open to more or fewer than those who need it."
  }

  assert {
    condition = toset([
      for grant in google_bigquery_table_iam_member.survey_responses : "${grant.member} ${grant.dataset_id}.${grant.table_id} ${grant.role}"
      ]) == toset([
      "serviceAccount:stream@x csat_raw.survey_responses roles/bigquery.dataEditor",
      "serviceAccount:dashboard@x csat_raw.survey_responses roles/bigquery.dataViewer",
    ])
    error_message = "The landing table is open to more or fewer than those who need it."
  }
}

run "buckets_are_open_to_those_who_need_them" {
  assert {
    condition = toset([
      for grant in google_storage_bucket_iam_member.main : "${grant.member} ${grant.bucket} ${grant.role}"
      ]) == toset([
      "serviceAccount:stream@x shop-data-1-csat-staging roles/storage.objectUser",
      "serviceAccount:stream@x shop-data-1-csat-checkpoints roles/storage.objectUser",
      "serviceAccount:stream@x shop-data-1-csat-documents roles/storage.objectUser",
      "serviceAccount:stream@x shop-data-1-csat-code roles/storage.objectViewer",
      "serviceAccount:airflow@x shop-data-1-csat-documents roles/storage.objectUser",
      "serviceAccount:airflow@x shop-data-1-csat-code roles/storage.objectViewer",
    ])
    error_message = "A bucket is open to more or fewer than those who need it."
  }
}

run "airflow_may_run_batches_as_the_stream_only" {
  assert {
    condition = (
      google_service_account_iam_member.airflow_starts_stream.service_account_id == "projects/shop-data-1/serviceAccounts/stream@x"
      && google_service_account_iam_member.airflow_starts_stream.member == "serviceAccount:airflow@x"
      && google_service_account_iam_member.airflow_starts_stream.role == "roles/iam.serviceAccountUser"
    )
    error_message = "Airflow may act as the stream's account, and as no other."
  }
}

run "kafka_lets_in_those_who_send_and_those_who_read" {
  variables {
    enable_managed_kafka = true
    enable_network       = true
  }

  assert {
    condition = toset([for grant in google_project_iam_member.kafka_client : "${grant.member} ${grant.role}"]) == toset([
      "serviceAccount:producer@x roles/managedkafka.client",
      "serviceAccount:stream@x roles/managedkafka.client",
      "serviceAccount:airflow@x roles/managedkafka.client",
    ])
    error_message = "More or fewer than the producer, the stream and Airflow may connect to Kafka."
  }

  assert {
    condition = toset([
      for entry in google_managed_kafka_acl.survey_responses[0].acl_entries : "${entry.permission_type} ${entry.principal} ${entry.operation} ${entry.host}"
      ]) == toset([
      "ALLOW User:producer@x WRITE *",
      "ALLOW User:producer@x DESCRIBE *",
      "ALLOW User:stream@x READ *",
      "ALLOW User:stream@x DESCRIBE *",
      "ALLOW User:airflow@x WRITE *",
      "ALLOW User:airflow@x DESCRIBE *",
    ])
    error_message = "An account may do more or less with the topic than it needs."
  }

  assert {
    condition     = google_managed_kafka_acl.survey_responses[0].acl_id == "topic/messages"
    error_message = "The list is that of the topic messages."
  }
}
