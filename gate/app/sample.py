"""The sample project that ships with lockgate: this repository's own prompt, golden sets and baselines."""

from __future__ import annotations

import shutil
from pathlib import Path

from gate.errors import ConfigurationError, OutputError

PACKAGED = Path(__file__).parent.parent / "sample"
REPOSITORY = Path(__file__).parent.parent.parent
PARTS = ("gate.yaml", "prompts", "golden_sets", "baselines")
PROMPT = "prompts/sales_email_intent.md"


def sample_root() -> Path:
    """Where the sample lies: inside an installed package, or the repository of an editable install."""
    for root in (PACKAGED, REPOSITORY):
        if all((root / part).exists() for part in PARTS):
            return root
    raise ConfigurationError(
        "the sample project is not in this installation", hint="install lockgate with pip, or run from its repository"
    )


def copy_sample(folder: Path) -> None:
    """Copy the sample project into a folder that is empty or not there yet.

    Raises ConfigurationError for another one, OutputError for one that cannot be written.
    """
    source = sample_root()
    try:
        if folder.exists() and any(folder.iterdir()):
            raise ConfigurationError(f"{folder} is not empty", hint="name a folder that does not exist yet")
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            copy = shutil.copytree if (source / part).is_dir() else shutil.copy2
            copy(source / part, folder / part)
    except OSError as error:
        message = f"{folder}: cannot write: {error.strerror}"
        raise OutputError(message, hint="name a folder that you may write to") from error
