"""One build for every reader."""
