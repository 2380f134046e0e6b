"""Commits are read from real repositories, hostile ones included."""

from pathlib import Path

import pytest

from gate.errors import ConfigurationError
from gate.forge.git import Git, GitTree
from tests.rigs.repository import Repository, new_repository, pull_request_checkout

BASE = {"gate.yaml": "version: 1\n", "baselines/a/x.json": "base\n", "baselines/b.json": "b\n", "old.txt": "o\n"}
CHANGE = {
    "gate.yaml": "version: 1\nmode: advisory\n",
    "baselines/a/x.json": "forged\n",
    "old.txt": None,
    "new é\n.txt": "n",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Repository:
    return pull_request_checkout(tmp_path, base=BASE, change=CHANGE)[0]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return new_repository(tmp_path / "repository")


def test_git_tree__reads_the_base_not_what_the_pull_request_says(checkout: Repository) -> None:
    tree = GitTree(Git(checkout.path), "HEAD^1")
    assert tree.read("baselines/a/x.json") == b"base\n"
    assert tree.read("./baselines//b.json") == b"b\n"
    assert GitTree(Git(checkout.path), "HEAD").read("baselines/a/x.json") == b"forged\n"
    assert tree.name == f"HEAD^1 ({checkout.git('rev-parse', 'HEAD^1')[:12]})"


def test_git_tree__absent_is_none(checkout: Repository) -> None:
    tree = GitTree(Git(checkout.path), "HEAD^1")
    assert [tree.read(path) for path in ("nothing", "gate.yaml/below", "", "*.yaml", ":(top)gate.yaml")] == [None] * 5


def test_git_tree__lists_all_files_below_a_folder(checkout: Repository) -> None:
    tree = GitTree(Git(checkout.path), "HEAD^1")
    assert tree.list("baselines") == ("baselines/a/x.json", "baselines/b.json")
    assert tree.list(".") == ("baselines/a/x.json", "baselines/b.json", "gate.yaml", "old.txt")
    assert tree.list("nothing") == tree.list("gate.yaml") == tree.list("base") == ()
    assert "new é\n.txt" in GitTree(Git(checkout.path), "HEAD").list("")


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", ".git/config", "a/.GIT/x", "a\0b"])
def test_git_tree__unsafe_paths_are_refused(checkout: Repository, path: str) -> None:
    tree = GitTree(Git(checkout.path), "HEAD")
    for read in (tree.read, tree.list):
        with pytest.raises(ConfigurationError, match="leaves the repository"):
            read(path)


def test_git_tree__folder_and_symlink_are_not_files(repository: Repository) -> None:
    (repository.path / "link").symlink_to("/etc/passwd")
    repository.commit({"folder/x": "x"})
    tree = GitTree(Git(repository.path), "main")
    for path in ("link", "folder"):
        with pytest.raises(ConfigurationError, match=f'"{path}" at main .* is not a regular file'):
            tree.read(path)
    assert tree.list("") == ("folder/x",)


def test_git_tree__empty_and_binary_files_are_exact(repository: Repository) -> None:
    (repository.path / "binary").write_bytes(bytes(range(256)) * 10)
    repository.commit({"empty": ""})
    tree = GitTree(Git(repository.path), "HEAD")
    assert (tree.read("empty"), tree.read("binary")) == (b"", bytes(range(256)) * 10)


def test_git_tree__missing_base_says_how_to_fetch_it(tmp_path: Path) -> None:
    shallow, _ = pull_request_checkout(tmp_path, base=BASE, change=CHANGE, depth=1)
    with pytest.raises(ConfigurationError, match=r'the commit "HEAD\^1" is not in this checkout') as caught:
        GitTree(Git(shallow.path), "HEAD^1")
    assert "fetch-depth: 2" in caught.value.hint


@pytest.mark.parametrize("ref", ["-x", "--output=/tmp/x", "", "a\nb"])
def test_commit__refuses_what_is_not_a_ref(checkout: Repository, ref: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a git ref"):
        Git(checkout.path).commit(ref)


def test_commit__outside_of_a_repository_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'".*" is not a git repository'):
        Git(tmp_path).commit("HEAD")


def test_commit__blob_is_not_a_commit(checkout: Repository) -> None:
    with pytest.raises(ConfigurationError, match="is not in this checkout"):
        Git(checkout.path).commit(checkout.git("rev-parse", "HEAD:gate.yaml"))


def test_parents__of_a_merge_and_of_a_shallow_one(tmp_path: Path) -> None:
    checkout, head = pull_request_checkout(tmp_path / "deep", base=BASE, change=CHANGE)
    assert Git(checkout.path).parents("HEAD") == (checkout.git("rev-parse", "HEAD^1"), head)
    shallow, _ = pull_request_checkout(tmp_path / "shallow", base=BASE, change=CHANGE, depth=1)
    assert Git(shallow.path).parents("HEAD") == ()


def test_changed_files__covers_commits_and_the_working_tree(checkout: Repository) -> None:
    (checkout.path / "untracked.txt").write_text("u")
    (checkout.path / "baselines" / "b.json").write_text("edited")
    changed = Git(checkout.path).changed_files("HEAD^1")
    assert changed == (
        "baselines/a/x.json", "baselines/b.json", "gate.yaml", "new é\n.txt", "old.txt", "untracked.txt"
    )  # fmt: skip


def test_changed_files__rename_is_two_paths(repository: Repository) -> None:
    repository.commit({"a.txt": "same\n" * 20})
    repository.commit({"a.txt": None, "b.txt": "same\n" * 20})
    assert Git(repository.path).changed_files("HEAD^1") == ("a.txt", "b.txt")


def test_export__writes_the_base_versions(checkout: Repository, tmp_path: Path) -> None:
    Git(checkout.path).export("HEAD^1", paths=["baselines", "gate.yaml"], folder=tmp_path / "out")
    written = {str(file.relative_to(tmp_path / "out")): file.read_text() for file in (tmp_path / "out").rglob("*.*")}
    assert written == {"baselines/a/x.json": "base\n", "baselines/b.json": "b\n", "gate.yaml": "version: 1\n"}


def test_export__keeps_the_executable_bit_and_leaves_symlinks_out(repository: Repository, tmp_path: Path) -> None:
    (repository.path / "code").mkdir()
    (repository.path / "code" / "run").write_text("#!/bin/sh\n")
    (repository.path / "code" / "run").chmod(0o755)
    (repository.path / "code" / "link").symlink_to("/etc/passwd")
    repository.commit({"code/data": "d"})
    Git(repository.path).export("HEAD", paths=["code"], folder=tmp_path / "out")
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in (tmp_path / "out" / "code").iterdir()}
    assert modes == {"run": "0o755", "data": "0o644"}


def test_export__missing_path_is_an_error(checkout: Repository, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='"scorers" is not in the commit "HEAD"'):
        Git(checkout.path).export("HEAD", paths=["scorers"], folder=tmp_path)


def test_git__runs_nothing_that_the_repository_configures(repository: Repository, tmp_path: Path) -> None:
    alarm = tmp_path / "alarm"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {alarm}\n")
    program.chmod(0o755)
    repository.commit({"a.txt": "a\n", ".gitattributes": "*.txt diff=evil\n"})
    for name in ("core.fsmonitor", "diff.external", "diff.evil.command", "diff.evil.textconv", "core.pager"):
        repository.git("config", name, str(program))
    (repository.path / "a.txt").write_text("b\n")
    git = Git(repository.path)
    assert git.changed_files("HEAD") == ("a.txt",)
    assert GitTree(git, "HEAD").read("a.txt") == b"a\n"
    assert not alarm.exists()


def test_git__replaced_objects_do_not_count(repository: Repository) -> None:
    first = repository.commit({"policy": "strict"})
    second = repository.commit({"policy": "lax"})
    repository.git("replace", first, second)
    assert GitTree(Git(repository.path), first).read("policy") == b"strict"
