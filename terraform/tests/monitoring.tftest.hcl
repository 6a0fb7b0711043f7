mock_provider "google" {
  source = "./tests/mocks"
}
mock_provider "time" {}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

run "nothing_is_watched_unless_asked_for" {
  command = plan

  assert {
    condition     = length(google_logging_metric.load_jobs) + length(google_monitoring_alert_policy.main) + length(google_monitoring_alert_policy.silence) + length(google_monitoring_dashboard.uptime) + length(time_sleep.load_jobs_are_known) == 0
    error_message = "Metrics, alerts or a dashboard that nobody asked for."
  }
}

run "what_lands_and_what_fails_is_watched" {
  variables {
    enable_monitoring = true
    alert_emails      = ["on-call@shopzilla.example"]
  }

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.main)) == toset(["load_jobs_fail", "queries_cost"])
    error_message = "Without Composer there are two alerts beside silence."
  }

  assert {
    condition = alltrue([
      for policy in concat(values(google_monitoring_alert_policy.main), google_monitoring_alert_policy.silence) :
      policy.combiner == "OR" && length(policy.notification_channels) == 1 && length(policy.documentation[0].content) > 0
    ])
    error_message = "An alert that notifies nobody, or does not say what to do."
  }

  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.main : startswith(policy.conditions[0].condition_threshold[0].comparison, "COMPARISON_")])
    error_message = "A comparison that Cloud Monitoring has not."
  }

  assert {
    condition     = google_monitoring_alert_policy.silence[0].conditions[0].condition_absent[0].duration == "3600s"
    error_message = "Silence is one hour without a landed batch."
  }

  assert {
    condition     = google_monitoring_alert_policy.main["queries_cost"].conditions[0].condition_threshold[0].threshold_value == 500 * pow(2, 30)
    error_message = "The threshold of what queries read is in bytes."
  }

  assert {
    condition = alltrue([
      for metric in google_logging_metric.load_jobs :
      strcontains(metric.filter, "destinationTable=\"projects/shop-data-1/datasets/csat_raw/tables/survey_responses\"")
    ])
    error_message = "Jobs of other tables are counted."
  }

  assert {
    condition = (
      endswith(google_logging_metric.load_jobs["landed"].filter, "severity<ERROR")
      && endswith(google_logging_metric.load_jobs["failed"].filter, "severity>=ERROR")
    )
    error_message = "Failed jobs count as landed."
  }

  assert {
    condition = (
      strcontains(google_monitoring_alert_policy.silence[0].conditions[0].condition_absent[0].filter, "user/${google_logging_metric.load_jobs["landed"].name}\"")
      && strcontains(google_monitoring_alert_policy.main["load_jobs_fail"].conditions[0].condition_threshold[0].filter, "user/${google_logging_metric.load_jobs["failed"].name}\"")
    )
    error_message = "An alert looks at a metric that is not there."
  }

  assert {
    condition     = google_monitoring_notification_channel.email["on-call@shopzilla.example"].labels == tomap({ email_address = "on-call@shopzilla.example" })
    error_message = "The mail goes elsewhere."
  }

  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.uptime[0].dashboard_json).gridLayout.widgets) == 3
    error_message = "The dashboard shows what landed, what failed and what queries read."
  }
}

run "alerts_wait_for_their_metric" {
  variables {
    enable_monitoring = true
  }

  assert {
    condition     = time_sleep.load_jobs_are_known[0].create_duration == "600s"
    error_message = "Google says that a new metric is unknown to alerts for up to ten minutes."
  }

  assert {
    condition     = toset(values(time_sleep.load_jobs_are_known[0].triggers)) == toset([for metric in google_logging_metric.load_jobs : metric.id])
    error_message = "A metric that is made again is not waited for."
  }
}

run "airflow_is_watched_where_it_is" {
  variables {
    enable_monitoring       = true
    enable_composer         = true
    composer_allowed_ranges = { "203.0.113.0/24" = "the office" }
    alert_emails            = ["on-call@shopzilla.example"]
  }

  assert {
    condition = jsonencode(google_monitoring_alert_policy.critical[0].notification_channels) == jsonencode([
      google_monitoring_notification_channel.email["on-call@shopzilla.example"].id
    ])
    error_message = "A critical alert of csat reaches nobody."
  }

  assert {
    condition = google_monitoring_alert_policy.critical[0].conditions[0].condition_matched_log[0].filter == join(" OR ", [
      "(resource.type=\"cloud_run_job\" resource.labels.job_name=\"csat-commands\" textPayload=~\"^critical: [a-z_]+\")",
      "(resource.type=\"cloud_composer_environment\" resource.labels.environment_name=\"csat\" textPayload:\"No alert was sent\")",
    ])
    error_message = "Critical alerts are not found in the log, or others are."
  }

  assert {
    condition     = google_monitoring_alert_policy.critical[0].alert_strategy[0].notification_rate_limit[0].period == "300s"
    error_message = "Google refuses a policy on logs without a limit of notifications."
  }

  assert {
    condition     = length(setsubtract(["dag_runs_fail", "airflow_is_ill"], keys(google_monitoring_alert_policy.main))) == 0
    error_message = "Nobody watches Airflow, which watches the rest."
  }

  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.uptime[0].dashboard_json).gridLayout.widgets) == 5
    error_message = "The dashboard shows Airflow too."
  }
}
