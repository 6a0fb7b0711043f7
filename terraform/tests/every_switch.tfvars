# Every optional part, of a project that does not exist: for `make cloud-plan-offline` and tests/terraform.
project_id              = "shop-data-1"
region                  = "europe-west1"
labels                  = { team = "data" }
enable_network          = true
enable_managed_kafka    = true
enable_composer         = true
composer_allowed_ranges = { "203.0.113.0/24" = "the office" }
enable_monitoring       = true
alert_emails            = ["on-call@example.com"]
alert_webhook_secret    = "csat-webhook"
query_gib_per_day       = 500
monthly_budget          = 100
billing_account         = "012345-6789AB-CDEF01"
github_repository_id    = "1234567"
github_owner_id         = "7654321"
