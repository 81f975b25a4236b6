"""The whole service on this machine: PostgreSQL, Redis, a Dask scheduler with workers, processes of the app, and nginx before them."""

from __future__ import annotations

import contextlib
import math
import os
import pwd
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.paths import ROOT
from deploy.endurance.programs import (
    DEBIAN_PACKAGES,
    Process,
    Program,
    Start,
    find,
    free_port,
    listens,
    processor_seconds,
    start_command,
    start_python,
)

TEMPLATE = ROOT / "deploy" / "servers" / "nginx.conf.template"
UNPRIVILEGED = "postgres"  # PostgreSQL refuses to run as root
WORKER_NICENESS = 5  # workers stand for other machines: requests come first where all share this one
WORKER_OPTIONS = ("--no-nanny", "--nthreads", "2", "--memory-limit", "0", "--no-dashboard")
Keep = Callable[[Program], Program]  # ends the program with the service
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy between this machine and itself


class App(Program):
    """One process of the app, with the processor time that it has used, apart from that of its starts. is_up: whether it was ready."""

    def __init__(self, name: str, start: Start, arguments: Sequence[str], port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._served, self._at_ready, self.is_up = 0.0, 0.0, False
        self.start_seconds = 0.0  # of processor time, until it was ready
        super().__init__(name, lambda: start(arguments, log), lambda: _answers(f"{self.url}/healthz"), log)

    @property
    def served_seconds(self) -> float:
        """Of processor time so far, spent on requests and on what goes on beside them."""
        return self._served + max(processor_seconds(self.pid) - self._at_ready, 0.0)

    def wait_until_ready(self) -> None:
        """As of `Program`."""
        super().wait_until_ready()
        self._at_ready, self.is_up = processor_seconds(self.pid), True
        self.start_seconds += self._at_ready

    def kill(self) -> None:
        """With SIGKILL."""
        self._served, self._at_ready, self.is_up = self.served_seconds, math.inf, False
        super().kill()

    def start_again(self) -> None:
        """As of `Program`; a thread notices when it is ready."""
        super().start_again()
        threading.Thread(target=self._notice, daemon=True).start()

    def _notice(self) -> None:
        with contextlib.suppress(RuntimeError):  # killed again, or the end has come
            self.wait_until_ready()


@dataclass(frozen=True)
class Service:
    """url: nginx's; database: of PostgreSQL; data_dir: of all processes of the app; others: between raters and apps, and behind the apps."""

    url: str
    database: str
    data_dir: Path
    apps: Sequence[App]
    workers: Sequence[Program]
    others: Sequence[Program]


@contextlib.contextmanager
def service(folder: Path, apps: int = 3, workers: int = 2, start: Start = start_python) -> Iterator[Service]:
    """Runs it in the folder, on free ports. start: starts a Python of this project with arguments.

    Errors: ValueError for a program that is not installed; RuntimeError for one that does not start.
    """
    with contextlib.ExitStack() as running:
        # Of its own: no other user, such as PostgreSQL's, needs a way through the folder
        place = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="endurance-postgresql-")))

        def keep(program: Program) -> Program:
            running.callback(program.stop)
            return program

        database, postgresql = _postgresql(place, folder / "postgresql.log", keep)
        redis, counts = redis_server(folder)
        keep(counts).wait_until_ready()
        cluster, head = scheduler(folder, start)
        keep(head).wait_until_ready()
        processes = [keep(worker(folder, f"worker {number + 1}", cluster, start)) for number in range(workers)]
        data_dir = folder / "data"
        data_dir.mkdir()
        shared = ["--data-dir", str(data_dir), "--database", database, "--redis", redis, "--dask", cluster]
        found = []
        for number in range(apps):
            port = free_port()
            arguments = ["app.py", "--port", str(port), *shared]
            app = App(f"app {number + 1}", start, arguments, port, folder / f"app-{number + 1}.log")
            running.callback(app.stop)
            found.append(app)
        for program in (*found, *processes):
            program.wait_until_ready()
        url, nginx = _nginx(folder, [app.url for app in found], keep)
        yield Service(url, database, data_dir, found, processes, (postgresql, nginx))


