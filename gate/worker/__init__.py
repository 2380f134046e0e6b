"""Isolated child processes: code from a pull request runs here and never in the process that holds the keys."""
