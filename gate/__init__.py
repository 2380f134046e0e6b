"""Decides whether a new version of a prompt, model or agent may ship."""

__version__ = "0.1.0"
