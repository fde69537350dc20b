"""Templates, words and numbers for people."""
