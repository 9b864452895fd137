"""WHERE data lies and how readers get it; never talks to a supplier."""
