"""A small synthetic Kortrijk and loopback suppliers that speak the real protocols."""
