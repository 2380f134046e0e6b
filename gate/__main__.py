"""`python -m gate` and the `gate` console script."""

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    from gate.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
