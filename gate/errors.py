"""Every fatal error of lockgate: one tree, each with its exit code, a hint, and an anchor in docs/reference/errors.md.

Expected outcomes (HOLD, ROLLBACK, an unscored trial) are values, not errors.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller; documented in docs/reference/exit-codes.md."""

    PROMOTE = 0
    BUG = 1
    CONFIGURATION = 2
    NOTHING_TO_DO = 3
    MISMATCH = 4
    NOT_PUBLISHED = 5
    HOLD = 10
    ROLLBACK = 20
    INTERRUPTED = 130


class GateError(Exception):
    """A user-visible failure: what happened, and in `hint` what to do about it."""

    exit_code = ExitCode.CONFIGURATION
    anchor = "configuration"

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the message and the hint."""
        super().__init__(message)
        self.hint = hint


class ConfigurationError(GateError):
    """gate.yaml, a policy, an option or a waiver file cannot be used."""


class SuiteError(GateError):
    """A suite or one of its cases cannot be used; the message starts with file:line and names the case."""

    anchor = "suite"


class PromptError(GateError):
    """A prompt template is missing, does not render, or breaks its limits."""

    anchor = "prompt"


class RecordError(GateError):
    """An evidence, baseline, policy or decision file is not what it says it is."""

    anchor = "record"


class MismatchError(GateError):
    """A replay or a digest does not match."""

    exit_code = ExitCode.MISMATCH
    anchor = "mismatch"


class NothingToDoError(GateError):
    """Nothing was selected, or the event is not one that lockgate acts on."""

    exit_code = ExitCode.NOTHING_TO_DO
    anchor = "nothing-to-do"


class OutputError(GateError):
    """The out folder or a baseline cannot be written."""

    anchor = "output"


class PublishError(GateError):
    """The decision stands but could not be published."""

    exit_code = ExitCode.NOT_PUBLISHED
    anchor = "publish"
