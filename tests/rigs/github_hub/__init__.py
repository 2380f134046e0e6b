"""A stateful GitHub on 127.0.0.1: REST and one GraphQL mutation over one real repository, checked by GitHub's own words.

`openapi.json` and `schema.graphql` are cuts of GitHub's descriptions (see `cut_openapi.py`; MIT, source and version are
in the files). Every request and every answer is checked against them; what breaks them fails the test that provoked it.
"""

from tests.rigs.github_hub.bare import Bare
from tests.rigs.github_hub.model import (
    BODY_LIMIT,
    Barrier,
    Fault,
    Limits,
    Point,
    Protection,
    Seen,
    Token,
    down,
    lost_after_commit,
    secondary_limit,
)
from tests.rigs.github_hub.server import ContractError, github_server
from tests.rigs.github_hub.state import GitHub

__all__ = (
    "BODY_LIMIT",
    "Bare",
    "Barrier",
    "ContractError",
    "Fault",
    "GitHub",
    "Limits",
    "Point",
    "Protection",
    "Seen",
    "Token",
    "down",
    "github_server",
    "lost_after_commit",
    "secondary_limit",
)
