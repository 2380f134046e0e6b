"""A version of the action from its source tag on: what is refused, and what is pushed, with real git repositories."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gate import __version__
from tests.rigs.repository import IDENTITY, Repository, new_repository

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "release.py"
IMAGE = "ghcr.io/acme/lockgate@sha256:" + "a1" * 32
ACTION = (ROOT / "action.yml").read_text(encoding="utf-8")
CHANGES = "# Changelog\n\n## [Unreleased]\n\n- Later.\n\n## [{}] - 2026-11-20\n\n### Added\n\n- This.\n\n## [0.0.1] - 2026-01-01\n\n- That.\n"


def files(version: str) -> dict[str, str | None]:
    return {
        "gate/__init__.py": f'"""Words."""\n\n__version__ = "{version}"\n',
        "CHANGELOG.md": CHANGES.format(version),
        "action.yml": ACTION,
        ".github/workflows/ci.yml": "name: ci\n",
    }


@pytest.fixture
def remote(tmp_path: Path) -> Repository:
    path = tmp_path / "remote.git"
    subprocess.run(("git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)), check=True)
    return Repository(path)


@pytest.fixture
def source(tmp_path: Path, remote: Repository) -> Repository:
    """The checkout of a maintainer."""
    made = new_repository(tmp_path / "source")
    made.git("remote", "add", "origin", str(remote.path))
    return made


def tag(source: Repository, version: str, *, change: dict[str, str | None] | None = None) -> Repository:
    """Land a version on main, tag it as the source of a release, and return the workflow's checkout of that tag."""
    source.commit(files(version) | (change or {}), f"Version {version}")
    source.git("tag", f"src/v{version}")
    source.git("push", "--quiet", "--tags", "origin", "HEAD:refs/heads/main")
    return checkout(source, version)


def checkout(source: Repository, version: str) -> Repository:
    place = source.path.parent / f"checkout-{len(list(source.path.parent.iterdir()))}"
    source.git("clone", "--quiet", str(source.path.parent / "remote.git"), str(place))
    made = Repository(place)
    made.git("checkout", "--quiet", "--detach", f"src/v{version}")
    return made


def release(at: Repository, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        (sys.executable, "-I", str(SCRIPT), *words), cwd=at.path, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def tags(remote: Repository) -> dict[str, str]:
    lines = remote.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/tags").splitlines()
    return {name: sha for name, sha in (line.split() for line in lines) if not name.startswith("src/")}


def test_check__tells_the_version(source: Repository) -> None:
    at = tag(source, "1.2.3")
    assert release(at, "check", "src/v1.2.3") == (0, "version=1.2.3\ntag=v1.2.3\n", "")


def test_check__this_repositorys_own_files_are_read_once_they_are_dated(source: Repository) -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    dated = re.sub(rf"(?m)^## \[{re.escape(__version__)}\] - .*$", f"## [{__version__}] - 2026-11-20", text)
    own = (ROOT / "gate" / "__init__.py").read_text(encoding="utf-8")
    at = tag(source, __version__, change={"gate/__init__.py": own, "CHANGELOG.md": dated})
    assert release(at, "check", f"src/v{__version__}") == (0, f"version={__version__}\ntag=v{__version__}\n", "")


@pytest.mark.parametrize("name", ["v1.2.3", "src/v1.2", "src/v1.2.3-rc1", "src/v01.2.3", "src/v1.2.3\nx", "src/1.2.3"])
def test_check__tag_that_does_not_fit(source: Repository, name: str) -> None:
    at = tag(source, "1.2.3")
    told = f"not released: the tag {name!r} is not src/vX.Y.Z with three numbers\n"
    assert release(at, "check", name) == (1, "", told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"gate/__init__.py": '__version__ = "1.2.2"\n'}, "gate/__init__.py has the version 1.2.2, not 1.2.3"),
        ({"gate/__init__.py": "x = 1\n"}, "gate/__init__.py has the version none, not 1.2.3"),
        (
            {"CHANGELOG.md": "# Changelog\n\n## [1.2.3] - Unreleased\n\n- This.\n"},
            "CHANGELOG.md has no section '## [1.2.3] - YYYY-MM-DD' with something in it",
        ),
        (
            {"CHANGELOG.md": "## [1.2.3] - 2026-11-20\n\n## [1.2.2] - 2026-11-19\n\n- That.\n"},
            "CHANGELOG.md has no section '## [1.2.3] - YYYY-MM-DD' with something in it",
        ),
        (
            {"action.yml": ACTION.replace("image: Dockerfile", f"image: docker://{IMAGE}")},
            "action.yml does not have the one line 'image: Dockerfile'",
        ),
    ],
)
def test_check__file_that_does_not_fit(source: Repository, change: dict[str, str | None], told: str) -> None:
    at = tag(source, "1.2.3", change=change)
    assert release(at, "check", "src/v1.2.3") == (1, "", f"not released: {told}\n")


def test_check__commit_that_is_not_on_main(source: Repository) -> None:
    tag(source, "1.2.2")
    source.commit(files("1.2.3"))
    source.git("tag", "src/v1.2.3")
    source.git("push", "--quiet", "--tags", "origin")
    told = "not released: the tagged commit is not on origin/main\n"
    assert release(checkout(source, "1.2.3"), "check", "src/v1.2.3") == (1, "", told)


