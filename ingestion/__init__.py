"""HOW records are fetched: network yes, orchestrator and warehouse no."""
