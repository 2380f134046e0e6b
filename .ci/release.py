# ruff: noqa: INP001 a folder of scripts
"""Release the action: examine a source tag, write the image's digest into action.yml, and set the tags of the version.

A person tags a commit of the default branch `src/vX.Y.Z`; .github/workflows/publish.yml builds the image from it and
calls this. The version is one commit more, whose only change is that action.yml names the image by its digest, so it
can be made again from the source and the digest. It is reached by its tags only: on the default branch, and at any
other commit, the action is built from the Dockerfile. The standard library is all that this needs.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE_TAG = re.compile(r"src/v(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})")
RELEASE_TAG = re.compile(SOURCE_TAG.pattern.removeprefix("src/"))
VERSION_LINE = re.compile(r'(?m)^__version__ = "([^"\n]*)"$')
BUILT = "  image: Dockerfile\n"
IMAGE = re.compile(r"ghcr\.io/[a-z0-9._-]+/[a-z0-9._-]+@sha256:[0-9a-f]{64}")
BRANCH = "origin/main"
WORKFLOWS = ".github/workflows"
BOT = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")


class RefusedError(Exception):
    """Why something must not be released."""


@dataclass(frozen=True, slots=True)
class Version:
    """Three numbers; later versions are greater."""

    numbers: tuple[int, int, int]

    @classmethod
    def of_source_tag(cls, tag: str) -> Version:
        """Read `src/vX.Y.Z`; raises RefusedError."""
        found = SOURCE_TAG.fullmatch(tag)
        if found is None:
            raise RefusedError(f"the tag {tag!r} is not src/vX.Y.Z with three numbers")
        return cls((int(found[1]), int(found[2]), int(found[3])))

    @property
    def text(self) -> str:
        """As in `gate.__version__`."""
        return ".".join(map(str, self.numbers))

    @property
    def tag(self) -> str:
        """The tag that stays."""
        return f"v{self.text}"

    @property
    def major_tag(self) -> str:
        """The tag that moves."""
        return f"v{self.numbers[0]}"


def run_git(root: Path, *words: str, environ: dict[str, str] | None = None) -> str:
    """Run git and return what it says; raises RefusedError with its complaint."""
    command = ("git", "-C", str(root), *words)
    done = subprocess.run(  # noqa: S603 a fixed program, and words of this file or ones that were matched
        command, capture_output=True, text=True, check=False, env=os.environ | (environ or {})
    )
    if done.returncode:
        raise RefusedError(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def check(root: Path, tag: str) -> Version:
    """Examine the checkout of a source tag; raises RefusedError that names everything that is wrong at once."""
    version = Version.of_source_tag(tag)
    wrong = [*_text_objections(root, version), *_git_objections(root, version)]
    if wrong:
        raise RefusedError("\n".join(wrong))
    return version


def _text_objections(root: Path, version: Version) -> Iterator[str]:
    found = VERSION_LINE.findall((root / "gate/__init__.py").read_text(encoding="utf-8"))
    if found != [version.text]:
        yield f"gate/__init__.py has the version {', '.join(found) or 'none'}, not {version.text}"
    if not notes(root, version):
        yield f"CHANGELOG.md has no section '## [{version.text}] - YYYY-MM-DD' with something in it"
    if (root / "action.yml").read_text(encoding="utf-8").count(BUILT) != 1:
        yield f"action.yml does not have the one line {BUILT.strip()!r}"


def _git_objections(root: Path, version: Version) -> Iterator[str]:
    try:
        run_git(root, "merge-base", "--is-ancestor", "HEAD", BRANCH)
    except RefusedError:
        yield f"the tagged commit is not on {BRANCH}"
    if run_git(root, "diff", "--name-only", "HEAD", BRANCH, "--", WORKFLOWS):
        # GitHub refuses the token of a workflow a tag on workflow files that are on no branch as they are.
        yield f"{WORKFLOWS} has changed on {BRANCH} since the tagged commit: release a newer commit"
    if run_git(root, "tag", "--list", version.tag):
        yield f"{version.tag} is released already, and a release is not replaced"


def notes(root: Path, version: Version) -> str:
    """The version's dated section of the changelog, without its heading; empty where there is none."""
    heading = rf"(?m)^## \[{re.escape(version.text)}\] - [0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$"
    parts = re.split(heading, (root / "CHANGELOG.md").read_text(encoding="utf-8"))
    return re.split(r"(?m)^## |^\[[^\]\n]+\]: ", parts[1])[0].strip() if len(parts) == 2 else ""  # noqa: PLR2004


