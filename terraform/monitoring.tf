# What alerts when Airflow cannot, since it is Airflow that watches the rest: the load jobs of the landing table, counted
# from BigQuery's audit log, which every project has. csat's own checks are in the DAG check_stream_health; the critical
# ones among their alerts are taken from the log.

locals {
  alert_channels = [for channel in google_monitoring_notification_channel.email : channel.id]

  landing_load_jobs = join("\n", [
    "resource.type=\"bigquery_project\"",
    "protoPayload.metadata.jobChange.after=\"DONE\"",
    "protoPayload.metadata.jobChange.job.jobConfig.loadConfig.destinationTable=\"projects/${var.project_id}/datasets/${google_bigquery_dataset.main["raw"].dataset_id}/tables/${google_bigquery_table.survey_responses.table_id}\"",
  ])
  load_jobs = {
    landed = "severity<ERROR"
    failed = "severity>=ERROR"
  }
  metric_types = { for key, _ in local.load_jobs : key => "logging.googleapis.com/user/${var.name}/load_jobs_${key}" }

  alerts = merge(
    {
      load_jobs_fail = {
        display_name = "Batches do not land"
        filter       = "metric.type=\"${local.metric_types.failed}\" resource.type=\"bigquery_project\""
        aligner      = "ALIGN_SUM"
        seconds      = 600
        comparison   = "COMPARISON_GT"
        threshold    = 2
        duration     = "0s"
        what_to_do   = "The stream tries a failed load job again; after five failures of one batch it stops. Read the error of the newest job of the landing table, and the log of run_stream."
      }
      queries_cost = {
        display_name = "Queries read much"
        filter       = "metric.type=\"bigquery.googleapis.com/query/scanned_bytes_billed\" resource.type=\"global\""
        aligner      = "ALIGN_SUM"
        seconds      = 86400
        comparison   = "COMPARISON_GT"
        threshold    = var.alert_query_gib_per_day * pow(2, 30)
        duration     = "0s"
        what_to_do   = "More was billed in a day than alert_query_gib_per_day. Look in INFORMATION_SCHEMA.JOBS for the account and the query. The figure comes up to six hours late."
      }
    },
    var.enable_composer ? {
      dag_runs_fail = {
        display_name = "DAG runs fail"
        filter       = "metric.type=\"composer.googleapis.com/workflow/run_count\" resource.type=\"cloud_composer_workflow\" metric.label.state=\"failed\""
        aligner      = "ALIGN_SUM"
        seconds      = 1800
        comparison   = "COMPARISON_GT"
        threshold    = 2
        duration     = "0s"
        what_to_do   = "Open the DAG in Airflow: its page says what red means and what to do."
      }
      airflow_is_ill = {
        display_name = "Airflow is ill"
        filter       = "metric.type=\"composer.googleapis.com/environment/healthy\" resource.type=\"cloud_composer_environment\""
        aligner      = "ALIGN_FRACTION_TRUE"
        seconds      = 300
        comparison   = "COMPARISON_LT"
        threshold    = 0.5
        duration     = "600s"
        what_to_do   = "Nobody restarts the stream meanwhile. Look at the environment's page of Composer."
      }
    } : {},
  )
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.main]
}

resource "google_logging_metric" "load_jobs" {
  for_each = var.enable_monitoring ? local.load_jobs : {}

  name        = "${var.name}/load_jobs_${each.key}"
  description = "Load jobs of the landing table: ${each.key}."
  filter      = "${local.landing_load_jobs}\n${each.value}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }

  depends_on = [google_project_service.main]
}

# Alerts on a metric that is not known yet are refused with 404, for up to ten minutes after it is made:
# https://github.com/hashicorp/terraform-provider-google/issues/11102
resource "time_sleep" "load_jobs_are_known" {
  count = var.enable_monitoring ? 1 : 0

  create_duration = "600s"
  triggers        = { for key, metric in google_logging_metric.load_jobs : key => metric.id }
}

