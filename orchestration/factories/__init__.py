"""From a contract or a dbt node to Dagster definitions."""
