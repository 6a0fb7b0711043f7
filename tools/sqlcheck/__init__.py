"""A strict check of BigQuery SQL without BigQuery: Google's own analyser, and the rules that BigQuery's engine adds."""
