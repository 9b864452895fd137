"""One module per supplier: from its wire format to the columns its contract names."""
