"""WHEN and in what order: the only room that imports Dagster and dbt."""
