"""What is evaluated: model endpoints, programs, Python functions and the built-in offline model."""
