"""Runs trials: concurrency, budget, journal. Knows targets and scorers only by their protocols."""
