"""Runs that take minutes and show what months would: leaks, growth, and what becomes of lost connections."""
