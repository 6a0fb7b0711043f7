"""Building the marts: plan, build, reconcile, run dbt and store its results."""
