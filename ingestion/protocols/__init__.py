"""Wire formats, reusable by any supplier that speaks them."""
