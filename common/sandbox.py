"""A function run in a process of its own that may use only so much memory, time and disk: for files from strangers.

A process that imports PyTorch for one file takes seconds of processor time. So the processes are forked, one for each call,
from a server that has imported what they need and has never opened a file: they find nothing of anybody else.

    run_contained  --- name of a module, one end of a socket --->  listen  --- fork --->  _serve: work(*arguments)
                   --------------------- work, arguments: through that socket ---------->
                   <-------------------- done, or a sentence -----------------------------
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

from common.forks import fork_context
from common.paths import ROOT

MAX_FILE_BYTES = 800_000_000  # twice the largest checkpoint
MAX_MEMORY_BYTES = 2_400_000_000  # torch itself, a checkpoint, its weights as floats, folded, and written
MAX_CPU_SECONDS = 30
MAX_WAIT_SECONDS = 120  # by the clock, on a machine that has other things to do
_MAX_SENTENCE_BYTES = 60_000
_MAX_NAME_BYTES = 1000  # of a module
_DONE, _REFUSED = b"+", b"-"  # first byte of the answer; the sentence follows a refusal
_PROGRAM = "import socket; from common.sandbox import listen; listen(socket.socket(fileno={}))"
_starting = threading.Lock()
_server: socket.socket | None = None


class Refused(ValueError):
    """Raised in the other process for a file that is not taken; the message is a sentence. Raised here with that sentence, or
    with one that says that the process did not come to an end."""


def run_contained(work: Callable[..., None], *arguments: object, name: str = "it") -> None:
    """`work(*arguments)`, of which only what it writes to files comes back: nothing is unpickled here.

    work: a function of a module, which raises `Refused` for a file that is not taken. A constant SANDBOX_IMPORTS of its module
    names what the function would import itself, slowly, in every process; none of it may start a thread. Errors: that refusal, or
    one about `name` when the process came to no end.
    """
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            _ask_for_a_process(work.__module__, theirs)
        ours.settimeout(MAX_WAIT_SECONDS)
        answer = b""
        try:
            ours.sendall(pickle.dumps((work, arguments)))
            ours.shutdown(socket.SHUT_WR)
            while len(answer) <= _MAX_SENTENCE_BYTES and (part := ours.recv(_MAX_SENTENCE_BYTES)):
                answer += part
        except TimeoutError as error:
            raise Refused(f"{name} takes too long to read and was not opened.") from error
        except OSError:
            answer = b""  # it has ended before it answered
    if answer.startswith(_REFUSED):
        raise Refused(answer.removeprefix(_REFUSED).decode("utf-8", "replace"))
    if answer != _DONE:
        raise Refused(f"{name} could not be read within the memory, time and disk allowed, and was not opened.")


def server() -> socket.socket:
    """The connection to this process's server, which is started if need be. A process that is started with it may `use` it, too."""
    global _server
    with _starting:
        if _server is None:
            _server = _start()
        return _server


def use(connection: socket.socket) -> None:
    """From now on, that of another process: multiprocessing forbids some to have children."""
    global _server
    _server = connection


def listen(connection: socket.socket) -> None:
    """The server: a fork for each socket that comes, until nobody can send any more. It has one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the app
    while True:
        message, descriptors, *_ = socket.recv_fds(connection, _MAX_NAME_BYTES, 1)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not message:
            return
        with contextlib.suppress(Exception):  # each fork reports a failure of its own
            module = importlib.import_module(message.decode())  # once, for all forks that follow
            for name in getattr(module, "SANDBOX_IMPORTS", ()):
                importlib.import_module(name)
        with socket.socket(fileno=descriptors[0]) as theirs:
            if os.fork() == 0:
                connection.close()
                _serve(theirs)


def _ask_for_a_process(module: str, theirs: socket.socket) -> None:
    global _server
    for _ in range(2):
        connection = server()
        try:
            socket.send_fds(connection, [module.encode()], [theirs.fileno()])
            return
        except OSError:  # the server has ended, killed for want of memory for example
            with _starting:
                if _server is connection:
                    _server = None
    raise Refused("No process could be started to read it in.")


def _start() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        if multiprocessing.current_process().daemon:  # which multiprocessing forbids children
            program = [sys.executable, "-c", _PROGRAM.format(theirs.fileno())]
            subprocess.Popen(program, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        else:
            fork_context(__name__).Process(target=listen, args=(theirs,), daemon=True).start()
    return ours


def _serve(theirs: socket.socket) -> None:
    """A fork, from its beginning to its end: reads what it is to do from the socket, and leaves its answer there."""
    try:
        signal.alarm(MAX_WAIT_SECONDS)
        _silence()
        with theirs.makefile("rb") as file:
            work, arguments = pickle.load(file)
        _limit_resources()
        try:
            work(*arguments)
            answer = _DONE
        except Refused as refusal:
            answer = _REFUSED + str(refusal).encode("utf-8", "replace")[: _MAX_SENTENCE_BYTES - 1]
        theirs.sendall(answer)
    finally:
        os._exit(0)


def _silence() -> None:
    """What libraries print is nothing for the log."""
    with open(os.devnull, "w") as nothing:
        for stream in (1, 2):
            os.dup2(nothing.fileno(), stream)


def _limit_resources() -> None:
    """For the rest of this process."""
    import resource

    for limit, value in (
        (resource.RLIMIT_DATA, MAX_MEMORY_BYTES),
        (resource.RLIMIT_CPU, MAX_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    os.environ["OMP_NUM_THREADS"] = "1"  # of what is imported from here on
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
