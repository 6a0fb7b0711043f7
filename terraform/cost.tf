# Against surprises: a budget notifies, the quota stops queries.

data "google_project" "main" {
  count = var.monthly_budget == null ? 0 : 1

  project_id = var.project_id

  # Read at apply, once its API is on
  depends_on = [google_project_service.main]
}

resource "google_billing_budget" "main" {
  count = var.monthly_budget == null ? 0 : 1

  billing_account = var.billing_account
  display_name    = "${var.name} in ${var.project_id}"

  amount {
    specified_amount {
      units = var.monthly_budget
    }
  }

  budget_filter {
    projects        = ["projects/${data.google_project.main[0].number}"]
    calendar_period = "MONTH"
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]

    content {
      threshold_percent = threshold_rules.value
    }
  }
  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  dynamic "all_updates_rule" {
    for_each = length(var.alert_emails) > 0 ? [local.alert_channels] : []

    content {
      monitoring_notification_channels = all_updates_rule.value
    }
  }

  depends_on = [google_project_service.main]
}

# Of the whole project, and counted in MiB. A project that never asked may query 200 TiB a day.
# https://docs.cloud.google.com/bigquery/docs/custom-quotas
resource "google_cloud_quotas_quota_preference" "query_usage" {
  count = var.query_gib_per_day == null ? 0 : 1

  parent   = "projects/${var.project_id}"
  name     = "${var.name}-query-usage-per-day"
  service  = "bigquery.googleapis.com"
  quota_id = "QueryUsagePerDay"

  quota_config {
    preferred_value = var.query_gib_per_day * 1024
  }

  # Without it a quota goes down by a tenth at most.
  ignore_safety_checks = "QUOTA_DECREASE_PERCENTAGE_TOO_HIGH"

  depends_on = [google_project_service.main]
}
