"""Every command of csat that a DAG calls, with the defaults of its form: tests/dags compares it with the DAGs."""

RUN_ID = "manual__2026-11-20"
ID_HASH = "0" * 64

# By DAG and task
DAG_COMMANDS: dict[str, list[str]] = {
    "build_marts.build_marts": ["marts", "build", "--json"],
    "reconcile_marts.reconcile_marts": ["marts", "reconcile", "--json"],
    "rebuild_marts.rebuild_marts": ["marts", "rebuild", "--json", "--select", "", "--from", "", "--to", ""],
    "erase_customer.count_messages": ["erase", "--json", "--case", ID_HASH, "--dry-run"],
    "erase_customer.erase_customer": [
        *["erase", "--json", "--case", ID_HASH, "--yes"],
        *["--reason", "the customer asked for it"],
    ],
    "maintain.prove_completeness": ["check", "completeness", "--json"],
    "maintain.clean_airflow": ["maintain", "airflow", "--days", "30", "--json"],
    "maintain.clean_staging": ["maintain", "staging", "--days", "7", "--json"],
    "maintain.clean_emulator_jobs": ["maintain", "emulator-jobs", "--hours", "6", "--limit", "20000", "--json"],
    "maintain.clean_dbt": ["maintain", "dbt", "--days", "14", "--json"],
    "maintain.clean_scratch": ["maintain", "scratch", "--hours", "24", "--json"],
    "check_stream_health.check_stream_health": ["check", "health"],
    "accept_loss.show_loss": ["stream", "show-loss", "--json", "--as", RUN_ID],
    "accept_loss.accept_loss": [
        *["stream", "accept-loss", "--json", "--yes", "--shown", RUN_ID],
        *["--reason", "down for longer than the retention"],
    ],
    "replay_rejected.replay_rejected": [
        *["rejected", "replay", "--json", "--reason", "unsupported schema_version"],
        *["--since", "2000-01-01", "--limit", "10000"],
    ],
    "backfill_history.backfill_history": [
        *["simulate", "--json", "--days", "7"],
        *["--events", "2771", "--seed", "1"],
    ],
}