def test_check__older_commit_of_main(source: Repository) -> None:
    tag(source, "1.2.3")
    source.commit({"README.md": "later\n"})
    source.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    assert release(checkout(source, "1.2.3"), "check", "src/v1.2.3")[0] == 0
    source.commit({".github/workflows/ci.yml": "name: other\n"})
    source.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    told = (
        "not released: .github/workflows has changed on origin/main since the tagged commit: release a newer commit\n"
    )
    assert release(checkout(source, "1.2.3"), "check", "src/v1.2.3") == (1, "", told)


def test_check__version_that_is_released_already(source: Repository) -> None:
    release(tag(source, "1.2.3"), "publish", "src/v1.2.3", IMAGE)
    told = "not released: v1.2.3 is released already, and a release is not replaced\n"
    assert release(checkout(source, "1.2.3"), "check", "src/v1.2.3") == (1, "", told)


def test_check__names_everything_at_once(source: Repository) -> None:
    at = tag(source, "1.2.3", change={"gate/__init__.py": "x = 1\n", "CHANGELOG.md": "# Changelog\n"})
    code, _, told = release(at, "check", "src/v1.2.3")
    assert (code, len(told.splitlines())) == (1, 2)


def test_notes__are_the_section_of_the_version(source: Repository) -> None:
    assert release(tag(source, "1.2.3"), "notes", "src/v1.2.3") == (0, "### Added\n\n- This.\n", "")


def test_publish__writes_the_digest_and_moves_the_major_tag(source: Repository, remote: Repository) -> None:
    first = release(tag(source, "1.2.2"), "publish", "src/v1.2.2", IMAGE)[1].strip()
    other = IMAGE.replace("a1", "b2")
    code, printed, told = release(tag(source, "1.2.3"), "publish", "src/v1.2.3", other)
    second = printed.strip()
    assert (code, told) == (0, "")
    assert tags(remote) == {"v1.2.2": first, "v1.2.3": second, "v1": second}
    assert remote.git("diff", "--unified=0", "src/v1.2.3", "v1").splitlines()[-2:] == [
        "-  image: Dockerfile", f"+  image: docker://{other}"
    ]  # fmt: skip
    assert remote.git("diff", "--name-only", "src/v1.2.3", "v1") == "action.yml"
    assert remote.git("rev-parse", "v1^") == remote.git("rev-parse", "main")
    source_id = remote.git("rev-parse", "src/v1.2.3")
    assert remote.git("log", "-1", "--format=%an%n%B", "v1").splitlines() == [
        "github-actions[bot]", "Release v1.2.3", "", f"Source: {source_id}", f"Image: {other}"
    ]  # fmt: skip
    assert yaml.safe_load(remote.git("show", "v1:action.yml"))["runs"] == {
        "using": "docker", "image": f"docker://{other}", "args": ["action"]
    }  # fmt: skip
    assert remote.git("show", "main:action.yml") == ACTION.strip()


def test_publish__again_makes_the_same_commit(source: Repository, remote: Repository) -> None:
    first = release(tag(source, "1.2.3"), "publish", "src/v1.2.3", IMAGE)
    standing = tags(remote)
    assert first[0] == 0
    assert release(checkout(source, "1.2.3"), "publish", "src/v1.2.3", IMAGE) == first
    assert tags(remote) == standing


def test_publish__another_image_under_the_same_version_changes_nothing(source: Repository, remote: Repository) -> None:
    release(tag(source, "1.2.3"), "publish", "src/v1.2.3", IMAGE)
    standing = tags(remote)
    code, _, told = release(checkout(source, "1.2.3"), "publish", "src/v1.2.3", IMAGE.replace("a1", "b2"))
    assert code == 1
    assert told.startswith("not released: git push: ")
    assert tags(remote) == standing


def test_publish__late_fix_of_an_older_version_leaves_the_major_tag(source: Repository, remote: Repository) -> None:
    newest = release(tag(source, "1.10.0"), "publish", "src/v1.10.0", IMAGE)[1].strip()
    release(tag(source, "1.9.1"), "publish", "src/v1.9.1", IMAGE)
    release(tag(source, "2.0.0"), "publish", "src/v2.0.0", IMAGE)
    standing = tags(remote)
    assert standing["v1"] == newest
    assert standing["v2"] == standing["v2.0.0"]
    assert sorted(standing) == ["v1", "v1.10.0", "v1.9.1", "v2", "v2.0.0"]


@pytest.mark.parametrize(
    "image",
    [
        "",
        "ghcr.io/acme/lockgate:v1",
        "ghcr.io/acme/lockgate@sha256:a1",
        IMAGE + "\n",
        "evil.example/acme/x@sha256:" + "a" * 64,
    ],
)
def test_publish__image_without_a_digest(source: Repository, remote: Repository, image: str) -> None:
    code, _, told = release(tag(source, "1.2.3"), "publish", "src/v1.2.3", image)
    assert (code, told) == (1, f"not released: {image!r} is not ghcr.io/OWNER/NAME@sha256: with 64 digits\n")
    assert tags(remote) == {}


def test_publish__released_action_follows_githubs_schema(source: Repository, tmp_path: Path) -> None:
    at = tag(source, "1.2.3")
    assert release(at, "publish", "src/v1.2.3", IMAGE)[0] == 0
    tool = str(Path(sys.executable).with_name("check-jsonschema"))
    command = (tool, "--builtin-schema", "vendor.github-actions", str(at.path / "action.yml"))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout
    assert IDENTITY["GIT_AUTHOR_NAME"] not in at.git("log", "-1", "--format=%an")
