"""Promises made TO the city: one module per source, found by `contracts.registry`."""
