"""run_worker on real programs: what they see, how they end, and what is left of them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.core.model import Missing
from gate.worker.run import WorkerFailure, WorkerOutput, WorkerResult, run_worker

REPOSITORY = Path(__file__).parents[3]
IS_ROOT = os.geteuid() == 0
READ_ENVIRON = """
import sys
try:
    print("read", b"planted-secret" in open(f"/proc/{sys.argv[1]}/environ", "rb").read())
except PermissionError as error:
    print("refused")
"""
# Sleepers that flee in every way: plainly, by setsid, doubly forked, and with an emptied environment.
FLEE = """
import os, sys, time
def flee(way):
    if os.fork():
        return
    if way % 4 > 0:
        os.setsid()
    if way % 4 > 1 and os.fork():
        os._exit(0)
    if way % 4 == 3:
        os.execve("/bin/sh", ["sh", "-c", f"sleep {sys.argv[1]}; exit 0"], {})
    os.execvp("sleep", ["sleep", sys.argv[1]])
for way in range(20):
    flee(way)
time.sleep(0.3)
print("fled", flush=True)
if sys.argv[2] == "stay":
    time.sleep(60)
"""


GATE = """
import sys
sys.path.insert(0, sys.argv[1])
from gate.worker.run import run_worker
result = run_worker([sys.executable, "-c", *sys.argv[2:]], "", cwd=sys.argv[1], timeout_s=20)
print(getattr(result, "text", result), end="")
"""
CHILD = """
import os, sys
status = open("/proc/self/status").read()
names = ("CapInh:", "CapPrm:", "CapEff:", "CapAmb:")
held = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(names)]
print(os.getresuid(), os.getresgid(), os.getgroups(), held)
open(os.path.join(os.environ["HOME"], "mine"), "w").close()
for pid in (sys.argv[1], os.getppid()):
    try:
        open(f"/proc/{pid}/environ", "rb").read()
        print("read")
    except PermissionError:
        print("refused")
os.spawnlp(os.P_NOWAIT, "setsid", "setsid", "sleep", sys.argv[2])
"""


@pytest.fixture(scope="module")
def secret_holder() -> Iterator[int]:
    """Stand in for a runner's process: same user, ordinary privileges, a secret in its environment."""
    holder = subprocess.Popen(["sleep", "300"], env={"PATH": os.environ["PATH"], "KEY": "planted-secret"})
    yield holder.pid
    holder.kill()
    holder.wait()


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Start a child of this process that is no worker."""
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def run_python(code: str, *arguments: str, message: str = "", **options: object) -> WorkerResult:
    settings = {"cwd": REPOSITORY, "timeout_s": 20.0} | options
    return run_worker([sys.executable, "-c", code, *arguments], message, **settings)  # type: ignore[arg-type]


def unique(seconds: int) -> str:
    """Make a time to sleep that tells this run of the tests from others on the machine."""
    return f"{seconds}.{os.getpid()}"


def sleepers(seconds: str) -> list[str]:
    return [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if seconds.encode() in read_or_nothing(path) and b"sleep" in read_or_nothing(path)
    ]


def read_or_nothing(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_run_worker__echoes_the_message() -> None:
    message = "grüße\n" * 40_000
    assert run_worker(["cat"], message, cwd=REPOSITORY, timeout_s=20) == WorkerOutput(text=message)


def test_run_worker__does_not_need_the_program_to_read() -> None:
    result = run_worker(["echo", "hi"], "x" * 500_000, cwd=REPOSITORY, timeout_s=20)
    assert result == WorkerOutput(text="hi\n")


def test_run_worker__shows_only_the_listed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GITHUB_OUTPUT",
        "GITHUB_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "RUNNER_TEMP",
        "INPUT_KEY",
        "OPENAI_API_KEY",
    ):
        monkeypatch.setenv(name, "planted-secret")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    for name in ("LANG", "LC_ALL"):
        monkeypatch.setenv(name, "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")
    code = "import os, json; print(json.dumps(dict(os.environ)))"
    result = run_python(code, extra_env={"OFFERED": "yes"})
    assert isinstance(result, WorkerOutput)
    seen = json.loads(result.text)
    assert seen.keys() == {"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "HOME", "OFFERED"}
    assert seen["TMPDIR"] == seen["HOME"]
    assert not Path(seen["TMPDIR"]).exists()


def test_run_worker__gives_a_private_folder_that_can_be_written() -> None:
    code = """
