# Values that Google would refuse only at apply, or that would cost data, are refused at once.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project_id = "shop-data-1"
  region     = "europe-west1"
  location   = "EU"
}

run "a_project_number_is_no_project_id" {
  command = plan
  variables {
    project_id = "123456789012"
  }
  expect_failures = [var.project_id]
}

run "the_project_of_the_example_is_somebody_elses" {
  command = plan
  variables {
    project_id = "my-project"
  }
  expect_failures = [var.project_id]
}

run "no_project_has_google_in_its_id" {
  command = plan
  variables {
    project_id = "shop-google-1"
  }
  expect_failures = [var.project_id]
}

run "a_region_of_another_cloud_is_no_region" {
  command = plan
  variables {
    region   = "eu-west1"
    location = null
  }
  expect_failures = [var.region]
}

run "a_region_may_be_anywhere_google_is" {
  command = plan
  variables {
    region   = "northamerica-northeast2"
    location = null
  }
}

run "a_continent_is_no_region" {
  command = plan
  variables {
    region   = "europe-1"
    location = null
  }
  expect_failures = [var.region]
}

run "a_zone_is_no_region" {
  command = plan
  variables {
    region = "europe-west1-b"
  }
  expect_failures = [var.region]
}

run "another_region_is_no_location" {
  command = plan
  variables {
    location = "us-central1"
  }
  expect_failures = [var.location]
}

run "data_stays_in_europe_where_the_region_is" {
  command = plan
  variables {
    location = null
  }
  assert {
    condition     = google_bigquery_dataset.main["raw"].location == "EU" && google_storage_bucket.main["staging"].location == "EU"
    error_message = "The location does not follow the region."
  }
}

run "without_a_region_and_a_location_both_are_in_the_united_states" {
  command = plan
  variables {
    region   = "us-central1"
    location = null
  }
  assert {
    condition     = google_bigquery_dataset.main["raw"].location == "US"
    error_message = "The location does not follow the region."
  }
}

run "data_stays_in_a_region_that_is_in_no_multi_region" {
  command = plan
  variables {
    region   = "asia-south1"
    location = null
  }
  assert {
    condition     = google_bigquery_dataset.main["raw"].location == "asia-south1"
    error_message = "The location does not follow the region."
  }
}

run "the_region_itself_is_a_location" {
  command = plan
  variables {
    location = "europe-west1"
  }
}

run "a_name_is_short_enough_for_service_accounts" {
  command = plan
  variables {
    name = "customer-satisfaction"
  }
  expect_failures = [var.name]
}

run "a_name_is_long_enough_for_service_accounts" {
  command = plan
  variables {
    name = "cs"
  }
  expect_failures = [var.name]
}

run "the_shortest_name_fits_every_resource" {
  variables {
    name                 = "cst"
    github_repository_id = "1296269"
    github_owner_id      = "583231"
  }
}

run "a_bucket_has_no_google_in_its_name" {
  command = plan
  variables {
    name = "my-google"
  }
  expect_failures = [var.name]
}

run "a_name_has_no_underscore" {
  command = plan
  variables {
    name = "csat_dev"
  }
  expect_failures = [var.name]
}

run "a_label_has_no_capital" {
  command = plan
  variables {
    labels = { Team = "support" }
  }
  expect_failures = [var.labels]
}

run "staging_files_live_for_a_day_at_least" {
  command = plan
  variables {
    staging_days = 0
  }
  expect_failures = [var.staging_days]
}

run "a_topic_has_no_space" {
  command = plan
  variables {
    kafka_topic = "survey responses"
  }
  expect_failures = [var.kafka_topic]
}

run "kafka_needs_a_subnetwork" {
  command = plan
  variables {
    enable_managed_kafka = true
  }
  expect_failures = [var.enable_managed_kafka]
}

run "kafka_has_three_cpus_at_least" {
  command = plan
  variables {
    kafka_vcpu_count = 2
  }
  expect_failures = [var.kafka_vcpu_count]
}

run "kafka_has_a_gib_for_each_cpu_at_least" {
  command = plan
  variables {
    kafka_vcpu_count = 16
  }
  expect_failures = [var.kafka_memory_gib]
}

run "kafka_has_eight_gib_for_each_cpu_at_most" {
  command = plan
  variables {
    kafka_memory_gib = 25
  }
  expect_failures = [var.kafka_memory_gib]
}

run "a_topic_has_a_partition" {
  command = plan
  variables {
    kafka_partition_count = 0
  }
  expect_failures = [var.kafka_partition_count]
}

run "kafka_keeps_messages_for_a_day_at_least" {
  command = plan
  variables {
    kafka_retention_hours = 12
  }
  expect_failures = [var.kafka_retention_hours]
}

