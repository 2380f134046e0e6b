"""One module per use case; every collaborator is a parameter."""