import os, stat, tempfile
home = os.environ["HOME"]
tempfile.NamedTemporaryFile(delete=False).write(b"x")
print(oct(stat.S_IMODE(os.stat(home).st_mode)), len(os.listdir(home)))
"""
    assert run_python(code) == WorkerOutput(text="0o700 1\n")


def test_run_worker__hides_the_gates_environment() -> None:
    code = READ_ENVIRON.replace("sys.argv[1]", "__import__('os').getppid()")
    assert run_python(code) == WorkerOutput(text="refused\n")


@pytest.mark.skipif(not IS_ROOT, reason="a process of an ordinary user can read that user's other processes")
def test_run_worker__hides_the_environment_of_other_processes_of_root(secret_holder: int) -> None:
    free = subprocess.run(
        [sys.executable, "-c", READ_ENVIRON, str(secret_holder)], capture_output=True, text=True, check=True
    )
    assert free.stdout == "read True\n"
    assert run_python(READ_ENVIRON, str(secret_holder)) == WorkerOutput(text="refused\n")


def test_run_worker__leaves_no_privileges() -> None:
    code = """
for line in open("/proc/self/status"):
    name, _, value = line.partition(":")
    if name in {"CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs"}:
        print(name, int(value, 16))
"""
    assert run_python(code) == WorkerOutput(text="CapInh 0\nCapPrm 0\nCapEff 0\nCapAmb 0\nNoNewPrivs 1\n")


@pytest.mark.skipif(not IS_ROOT, reason="needs root")
def test_run_worker__cannot_regain_privileges_by_a_setuid_program(tmp_path: Path) -> None:
    copy = Path(shutil.copy(shutil.which("cat") or "cat", tmp_path / "cat"))
    copy.chmod(0o4755)
    result = run_worker(["sh", "-c", f"{copy} /proc/self/status | grep CapEff"], "", cwd=tmp_path, timeout_s=20)
    assert result == WorkerOutput(text="CapEff:\t0000000000000000\n")


@pytest.mark.skipif(not IS_ROOT, reason="needs root")
@pytest.mark.parametrize("gate_user", [None, 65534])
def test_run_worker__becomes_nobody_and_sees_nothing_of_the_gate(secret_holder: int, gate_user: int | None) -> None:
    """The gate runs on an interpreter that everybody can reach; for an ordinary user its worker has the same user."""
    interpreter = next((path for path in ("/usr/local/bin/python3", "/usr/bin/python3") if recent(path)), None)
    if interpreter is None:
        pytest.skip("needs an interpreter that everybody can execute")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(REPOSITORY / "gate", Path(folder, "gate"), ignore=shutil.ignore_patterns("__pycache__"))
        done = subprocess.run(
            [interpreter, "-B", "-c", GATE, folder, CHILD, str(secret_holder), unique(7201)],
            env={"PATH": os.environ["PATH"], "KEY": "planted-secret"},
            cwd=folder,
            user=gate_user,
            group=gate_user,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=True,
        )
    ids = "(65534, 65534, 65534)"
    assert done.stdout == f"{ids} {ids} [] [0, 0, 0, 0]\nrefused\nrefused\n"
    assert sleepers(unique(7201)) == []


def recent(path: str) -> bool:
    if not Path(path).exists() or not Path(path).resolve().stat().st_mode & 1:
        return False
    version = subprocess.run(
        [path, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True, check=True
    )
    return version.stdout == b"True\n"


def test_run_worker__inherits_no_open_file() -> None:
    with tempfile.TemporaryFile() as opened:
        os.set_inheritable(opened.fileno(), True)
        code = """
import os
found = [int(name) for name in os.listdir("/proc/self/fd")]
print([n for n in found if n > 2 and os.path.exists(f"/proc/self/fd/{n}")])
"""
        assert run_python(code) == WorkerOutput(text="[]\n")


def test_run_worker__limits_files_and_descriptors() -> None:
    code = """
