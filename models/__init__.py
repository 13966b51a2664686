"""Detectors: weights with their cards, and the recipe that trains our own."""
