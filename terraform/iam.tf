# One service account for each job, without keys. What is granted here is for one dataset, table or bucket, but for
# the right to start queries. spark.tf, kafka.tf and composer.tf hold the roles that exist for a whole project only.

locals {
  accounts = {
    producer  = "Sends survey responses to Kafka."
    stream    = "Runs the Spark stream."
    marts     = "Builds the marts with dbt outside of Airflow: a person, a job of CI."
    airflow   = "Runs Airflow, which starts the stream and builds the marts."
    dashboard = "Reads the marts."
  }

  # And they read raw, by access entries: see below
  builds_marts = {
    candidate = "roles/bigquery.dataEditor"
    marts     = "roles/bigquery.dataEditor"
    ops       = "roles/bigquery.dataEditor"
    scratch   = "roles/bigquery.dataEditor"
  }
  dataset_grants = merge([
    for account, roles in {
      marts     = local.builds_marts
      airflow   = local.builds_marts # its DAGs run dbt, look for what is wrong and send rejected messages again
      dashboard = { marts = "roles/bigquery.dataViewer", ops = "roles/bigquery.dataViewer" }
    } : { for dataset, role in roles : "${account}/${dataset}" => { account = account, dataset = dataset, role = role } }
  ]...)

  bucket_grants = merge([
    for account, roles in {
      stream = {
        staging     = "roles/storage.objectUser"
        checkpoints = "roles/storage.objectUser"
        documents   = "roles/storage.objectUser"
        code        = "roles/storage.objectViewer"
      }
      airflow = {
        documents = "roles/storage.objectUser"
        code      = "roles/storage.objectViewer" # to see that what a batch runs is there
        # To count what waits in Kafka, and to move the checkpoint away when a loss is accepted. Composer's own role holds it
        # already; Airflow elsewhere has no such role.
        checkpoints = "roles/storage.objectUser"
      }
    } : { for bucket, role in roles : "${account}/${bucket}" => { account = account, bucket = bucket, role = role } }
  ]...)
}

resource "google_service_account" "main" {
  for_each = local.accounts

  account_id   = "${var.name}-${each.key}"
  display_name = "${var.name} ${each.key}"
  description  = each.value

  depends_on = [google_project_service.main]
}

# A job belongs to a project, so the right to start one does too; what it may read and write is decided below.
resource "google_project_iam_member" "bigquery_job_user" {
  for_each = toset(["stream", "marts", "airflow", "dashboard"])

  project = var.project_id
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.main[each.key].member
}

# Both count the load jobs of the last day: the stream to make them last, Airflow to alert when few are left.
resource "google_project_iam_member" "bigquery_job_viewer" {
  for_each = toset(["stream", "airflow"])

  project = var.project_id
  role    = "roles/bigquery.resourceViewer"
  member  = google_service_account.main[each.key].member
}

resource "google_bigquery_dataset_iam_member" "main" {
  for_each = local.dataset_grants

  dataset_id = google_bigquery_dataset.main[each.value.dataset].dataset_id
  role       = each.value.role
  member     = google_service_account.main[each.value.account].member
}

# The dataset with an authorized view has entries of this kind only: google_bigquery_dataset_iam_member would remove the
# view. READER is roles/bigquery.dataViewer in the form that the API gives back.
# https://github.com/hashicorp/terraform-provider-google/blob/main/website/docs/r/bigquery_dataset_iam.html.markdown
resource "google_bigquery_dataset_access" "raw" {
  for_each = toset(["marts", "airflow"])

  dataset_id    = google_bigquery_dataset.main["raw"].dataset_id
  role          = "READER"
  user_by_email = google_service_account.main[each.key].email
}

# The view reads raw for whoever may read the view. dbt does not make it, since whoever replaces an authorized view needs
# the right to change raw: https://docs.cloud.google.com/bigquery/docs/authorized-views
resource "google_bigquery_dataset_access" "landed_messages" {
  dataset_id = google_bigquery_dataset.main["raw"].dataset_id

  view {
    project_id = var.project_id
    dataset_id = google_bigquery_table.landed_messages.dataset_id
    table_id   = google_bigquery_table.landed_messages.table_id
  }
}

# The stream appends to this table. Who erases a customer changes its rows, and so does who builds the marts: a copy of
# an erased response that lands later is erased before it is built.
resource "google_bigquery_table_iam_member" "survey_responses" {
  for_each = toset(["stream", "marts", "airflow"])

  dataset_id = google_bigquery_table.survey_responses.dataset_id
  table_id   = google_bigquery_table.survey_responses.table_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.main[each.key].member
}

moved { # or the grant of the stream would be made and deleted in one apply
  from = google_bigquery_table_iam_member.survey_responses
  to   = google_bigquery_table_iam_member.survey_responses["stream"]
}

# The stream reads which losses were accepted: it starts after those. It sees no other table of the dataset.
resource "google_bigquery_table_iam_member" "accepted_losses" {
  dataset_id = google_bigquery_table.ops["accepted_losses"].dataset_id
  table_id   = google_bigquery_table.ops["accepted_losses"].table_id
  role       = "roles/bigquery.dataViewer"
  member     = google_service_account.main["stream"].member
}

resource "google_storage_bucket_iam_member" "main" {
  for_each = local.bucket_grants

  bucket = google_storage_bucket.main[each.value.bucket].name
  role   = each.value.role
  member = google_service_account.main[each.value.account].member
}
