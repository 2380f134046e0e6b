"""Baselines, evidence and decisions as files: strict to read, canonical to write."""
