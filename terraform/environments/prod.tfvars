project_id = "my-project"
region     = "europe-west1"
location   = "EU"
