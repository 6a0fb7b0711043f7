# A place to try things: everything can be deleted again.
project_id          = "my-project-dev"
region              = "europe-west1"
location            = "EU"
name                = "csat-dev"
deletion_protection = false
