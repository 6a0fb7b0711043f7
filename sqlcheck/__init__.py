"""A strict check of BigQuery's SQL without BigQuery: Google's own analyser, and the rules that its engine adds."""
