"""The rules of the decision, one module each; every rule is a pure function from facts to findings."""