run "a_subnetwork_has_ipv4_addresses" {
  command = plan
  variables {
    enable_network  = true
    subnetwork_cidr = "fd20::/20"
  }
  expect_failures = [var.subnetwork_cidr]
}

run "a_subnetwork_has_no_bit_behind_its_prefix" {
  command = plan
  variables {
    enable_network  = true
    subnetwork_cidr = "10.20.1.0/20"
  }
  expect_failures = [var.subnetwork_cidr]
}

run "a_subnetwork_is_private" {
  command = plan
  variables {
    enable_network  = true
    subnetwork_cidr = "203.0.112.0/20"
  }
  expect_failures = [var.subnetwork_cidr]
}

run "a_subnetwork_is_no_larger_than_the_private_range" {
  command = plan
  variables {
    enable_network  = true
    subnetwork_cidr = "10.0.0.0/7"
  }
  expect_failures = [var.subnetwork_cidr]
}

run "a_subnetwork_is_in_any_private_range" {
  command = plan
  variables {
    enable_network  = true
    subnetwork_cidr = "172.31.240.0/20"
  }
}

run "a_subnetwork_has_room_for_spark" {
  command = plan
  variables {
    subnetwork_cidr = "10.20.0.0/28"
  }
  expect_failures = [var.subnetwork_cidr]
}

run "an_address_is_no_range" {
  command = plan
  variables {
    subnetwork_cidr = "10.20.0.0"
  }
  expect_failures = [var.subnetwork_cidr]
}

run "a_subnetwork_is_named_in_full" {
  command = plan
  variables {
    network    = "projects/shop-data-1/global/networks/n"
    subnetwork = "default"
  }
  expect_failures = [var.subnetwork]
}

run "a_given_subnetwork_and_a_made_one_exclude_each_other" {
  command = plan
  variables {
    enable_network = true
    network        = "projects/shop-data-1/global/networks/n"
    subnetwork     = "projects/shop-data-1/regions/europe-west1/subnetworks/s"
  }
  expect_failures = [var.subnetwork]
}

run "a_name_is_not_googles" {
  command = plan
  variables {
    name = "gcp-csat"
  }
  expect_failures = [var.name]
}

run "a_network_is_named_in_full" {
  command = plan
  variables {
    network    = "default"
    subnetwork = "projects/shop-data-1/regions/europe-west1/subnetworks/s"
  }
  expect_failures = [var.network]
}

run "a_subnetwork_has_a_network" {
  command = plan
  variables {
    subnetwork = "projects/shop-data-1/regions/europe-west1/subnetworks/s"
  }
  expect_failures = [var.network]
}

run "airflow_is_not_open_to_all_by_oversight" {
  command = plan
  variables {
    enable_composer = true
  }
  expect_failures = [var.enable_composer]
}

run "an_image_has_no_build" {
  command = plan
  variables {
    composer_image_version = "composer-3-airflow-3.3.0-build.9"
  }
  expect_failures = [var.composer_image_version]
}

run "an_image_has_airflow_3" {
  command = plan
  variables {
    composer_image_version = "composer-3-airflow-2.10.5"
  }
  expect_failures = [var.composer_image_version]
}

run "an_image_has_airflow_3_3" {
  command = plan
  variables {
    composer_image_version = "composer-3-airflow-3.2.1"
  }
  expect_failures = [var.composer_image_version]
}

run "composer_has_three_sizes" {
  command = plan
  variables {
    composer_environment_size = "SMALL"
  }
  expect_failures = [var.composer_environment_size]
}

run "a_range_has_no_bit_behind_its_prefix" {
  command = plan
  variables {
    composer_allowed_ranges = { "203.0.113.7/24" = "the office" }
  }
  expect_failures = [var.composer_allowed_ranges]
}

run "an_email_address_has_an_at_sign" {
  command = plan
  variables {
    alert_emails = ["on-call"]
  }
  expect_failures = [var.alert_emails]
}

run "silence_is_longer_than_a_few_batches" {
  command = plan
  variables {
    alert_silence_minutes = 5
  }
  expect_failures = [var.alert_silence_minutes]
}

run "silence_is_shorter_than_monitoring_looks_back" {
  command = plan
  variables {
    alert_silence_minutes = 1440
  }
  expect_failures = [var.alert_silence_minutes]
}

run "an_alert_on_no_bytes_would_never_end" {
  command = plan
  variables {
    alert_query_gib_per_day = 0
  }
  expect_failures = [var.alert_query_gib_per_day]
}

run "a_quota_lets_one_query_through" {
  command = plan
  variables {
    query_gib_per_day = 1
  }
  expect_failures = [var.query_gib_per_day]
}

run "a_budget_is_in_whole_units" {
  command = plan
  variables {
    monthly_budget  = 99.5
    billing_account = "012345-6789AB-CDEF01"
  }
  expect_failures = [var.monthly_budget]
}

