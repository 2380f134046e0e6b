"""A real Ray cluster of several nodes on this machine, in a process of its own that ends it, too.

    with ray_cluster(nodes=3) as cluster:
        ... "--engine", "ray", "--address", cluster.address ...
        cluster.kill_node()  # as a machine that loses its power

Run as a program it is that process: prints the address, and obeys lines on standard input.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KILL, KILLED = "kill", "killed"
BUSY = re.compile(rb"ray::[A-Za-z]+\.run")
PATIENCE_S = 10
# A machine that does much else at the time is slow to say that it lives; one that is dead refuses at once.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_health_check_timeout_ms": "60000"}
SMALLEST_STORE = 80 * 2**20


@dataclass(frozen=True)
class RayCluster:
    """A running cluster; the head is a node like the others, and is never killed."""

    address: str
    process: subprocess.Popen[str]

    def kill_node(self) -> None:
        """Kill one node that is at work at once, with all that runs there."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{KILL}\n")
        self.process.stdin.flush()
        assert self.read() == KILLED

    def read(self) -> str:
        """The next line that the process says; what Ray itself prints is passed over."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "rig:":
                return rest
        raise AssertionError("the cluster ended")


@contextmanager
def ray_cluster(nodes: int) -> Iterator[RayCluster]:
    """Run a cluster until the end of the block."""
    # Short, because the paths of sockets below may have 107 characters.
    folder = tempfile.mkdtemp(prefix="ray-")
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.rigs.ray_cluster", str(nodes)),
        cwd=ROOT,
        env={**os.environ, **QUIET, "RAY_TMPDIR": folder, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        cluster = RayCluster("", process)
        yield RayCluster(cluster.read(), process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def tell(text: str) -> None:
    sys.stdout.write(f"rig: {text}\n")
    sys.stdout.flush()


def workers_of(node: Any) -> list[int]:
    """Process ids of what the node has started."""
    found: list[int] = []
    for entry in node.all_processes["raylet"]:
        children = Path(f"/proc/{entry.process.pid}/task/{entry.process.pid}/children").read_text()
        found += map(int, children.split())
    return found


def is_busy(node: Any) -> bool:
    """Whether the node runs an actor's method right now: Ray writes it where a process has its command line."""
    for pid in workers_of(node):
        with suppress(OSError):
            if BUSY.match(Path(f"/proc/{pid}/cmdline").read_bytes()):
                return True
    return False


def busy_node(nodes: list[Any]) -> Any:
    """Wait for a node that has something to lose; the last one where none is seen at work for a while."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for node in nodes:
            if is_busy(node):
                return node
        time.sleep(0.02)
    return nodes[-1]


def cut_power(node: Any) -> None:
    """Kill the node's workers, which would outlive it for a moment, and could still answer."""
    for pid in workers_of(node):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main(count: int) -> None:
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": SMALLEST_STORE}
    # Its address file lies there, and nobody else would make the folder.
    (Path(os.environ["RAY_TMPDIR"]) / "ray").mkdir(exist_ok=True)
    cluster = Cluster(initialize_head=True, head_node_args=options)
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=SMALLEST_STORE) for _ in range(count - 1)]
    cluster.wait_for_nodes()
    tell(cluster.address)
    for line in sys.stdin:
        if line.strip() == KILL:
            node = busy_node(nodes)
            nodes.remove(node)
            cut_power(node)
            cluster.remove_node(node, allow_graceful=False)
            tell(KILLED)
    cluster.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
