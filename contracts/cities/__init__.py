"""One typed profile per city; nothing else names a city."""
