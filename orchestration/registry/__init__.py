"""The registry of targets as people keep it: read from the dbt seeds, checked, exported and edited under review.

What a target means for a verdict belongs in dbt; here is only how its definition is kept. `ademruimte targets`
is the way in.
"""
