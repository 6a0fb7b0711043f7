mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

run "there_is_no_budget_and_no_quota_unless_asked_for" {
  command = plan

  assert {
    condition     = length(google_billing_budget.main) + length(google_cloud_quotas_quota_preference.query_usage) == 0
    error_message = "A budget or a quota that nobody asked for."
  }

  assert {
    condition     = length(setintersection(keys(google_project_service.main), ["billingbudgets.googleapis.com", "cloudquotas.googleapis.com"])) == 0
    error_message = "An API that nobody asked for."
  }
}

# tests/terraform looks at when this plan reads the project's number.
run "the_budget_is_planned_before_its_api_is_on" {
  command = plan

  variables {
    monthly_budget  = 300
    billing_account = "012345-6789AB-CDEF01"
  }
}

run "the_budget_tells_before_it_is_spent" {
  variables {
    monthly_budget  = 300
    billing_account = "012345-6789AB-CDEF01"
  }

  assert {
    condition     = google_billing_budget.main[0].amount[0].specified_amount[0].units == "300"
    error_message = "The budget is not what was given."
  }

  assert {
    condition     = google_billing_budget.main[0].budget_filter[0].projects == toset(["projects/4711"])
    error_message = "The budget is of other projects too."
  }

  assert {
    condition = toset([
      for rule in google_billing_budget.main[0].threshold_rules : "${coalesce(rule.spend_basis, "CURRENT_SPEND")} ${rule.threshold_percent}"
    ]) == toset(["CURRENT_SPEND 0.5", "CURRENT_SPEND 0.9", "CURRENT_SPEND 1", "FORECASTED_SPEND 1"])
    error_message = "Someone is notified at 50 %, at 90 %, at 100 %, and when 100 % is forecast."
  }

  assert {
    condition     = contains(keys(google_project_service.main), "billingbudgets.googleapis.com")
    error_message = "The budgets' API is off."
  }
}

run "the_quota_is_counted_in_mib" {
  command = plan

  variables {
    query_gib_per_day = 100
  }

  assert {
    condition = (
      google_cloud_quotas_quota_preference.query_usage[0].quota_config[0].preferred_value == "102400"
      && google_cloud_quotas_quota_preference.query_usage[0].quota_id == "QueryUsagePerDay"
      && google_cloud_quotas_quota_preference.query_usage[0].service == "bigquery.googleapis.com"
      && google_cloud_quotas_quota_preference.query_usage[0].parent == "projects/shop-data-1"
    )
    error_message = "Queries of the project may read 100 GiB a day."
  }

  assert {
    condition     = google_cloud_quotas_quota_preference.query_usage[0].ignore_safety_checks == "QUOTA_DECREASE_PERCENTAGE_TOO_HIGH"
    error_message = "Google refuses to lower a quota by more than a tenth."
  }
}
