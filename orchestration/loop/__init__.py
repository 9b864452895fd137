"""The steps of landing and building as plain functions; Dagster and the command line both call them."""
