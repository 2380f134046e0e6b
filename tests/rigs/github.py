"""The stand-in for GitHub under the names that most tests use; see the package `github_hub`."""

from tests.rigs.github_hub import Fault, GitHub, Seen, Token, github_server

__all__ = ("Fault", "GitHub", "Seen", "Token", "github_server")
