# The stream is a batch of Serverless for Apache Spark. Airflow starts, watches and ends it: a resource would be one run
# that cannot be changed. Here is what every batch needs; the output `env_vars` hands it over.

resource "google_project_iam_member" "spark" {
  for_each = {
    # Every batch's own account must have it, for the project: batches have no access rules of their own. It holds the
    # objects of every bucket in the project too, so give csat a project of its own.
    # https://docs.cloud.google.com/dataproc-serverless/docs/concepts/service-account
    "stream/worker" = { account = "stream", role = "roles/dataproc.worker" }
    # To start and end batches and read their state.
    "airflow/editor" = { account = "airflow", role = "roles/dataproc.serverlessEditor" }
    # A batch's output is in Cloud Logging: its last lines go to the log of run_stream.
    "airflow/logs" = { account = "airflow", role = "roles/logging.viewer" }
  }

  project = var.project_id
  role    = each.value.role
  member  = google_service_account.main[each.value.account].member
}

# Airflow starts batches that run as the stream, and as nobody else.
resource "google_service_account_iam_member" "airflow_starts_stream" {
  service_account_id = google_service_account.main["stream"].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.main["airflow"].member
}
