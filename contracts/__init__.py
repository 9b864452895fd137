"""WHAT is promised: pure descriptions and rules, without input, output or network."""