run "a_budget_has_a_billing_account" {
  command = plan
  variables {
    monthly_budget = 300
  }
  expect_failures = [var.monthly_budget]
}

run "a_billing_account_is_no_name" {
  command = plan
  variables {
    billing_account = "shopzilla"
  }
  expect_failures = [var.billing_account]
}

run "a_repository_is_named_by_its_id" {
  command = plan
  variables {
    github_repository_id = "shopzilla/csat"
    github_owner_id      = "583231"
  }
  expect_failures = [var.github_repository_id]
}

run "a_repository_has_an_owner" {
  command = plan
  variables {
    github_repository_id = "1296269"
  }
  expect_failures = [var.github_repository_id]
}

run "an_owner_ends_no_condition" {
  command = plan
  variables {
    github_repository_id = "1296269"
    github_owner_id      = "1' || true || '"
  }
  expect_failures = [var.github_owner_id]
}

run "a_ref_is_named_in_full" {
  command = plan
  variables {
    github_repository_id = "1296269"
    github_owner_id      = "583231"
    github_ref           = "main"
  }
  expect_failures = [var.github_ref]
}

run "a_ref_fits_in_the_subject" {
  command = plan
  variables {
    github_repository_id = "1296269"
    github_owner_id      = "583231"
    github_ref           = "refs/heads/a-branch-whose-name-is-longer-than-ninety-characters-so-that-with-the-id-of-the-repository-it-would-not-fit"
  }
  expect_failures = [var.github_ref]
}

run "a_project_id_has_no_capital" {
  command = plan
  variables {
    project_id = "Shop-Data-1"
  }
  expect_failures = [var.project_id]
}

run "a_project_id_has_six_characters_at_least" {
  command = plan
  variables {
    project_id = "shop1"
  }
  expect_failures = [var.project_id]
}

run "a_project_id_does_not_look_like_googles" {
  command = plan
  variables {
    project_id = "shop-g00gle-1"
  }
  expect_failures = [var.project_id]
}

run "a_multi_region_is_no_region" {
  command = plan
  variables {
    region   = "EU"
    location = null
  }
  expect_failures = [var.region]
}

run "a_dual_region_is_no_region" {
  command = plan
  variables {
    region   = "eur4"
    location = null
  }
  expect_failures = [var.region]
}

run "a_region_that_google_does_not_have_is_no_region" {
  command = plan
  variables {
    region   = "europe-west99"
    location = null
  }
  expect_failures = [var.region]
}

run "a_region_has_no_capital" {
  command = plan
  variables {
    region   = "Europe-West1"
    location = null
  }
  expect_failures = [var.region]
}

run "a_dual_region_is_no_location" {
  command = plan
  variables {
    location = "EUR4"
  }
  expect_failures = [var.location]
}

run "a_location_of_another_continent_spelt_small_is_no_location" {
  command = plan
  variables {
    location = "eu"
  }
  expect_failures = [var.location]
}

run "data_of_london_stays_in_london" {
  command = plan
  variables {
    region   = "europe-west2"
    location = null
  }
  assert {
    condition     = google_bigquery_dataset.main["raw"].location == "europe-west2"
    error_message = "The multi-region EU has no data in London."
  }
}

run "one_letter_is_no_name" {
  command = plan
  variables {
    name = "c"
  }
  expect_failures = [var.name]
}

run "a_name_has_no_capital" {
  command = plan
  variables {
    name = "Csat"
  }
  expect_failures = [var.name]
}

run "a_name_does_not_end_with_a_hyphen" {
  command = plan
  variables {
    name = "csat-"
  }
  expect_failures = [var.name]
}

run "a_bucket_has_no_look_alike_of_google_in_its_name" {
  command = plan
  variables {
    name = "goog1e"
  }
  expect_failures = [var.name]
}

run "a_label_is_not_googles" {
  command = plan
  variables {
    labels = { goog-team = "support" }
  }
  expect_failures = [var.labels]
}

run "a_topic_is_not_kafkas_own" {
  command = plan
  variables {
    kafka_topic = "__consumer_offsets"
  }
  expect_failures = [var.kafka_topic]
}

run "kafka_has_whole_gib" {
  command = plan
  variables {
    kafka_memory_gib = 12.3
  }
  expect_failures = [var.kafka_memory_gib]
}

run "kafka_keeps_messages_for_whole_hours" {
  command = plan
  variables {
    kafka_retention_hours = 24.3
  }
  expect_failures = [var.kafka_retention_hours]
}

run "a_given_subnetwork_is_in_the_region" {
  command = plan
  variables {
    network    = "projects/shop-data-1/global/networks/n"
    subnetwork = "projects/shop-data-1/regions/us-central1/subnetworks/s"
  }
  expect_failures = [var.subnetwork]
}