def _postgresql(place: Path, log: Path, keep: Keep) -> tuple[str, Program]:
    """(its address, the server). place: an empty folder that becomes its own."""
    port, postgres = free_port(), find("postgres")
    if os.geteuid() == 0:
        entry = pwd.getpwnam(UNPRIVILEGED)
        os.chown(place, entry.pw_uid, entry.pw_gid)
    initdb = [str(Path(postgres).with_name("initdb")), "-D", str(place), "-U", "lab", "-A", "trust", "-E", "UTF8", "-N"]
    if start_command(initdb, log, UNPRIVILEGED).wait():
        raise RuntimeError(f"initdb failed: {log.read_text()[-2000:]}")
    command = [postgres, "-D", str(place), "-p", str(port), "-k", str(place), "-c", "listen_addresses=127.0.0.1"]
    address = f"postgresql://lab@127.0.0.1:{port}/postgres"
    program = Program("PostgreSQL", lambda: start_command(command, log, UNPRIVILEGED), lambda: _accepts(address), log)
    keep(program).wait_until_ready()
    return address, program


def redis_server(folder: Path) -> tuple[str, Program]:
    """(its address, a Redis that keeps nothing on the disk), with its log in the folder."""
    port, log = free_port(), folder / "redis.log"
    command = [find("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    program = Program("Redis", lambda: start_command(command, log), lambda: listens(port), log)
    return f"redis://127.0.0.1:{port}/0", program


def worker(folder: Path, name: str, scheduler: str, start: Start = start_python) -> Program:
    """A worker of the cluster with that scheduler, and its log in the folder."""
    port, log = free_port(), folder / f"{name.replace(' ', '-')}.log"
    place = ["--worker-port", str(port), "--host", "127.0.0.1", "--local-directory", str(folder)]
    arguments = ["-m", "dask", "worker", scheduler, *WORKER_OPTIONS, *place]

    def start_nicely() -> Process:
        process = start(arguments, log)
        os.setpriority(os.PRIO_PROCESS, process.pid, WORKER_NICENESS)
        return process

    return Program(name, start_nicely, lambda: listens(port), log)


def scheduler(folder: Path, start: Start = start_python) -> tuple[str, Program]:
    """(its address, the scheduler of a cluster), with its log in the folder."""
    port, log = free_port(), folder / "scheduler.log"
    arguments = ["-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    return f"tcp://127.0.0.1:{port}", Program("scheduler", lambda: start(arguments, log), lambda: listens(port), log)


def _nginx(folder: Path, apps: Sequence[str], keep: Keep) -> tuple[str, Program]:
    port, log = free_port(), folder / "nginx.log"
    servers = " ".join(f"server {url.removeprefix('http://')} max_fails=1 fail_timeout=2s;" for url in apps)
    (folder / "lab.conf").write_text(filled(TEMPLATE.read_text("utf-8"), f"127.0.0.1:{port}", servers), "utf-8")
    temporary = "\n".join(f"{kind}_temp_path {folder}/nginx-{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\nworker_processes 1;\nevents {{ worker_connections 4096; }}\n"
        f"http {{\naccess_log off;\nclient_body_temp_path {folder}/nginx-body;\n{temporary}\ninclude {folder}/lab.conf;\n}}\n",
        "utf-8",
    )
    command = [find("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    if os.geteuid() == 0:
        command += ["-g", "user root;"]  # the temporary folder is root's
    program = keep(Program("nginx", lambda: start_command(command, log), lambda: listens(port), log))
    program.wait_until_ready()
    return f"http://127.0.0.1:{port}", program


def filled(template: str, listen: str, servers: str) -> str:
    """nginx's configuration as its image makes it of the template: only these two variables are its own."""
    return template.replace("${LAB_LISTEN}", listen).replace("${LAB_SERVERS}", servers)


def missing_packages() -> list[str]:
    """Debian packages of the programs that are not installed."""
    missing = []
    for name, package in DEBIAN_PACKAGES.items():
        try:
            find(name)
        except ValueError:
            missing.append(package)
    return missing


def _answers(url: str) -> bool:
    try:
        with _OPENER.open(url, timeout=5) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False


def _accepts(address: str) -> bool:
    import psycopg

    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
