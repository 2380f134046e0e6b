"""WorkingTree on real folders."""

import os
from pathlib import Path

import pytest

from gate.documents.tree import FILE_LIMIT, Tree, WorkingTree
from gate.errors import ConfigurationError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "one.txt").write_bytes(b"1\r\n")
    (folder / "a" / "b" / "two.txt").write_bytes(b"\xff")
    (folder / "top.txt").write_bytes(b"")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_bytes(b"token")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return folder


def refusal(root: Path, path: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        WorkingTree(root).read(path)
    assert caught.value.hint
    return str(caught.value)


def test_read__bytes_as_they_are(root: Path) -> None:
    tree: Tree = WorkingTree(root)
    assert tree.name == "the working tree"
    assert tree.read("a/one.txt") == b"1\r\n"
    assert tree.read("./a/b/two.txt") == b"\xff"
    assert tree.read("top.txt") == b""


@pytest.mark.parametrize("path", ["none.txt", "a/none/x", "top.txt/x"])
def test_read__absent_is_none(root: Path, path: str) -> None:
    assert WorkingTree(root).read(path) is None


@pytest.mark.parametrize("path", ["../secret.txt", "a/../../secret.txt", "/etc/passwd", "a/../top.txt", "a\0b"])
def test_read__path_that_leaves(root: Path, path: str) -> None:
    assert refusal(root, path).endswith('" leaves the repository')


def test_read__symlink_that_leaves(root: Path) -> None:
    (root / "link.txt").symlink_to("../secret.txt")
    (root / "folder").symlink_to("..")
    assert refusal(root, "link.txt") == '"link.txt" leaves the repository'
    assert refusal(root, "folder/secret.txt") == '"folder/secret.txt" leaves the repository'


def test_read__symlink_inside(root: Path) -> None:
    (root / "link.txt").symlink_to("a/one.txt")
    assert WorkingTree(root).read("link.txt") == b"1\r\n"


def test_read__dangling_symlink_is_none(root: Path) -> None:
    (root / "link.txt").symlink_to("nowhere")
    assert WorkingTree(root).read("link.txt") is None


def test_read__symlink_to_itself(root: Path) -> None:
    (root / "loop").symlink_to("loop")
    assert '"loop"' in refusal(root, "loop")


def test_read__root_behind_a_symlink(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert WorkingTree(link).read("a/one.txt") == b"1\r\n"


@pytest.mark.parametrize("path", [".git/config", "a/../.git/config", ".GIT/config"])
def test_read__git_folder(root: Path, path: str) -> None:
    assert refusal(root, path)


def test_read__symlink_into_the_git_folder(root: Path) -> None:
    (root / "link").symlink_to(".git/config")
    assert refusal(root, "link") == '"link" is inside of .git'


def test_read__folder(root: Path) -> None:
    assert refusal(root, "a") == '"a" is not a regular file'


def test_read__pipe_does_not_block(root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert refusal(root, "pipe") == '"pipe" is not a regular file'


def test_read__too_large(root: Path) -> None:
    with (root / "large").open("wb") as stream:
        stream.truncate(FILE_LIMIT + 1)
    assert refusal(root, "large") == '"large" is larger than 67108864 bytes'


def test_read__name_too_long(root: Path) -> None:
    assert refusal(root, "x" * 300).startswith('"xxx')


def test_list__sorted_files_below(root: Path) -> None:
    (root / "a" / "link").symlink_to("..")
    (root / "a" / "b.txt").write_bytes(b"")
    assert WorkingTree(root).list("a") == ("a/b.txt", "a/b/two.txt", "a/one.txt")
    assert WorkingTree(root).list("./a/b/") == ("a/b/two.txt",)


def test_list__everything_but_git(root: Path) -> None:
    assert WorkingTree(root).list(".") == ("a/b/two.txt", "a/one.txt", "top.txt")


def test_list__missing_folder(root: Path) -> None:
    assert WorkingTree(root).list("none") == ()


def test_list__folder_that_leaves(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="leaves the repository"):
        WorkingTree(root).list("..")
