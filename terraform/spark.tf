# The stream is a batch of Serverless for Apache Spark. Airflow starts, watches and ends it: a resource would be one run
# that cannot be changed. Here is what every batch needs; the output `spark` hands it over.

resource "google_project_iam_member" "spark" {
  for_each = {
    # Every batch's own account must have it, for the project: batches have no access rules of their own. It holds the
    # objects of every bucket in the project too, so give csat a project of its own.
    # https://docs.cloud.google.com/dataproc-serverless/docs/concepts/service-account
    "stream/worker" = { account = "stream", role = "roles/dataproc.worker" }
    # To start and end batches and read their state.
    "airflow/editor" = { account = "airflow", role = "roles/dataproc.serverlessEditor" }
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

## What is left of a batch that has ended: its event log, shown by a small cluster that does nothing else

resource "google_service_account" "history" {
  count = var.enable_history_server ? 1 : 0

  account_id   = "${var.name}-history"
  display_name = "${var.name} history"
  description  = "Shows the event logs of the stream's batches."

  depends_on = [google_project_service.main]
}

resource "google_project_iam_member" "history_worker" {
  count = var.enable_history_server ? 1 : 0

  project = var.project_id
  role    = "roles/dataproc.worker" # of the machines of any cluster
  member  = google_service_account.history[0].member
}

resource "google_storage_bucket_iam_member" "history" {
  for_each = var.enable_history_server ? { stream = "roles/storage.objectUser", history = "roles/storage.objectViewer" } : {}

  bucket = google_storage_bucket.main["history"].name
  role   = each.value
  member = each.key == "history" ? google_service_account.history[0].member : google_service_account.main[each.key].member
}

resource "google_dataproc_cluster" "history" {
  # checkov:skip=CKV_GCP_91: As of the datasets; it keeps nothing.
  count = var.enable_history_server ? 1 : 0

  name   = "${var.name}-history"
  region = var.region

  cluster_config {
    gce_cluster_config {
      service_account        = google_service_account.history[0].email
      service_account_scopes = ["cloud-platform"]
      subnetwork             = local.subnetwork
      internal_ip_only       = true

      shielded_instance_config {
        enable_secure_boot          = true
        enable_vtpm                 = true
        enable_integrity_monitoring = true
      }
    }

    # The web pages go through Google's proxy, which asks who you are.
    endpoint_config {
      enable_http_port_access = true
    }

    master_config {
      num_instances = 1
      machine_type  = "e2-standard-2"
    }

    software_config {
      override_properties = {
        "dataproc:dataproc.allow.zero.workers" = "true"
        "spark:spark.history.fs.logDirectory"  = "gs://${google_storage_bucket.main["history"].name}/*/spark-job-history"
      }
    }
  }

  depends_on = [google_project_iam_member.history_worker, google_storage_bucket_iam_member.history]
}
