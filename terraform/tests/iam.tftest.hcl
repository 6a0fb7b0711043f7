mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

# Mocked accounts would all be the same one.
override_resource {
  target = google_service_account.main["producer"]
  values = { member = "serviceAccount:csat-producer@shop-data-1.iam.gserviceaccount.com", email = "csat-producer@shop-data-1.iam.gserviceaccount.com", name = "projects/shop-data-1/serviceAccounts/csat-producer@shop-data-1.iam.gserviceaccount.com" }
}

override_resource {
  target = google_service_account.main["stream"]
  values = { member = "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com", email = "csat-stream@shop-data-1.iam.gserviceaccount.com", name = "projects/shop-data-1/serviceAccounts/csat-stream@shop-data-1.iam.gserviceaccount.com" }
}

override_resource {
  target = google_service_account.main["marts"]
  values = { member = "serviceAccount:csat-marts@shop-data-1.iam.gserviceaccount.com", email = "csat-marts@shop-data-1.iam.gserviceaccount.com", name = "projects/shop-data-1/serviceAccounts/csat-marts@shop-data-1.iam.gserviceaccount.com" }
}

override_resource {
  target = google_service_account.main["airflow"]
  values = { member = "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com", email = "csat-airflow@shop-data-1.iam.gserviceaccount.com", name = "projects/shop-data-1/serviceAccounts/csat-airflow@shop-data-1.iam.gserviceaccount.com" }
}

override_resource {
  target = google_service_account.main["dashboard"]
  values = { member = "serviceAccount:csat-dashboard@shop-data-1.iam.gserviceaccount.com", email = "csat-dashboard@shop-data-1.iam.gserviceaccount.com", name = "projects/shop-data-1/serviceAccounts/csat-dashboard@shop-data-1.iam.gserviceaccount.com" }
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
      "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com roles/bigquery.jobUser",
      "serviceAccount:csat-marts@shop-data-1.iam.gserviceaccount.com roles/bigquery.jobUser",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com roles/bigquery.jobUser",
      "serviceAccount:csat-dashboard@shop-data-1.iam.gserviceaccount.com roles/bigquery.jobUser",
      "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com roles/bigquery.resourceViewer",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com roles/bigquery.resourceViewer",
      "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com roles/dataproc.worker",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com roles/dataproc.serverlessEditor",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com roles/logging.viewer",
    ])
    error_message = "A role of the whole project has come or gone."
  }
}

run "datasets_are_open_to_those_who_need_them" {
  assert {
    condition = toset([
      for grant in google_bigquery_dataset_iam_member.main : "${grant.member} ${grant.dataset_id} ${grant.role}"
      ]) == toset([
      "serviceAccount:csat-marts@shop-data-1.iam.gserviceaccount.com csat_candidate roles/bigquery.dataEditor",
      "serviceAccount:csat-marts@shop-data-1.iam.gserviceaccount.com csat_marts roles/bigquery.dataEditor",
      "serviceAccount:csat-marts@shop-data-1.iam.gserviceaccount.com csat_ops roles/bigquery.dataEditor",
      "serviceAccount:csat-marts@shop-data-1.iam.gserviceaccount.com csat_scratch roles/bigquery.dataEditor",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com csat_candidate roles/bigquery.dataEditor",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com csat_marts roles/bigquery.dataEditor",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com csat_ops roles/bigquery.dataEditor",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com csat_scratch roles/bigquery.dataEditor",
      "serviceAccount:csat-dashboard@shop-data-1.iam.gserviceaccount.com csat_marts roles/bigquery.dataViewer",
      "serviceAccount:csat-dashboard@shop-data-1.iam.gserviceaccount.com csat_ops roles/bigquery.dataViewer",
    ])
    error_message = "A dataset is open to more or fewer than those who need it."
  }

  assert {
    condition = toset([
      for access in google_bigquery_dataset_access.raw : "${access.user_by_email} ${access.dataset_id} ${access.role}"
      ]) == toset([
      "csat-marts@shop-data-1.iam.gserviceaccount.com csat_raw READER",
      "csat-airflow@shop-data-1.iam.gserviceaccount.com csat_raw READER",
    ])
    error_message = "What landed, with the customers' remarks, is open to more or fewer than those who build the marts."
  }

  assert {
    condition = toset([
      for grant in concat(values(google_bigquery_table_iam_member.survey_responses), [google_bigquery_table_iam_member.accepted_losses]) :
      "${grant.member} ${grant.dataset_id}.${grant.table_id} ${grant.role}"
      ]) == toset([
      "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com csat_raw.survey_responses roles/bigquery.dataEditor",
      "serviceAccount:csat-marts@shop-data-1.iam.gserviceaccount.com csat_raw.survey_responses roles/bigquery.dataEditor",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com csat_raw.survey_responses roles/bigquery.dataEditor",
      "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com csat_ops.accepted_losses roles/bigquery.dataViewer",
    ])
    error_message = "Others than the stream, and those who erase, may write the landing table; or the stream does not see which losses were accepted."
  }

  assert {
    condition = jsonencode([
      for view in google_bigquery_dataset_access.landed_messages.view : [view.project_id, view.dataset_id, view.table_id]
    ]) == jsonencode([["shop-data-1", "csat_ops", "landed_messages"]])
    error_message = "Another view reads raw for those who may not."
  }
}