def write_image(root: Path, image: str) -> None:
    """Have action.yml name an image by digest in place of the Dockerfile; raises RefusedError."""
    if IMAGE.fullmatch(image) is None:
        raise RefusedError(f"{image!r} is not ghcr.io/OWNER/NAME@sha256: with 64 digits")
    file = root / "action.yml"
    before = file.read_text(encoding="utf-8")
    if before.count(BUILT) != 1:
        raise RefusedError(f"action.yml does not have the one line {BUILT.strip()!r}")
    file.write_text(before.replace(BUILT, f"  image: docker://{image}\n"), encoding="utf-8")


def publish(root: Path, version: Version, image: str) -> str:
    """Push the version's commit under its own tag, and under the major one unless a later version has it.

    Both arrive or none. Done again with the same source and image it makes the same commit, and changes nothing.
    Returns the commit; raises RefusedError.
    """
    source = run_git(root, "rev-parse", "HEAD")
    write_image(root, image)
    date = run_git(root, "show", "--no-patch", "--format=%cI", source)
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER")
           for key, value in zip(("NAME", "EMAIL", "DATE"), (*BOT, date), strict=True)}  # fmt: skip
    message = f"Release {version.tag}\n\nSource: {source}\nImage: {image}"
    run_git(root, "commit", "--quiet", "--no-verify", "--message", message, "--", "action.yml", environ=who)
    commit = run_git(root, "rev-parse", "HEAD")
    standing = _remote_tags(root)
    pushed = [f"{commit}:refs/tags/{version.tag}"]
    leases = []
    if version.numbers >= max(_versions(standing, version.numbers[0]), default=version.numbers):
        pushed.append(f"+{commit}:refs/tags/{version.major_tag}")
        leases = [f"--force-with-lease=refs/tags/{version.major_tag}:{standing.get(version.major_tag, '')}"]
    run_git(root, "push", "--quiet", "--atomic", *leases, "origin", *pushed)
    return commit


def _remote_tags(root: Path) -> dict[str, str]:
    """What the remote's tags name, by tag; not what annotated ones are peeled to."""
    lines = run_git(root, "ls-remote", "--refs", "--tags", "origin").splitlines()
    return {name.removeprefix("refs/tags/"): sha for sha, _, name in (line.partition("\t") for line in lines)}


def _versions(tags: dict[str, str], major: int) -> Iterator[tuple[int, int, int]]:
    for found in filter(None, map(RELEASE_TAG.fullmatch, tags)):
        numbers = int(found[1]), int(found[2]), int(found[3])
        if numbers[0] == major:
            yield numbers


def main(words: Sequence[str], root: Path) -> int:
    """Do one step; 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog=".ci/release.py")
    parser.add_argument("step", choices=["check", "notes", "publish"])
    parser.add_argument("tag", help="src/vX.Y.Z, whose checkout this is")
    parser.add_argument("image", nargs="?", default="", help="for publish: ghcr.io/OWNER/NAME@sha256:DIGITS")
    asked = parser.parse_args(words)
    try:
        print(_step(asked, root))  # noqa: T201 this is the program's answer
    except RefusedError as error:
        print(f"not released: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _step(asked: argparse.Namespace, root: Path) -> str:
    if asked.step == "check":
        version = check(root, asked.tag)
        return f"version={version.text}\ntag={version.tag}"
    version = Version.of_source_tag(asked.tag)
    return notes(root, version) if asked.step == "notes" else publish(root, version, asked.image)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path.cwd()))