run "a_given_subnetwork_has_no_capital" {
  command = plan
  variables {
    network    = "projects/shop-data-1/global/networks/n"
    subnetwork = "projects/shop-data-1/regions/europe-west1/subnetworks/Default"
  }
  expect_failures = [var.subnetwork]
}

run "a_given_network_has_no_capital" {
  command = plan
  variables {
    network    = "projects/shop-data-1/global/networks/Default"
    subnetwork = "projects/shop-data-1/regions/europe-west1/subnetworks/s"
  }
  expect_failures = [var.network]
}

run "an_ipv6_range_has_no_bit_behind_its_prefix" {
  command = plan
  variables {
    composer_allowed_ranges = { "2001:db8::1/32" = "the office" }
  }
  expect_failures = [var.composer_allowed_ranges]
}

run "an_ipv6_range_may_reach_airflow" {
  command = plan
  variables {
    composer_allowed_ranges = { "2001:db8::/32" = "the office" }
  }
}

run "an_address_alone_is_no_range_of_airflow" {
  command = plan
  variables {
    composer_allowed_ranges = { "203.0.113.7" = "the office" }
  }
  expect_failures = [var.composer_allowed_ranges]
}

run "a_range_is_described_in_300_characters" {
  command = plan
  variables {
    composer_allowed_ranges = { "203.0.113.0/24" = format("%0301d", 0) }
  }
  expect_failures = [var.composer_allowed_ranges]
}

run "silence_is_in_whole_minutes" {
  command = plan
  variables {
    alert_silence_minutes = 10.5
  }
  expect_failures = [var.alert_silence_minutes]
}

run "a_quota_is_in_whole_gib" {
  command = plan
  variables {
    query_gib_per_day = 20.3
  }
  expect_failures = [var.query_gib_per_day]
}

run "a_billing_account_has_capitals" {
  command = plan
  variables {
    billing_account = "012345-6789ab-cdef01"
  }
  expect_failures = [var.billing_account]
}

run "a_ref_does_not_end_with_a_slash" {
  command = plan
  variables {
    github_repository_id = "1296269"
    github_owner_id      = "583231"
    github_ref           = "refs/heads/main/"
  }
  expect_failures = [var.github_ref]
}

run "a_webhook_secret_is_named_and_not_given" {
  command = plan
  variables {
    enable_composer         = true
    composer_allowed_ranges = { "203.0.113.0/24" = "the office" }
    alert_webhook_secret    = "https://hooks.example/T000/B000"
  }
  expect_failures = [var.alert_webhook_secret]
}

run "a_webhook_secret_is_for_composers_job" {
  command = plan
  variables {
    alert_webhook_secret = "csat-webhook"
  }
  expect_failures = [var.alert_webhook_secret]
}

run "the_project_of_the_examples_environment_is_somebody_elses" {
  command = plan
  variables {
    project_id = "my-project-dev"
  }
  expect_failures = [var.project_id]
}

run "a_project_id_does_not_begin_as_googles" {
  command = plan
  variables {
    project_id = "goog-shop-1"
  }
  expect_failures = [var.project_id]
}

run "a_bucket_does_not_begin_as_googles" {
  command = plan
  variables {
    name = "goog-csat"
  }
  expect_failures = [var.name]
}

run "the_value_of_a_label_has_no_capital" {
  command = plan
  variables {
    labels = { team = "Support" }
  }
  expect_failures = [var.labels]
}

run "labels_leave_room_for_those_of_the_module" {
  command = plan
  variables {
    labels = { for number in range(61) : "label-${number}" => "support" }
  }
  expect_failures = [var.labels]
}

run "the_label_app_is_the_modules" {
  command = plan
  variables {
    labels = { app = "support" }
  }
  expect_failures = [var.labels]
}

run "staging_files_live_for_whole_days" {
  command = plan
  variables {
    staging_days = 1.5
  }
  expect_failures = [var.staging_days]
}

run "a_topic_is_no_dot" {
  command = plan
  variables {
    kafka_topic = "."
  }
  expect_failures = [var.kafka_topic]
}

run "a_topic_is_no_two_dots" {
  command = plan
  variables {
    kafka_topic = ".."
  }
  expect_failures = [var.kafka_topic]
}

run "kafka_has_whole_cpus" {
  command = plan
  variables {
    kafka_vcpu_count = 3.5
  }
  expect_failures = [var.kafka_vcpu_count]
}

run "a_topic_has_whole_partitions" {
  command = plan
  variables {
    kafka_partition_count = 4.5
  }
  expect_failures = [var.kafka_partition_count]
}

run "a_budget_is_more_than_nothing" {
  command = plan
  variables {
    monthly_budget  = 0
    billing_account = "012345-6789AB-CDEF01"
  }
  expect_failures = [var.monthly_budget]
}
