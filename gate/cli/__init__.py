"""Commands: parse, call the app, map the outcome to an exit code. No logic; heavy imports inside the commands."""
