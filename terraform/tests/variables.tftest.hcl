# Values that Google would refuse only at apply, or that would cost data, are refused at once.

mock_provider "google" {}

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
    subnetwork = "default"
  }
  expect_failures = [var.subnetwork]
}

run "a_given_subnetwork_and_a_made_one_exclude_each_other" {
  command = plan
  variables {
    enable_network = true
    subnetwork     = "projects/p/regions/europe-west1/subnetworks/s"
  }
  expect_failures = [var.subnetwork]
}