run "buckets_are_open_to_those_who_need_them" {
  assert {
    condition = toset([
      for grant in google_storage_bucket_iam_member.main : "${grant.member} ${grant.bucket} ${grant.role}"
      ]) == toset([
      "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com shop-data-1-csat-staging roles/storage.objectUser",
      "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com shop-data-1-csat-checkpoints roles/storage.objectUser",
      "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com shop-data-1-csat-documents roles/storage.objectUser",
      "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com shop-data-1-csat-code roles/storage.objectViewer",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com shop-data-1-csat-documents roles/storage.objectUser",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com shop-data-1-csat-code roles/storage.objectViewer",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com shop-data-1-csat-checkpoints roles/storage.objectUser",
    ])
    error_message = "A bucket is open to more or fewer than those who need it."
  }
}

run "airflow_may_run_batches_as_the_stream_only" {
  assert {
    condition = (
      google_service_account_iam_member.airflow_starts_stream.service_account_id == "projects/shop-data-1/serviceAccounts/csat-stream@shop-data-1.iam.gserviceaccount.com"
      && google_service_account_iam_member.airflow_starts_stream.member == "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com"
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
      "serviceAccount:csat-producer@shop-data-1.iam.gserviceaccount.com roles/managedkafka.client",
      "serviceAccount:csat-stream@shop-data-1.iam.gserviceaccount.com roles/managedkafka.client",
      "serviceAccount:csat-airflow@shop-data-1.iam.gserviceaccount.com roles/managedkafka.client",
    ])
    error_message = "More or fewer than the producer, the stream and Airflow may connect to Kafka."
  }

  assert {
    condition = toset([
      for entry in google_managed_kafka_acl.survey_responses[0].acl_entries : "${entry.permission_type} ${entry.principal} ${entry.operation} ${entry.host}"
      ]) == toset([
      "ALLOW User:csat-producer@shop-data-1.iam.gserviceaccount.com WRITE *",
      "ALLOW User:csat-producer@shop-data-1.iam.gserviceaccount.com DESCRIBE *",
      "ALLOW User:csat-stream@shop-data-1.iam.gserviceaccount.com READ *",
      "ALLOW User:csat-stream@shop-data-1.iam.gserviceaccount.com DESCRIBE *",
      "ALLOW User:csat-stream@shop-data-1.iam.gserviceaccount.com DESCRIBE_CONFIGS *",
      "ALLOW User:csat-airflow@shop-data-1.iam.gserviceaccount.com WRITE *",
      "ALLOW User:csat-airflow@shop-data-1.iam.gserviceaccount.com DESCRIBE *",
      "ALLOW User:csat-airflow@shop-data-1.iam.gserviceaccount.com DESCRIBE_CONFIGS *",
    ])
    error_message = "An account may do more or less with the topic than it needs."
  }

  assert {
    condition     = google_managed_kafka_acl.survey_responses[0].acl_id == "topic/messages"
    error_message = "The list is that of the topic messages."
  }
}
