"""What suppliers get: their contract as a page, what would be refused before sending, and what was refused after.

`ademruimte check`, `quarantine` and `contracts` are the way in.
"""