resource "google_monitoring_alert_policy" "silence" {
  count = var.enable_monitoring ? 1 : 0

  display_name          = "${var.name}: nothing lands"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.alert_channels

  conditions {
    display_name = "No load job for ${var.alert_silence_minutes} minutes"

    condition_absent {
      filter   = "metric.type=\"${local.metric_types.landed}\" resource.type=\"bigquery_project\""
      duration = "${var.alert_silence_minutes * 60}s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content = "Either nobody responds to surveys or the stream is down and Airflow does not bring it back. Run csat status, look at run_stream in Airflow and at the batches of Serverless for Apache Spark."
  }

  depends_on = [time_sleep.load_jobs_are_known]
}

resource "google_monitoring_alert_policy" "main" {
  for_each = { for key, alert in local.alerts : key => alert if var.enable_monitoring }

  display_name          = "${var.name}: ${each.value.display_name}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.alert_channels

  conditions {
    display_name = each.value.display_name

    condition_threshold {
      filter          = each.value.filter
      comparison      = each.value.comparison
      threshold_value = each.value.threshold
      duration        = each.value.duration

      aggregations {
        alignment_period     = "${each.value.seconds}s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.aligner == "ALIGN_SUM" ? "REDUCE_SUM" : "REDUCE_MEAN"
      }
    }
  }

  documentation {
    content = each.value.what_to_do
  }

  depends_on = [time_sleep.load_jobs_are_known]
}

# The lines are those of csat/monitoring/delivery.py and csat/airflow/alerts.py: tests/terraform compares them.
resource "google_monitoring_alert_policy" "critical" {
  count = var.enable_monitoring && var.enable_composer ? 1 : 0

  display_name          = "${var.name}: critical alert of csat"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.alert_channels

  conditions {
    display_name = "csat raised a critical alert, or Airflow could not send one"

    condition_matched_log {
      filter = join(" OR ", [
        "(resource.type=\"cloud_run_job\" resource.labels.job_name=\"${google_cloud_run_v2_job.commands[0].name}\" textPayload=~\"^critical: [a-z_]+\")",
        "(resource.type=\"cloud_composer_environment\" resource.labels.environment_name=\"${var.name}\" textPayload:\"No alert was sent\")",
      ])
      # A notification for each key: csat raises an alert once, and again after CSAT_ALERT_REMIND_HOURS
      label_extractors = { alert_key = "REGEXP_EXTRACT(textPayload, \"^critical: ([a-z_]+)\")" }
    }
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "300s"
    }
  }

  documentation {
    content = "The line in the log says what is wrong and names its section in docs/runbook.md. It stays open here for a day; csat check health shows whether it is resolved."
  }

  depends_on = [google_project_service.main]
}

resource "google_monitoring_dashboard" "uptime" {
  count = var.enable_monitoring ? 1 : 0

  dashboard_json = jsonencode({
    displayName = "${var.name} uptime"
    gridLayout = {
      columns = 2
      widgets = concat(
        [for key, type in local.metric_types : {
          title = "Load jobs in five minutes: ${key}"
          xyChart = { dataSets = [{
            plotType = "STACKED_BAR"
            timeSeriesQuery = { timeSeriesFilter = {
              filter      = "metric.type=\"${type}\" resource.type=\"bigquery_project\""
              aggregation = { alignmentPeriod = "300s", perSeriesAligner = "ALIGN_SUM", crossSeriesReducer = "REDUCE_SUM" }
            } }
          }] }
        }],
        [for key, alert in local.alerts : {
          title = alert.display_name
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = { timeSeriesFilter = {
                filter      = alert.filter
                aggregation = { alignmentPeriod = "${alert.seconds}s", perSeriesAligner = alert.aligner }
              } }
            }]
            thresholds = [{ value = alert.threshold }]
          }
        } if key != "load_jobs_fail"],
      )
    }
  })

  depends_on = [time_sleep.load_jobs_are_known]
}
