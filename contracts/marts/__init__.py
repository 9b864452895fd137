"""Promises made BY the city: the expectation suites at the exit."""