import resource as r
limits = (r.RLIMIT_CORE, r.RLIMIT_NOFILE, r.RLIMIT_AS, r.RLIMIT_FSIZE)
print([r.getrlimit(limit)[1] for limit in limits])
"""
    expected = WorkerOutput(text=f"[0, 256, {2**30}, {2**26 - 1}]\n")
    assert run_python(code, memory_bytes=2**30) == expected


def test_run_worker__names_an_early_end() -> None:
    expected = WorkerFailure(reason=Missing.DIED, detail="ended with exit code 0 without an answer")
    assert run_python("import os; os._exit(0)") == expected


def test_run_worker__shows_the_end_of_stderr_escaped() -> None:
    code = "import sys; sys.stderr.write('x' * 5000 + 'a\\x1b[31m\\n::error::b'); sys.exit(3)"
    result = run_python(code)
    assert isinstance(result, WorkerFailure)
    end = r"a\x1b[31m\n::error::b"
    assert result.reason is Missing.DIED
    assert result.detail == f"ended with exit code 3: {'x' * 283}{end}"


def test_run_worker__names_a_signal() -> None:
    result = run_worker(["sh", "-c", "echo half; kill -SEGV $$"], "", cwd=REPOSITORY, timeout_s=20)
    assert result == WorkerFailure(reason=Missing.DIED, detail="ended by SIGSEGV", partial="half\n")


def test_run_worker__names_a_program_that_cannot_start() -> None:
    result = run_worker(["no-such-program"], "", cwd=REPOSITORY, timeout_s=20)
    assert isinstance(result, WorkerFailure)
    assert result.reason is Missing.DIED
    assert result.detail.startswith("ended with exit code 127: cannot start 'no-such-program': ")


@pytest.mark.parametrize(("argv", "folder"), [(["cat"], "/no/such/folder"), (["a\0b"], "/")])
def test_run_worker__names_what_cannot_be_launched(argv: list[str], folder: str) -> None:
    result = run_worker(argv, "", cwd=folder, timeout_s=20)
    assert isinstance(result, WorkerFailure)
    assert result.reason is Missing.DIED
    assert result.detail.startswith(f"cannot run {argv[0]!r} in {folder!r}: ")


def test_run_worker__stops_at_the_time_limit() -> None:
    result = run_worker(["sh", "-c", f"echo half; sleep {unique(7202)}"], "", cwd=REPOSITORY, timeout_s=0.5)
    assert result == WorkerFailure(reason=Missing.TIMED_OUT, detail="no answer within 0.5 s", partial="half\n")
    assert sleepers(unique(7202)) == []


def test_run_worker__stops_a_flood() -> None:
    result = run_worker(["yes"], "", cwd=REPOSITORY, timeout_s=20, max_output=10)
    detail = "the output is over the limit of 10 bytes"
    assert result == WorkerFailure(reason=Missing.TOO_LARGE, detail=detail, partial="y\n" * 5)


def test_run_worker__keeps_output_at_the_limit() -> None:
    assert run_worker(["printf", "12345"], "", cwd=REPOSITORY, timeout_s=20, max_output=5) == WorkerOutput(text="12345")
    result = run_worker(["printf", "123456"], "", cwd=REPOSITORY, timeout_s=20, max_output=5)
    assert isinstance(result, WorkerFailure)
    assert result.reason is Missing.TOO_LARGE


def test_run_worker__survives_a_flood_of_errors() -> None:
    result = run_worker(["sh", "-c", "yes >&2 & sleep 0.2; echo done"], "", cwd=REPOSITORY, timeout_s=20)
    assert result == WorkerOutput(text="done\n")


def test_run_worker__refuses_what_is_not_utf_8() -> None:
    result = run_worker(["printf", r"ab\377"], "", cwd=REPOSITORY, timeout_s=20)
    detail = "the output is not UTF-8 at byte 2"
    assert result == WorkerFailure(reason=Missing.MALFORMED, detail=detail, partial="ab\ufffd")


def test_run_worker__passes_lone_surrogates_on() -> None:
    code = "import sys; print(ascii(sys.stdin.buffer.read()))"
    assert run_python(code, message="\ud800") == WorkerOutput(text="b'\\xed\\xa0\\x80'\n")


@pytest.mark.parametrize(("end", "timeout_s"), [("go", 20.0), ("stay", 2.0)])
def test_run_worker__leaves_no_process(end: str, timeout_s: float) -> None:
    seconds = unique(7203 if end == "go" else 7204)
    result = run_python(FLEE, seconds, end, timeout_s=timeout_s)
    assert (result.text if isinstance(result, WorkerOutput) else result.partial) == "fled\n"
    assert sleepers(seconds) == []


def test_run_worker__spares_other_children_and_other_workers(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    """Another worker's doubly forked child, and a child of ours that is no worker, outlive this worker."""
    other: list[WorkerResult] = []
    to_orphan, from_orphan, to_worker = (tmp_path / name for name in ("to-orphan", "from-orphan", "to-worker"))
    for pipe in (to_orphan, from_orphan, to_worker):
        os.mkfifo(pipe)
    script = f"(setsid sh -c 'cat {to_orphan} > {from_orphan}' &); exec cat {to_worker}"
    thread = threading.Thread(
        target=lambda: other.append(run_worker(["sh", "-c", script], "", cwd=tmp_path, timeout_s=30))
    )
    thread.start()
    # Opening a pipe waits for its other end: the other worker's child is there now.
    with from_orphan.open() as answer:
        with to_orphan.open("w") as question:
            for _ in range(3):
                run_python(FLEE, unique(7205), "go")
            question.write("alive")
        assert answer.read() == "alive"
    with to_worker.open("w") as question:
        question.write("alive too")
    thread.join()
    assert other == [WorkerOutput(text="alive too")]
    assert bystander.poll() is None
    assert sleepers(unique(7205)) == []


def test_run_worker__works_in_many_threads() -> None:
    results: list[WorkerResult] = []
    threads = [
        threading.Thread(
            target=lambda n=n: results.append(run_worker(["echo", str(n)], "", cwd=REPOSITORY, timeout_s=30))
        )
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(result.text) for result in results if isinstance(result, WorkerOutput)) == list(range(12))
