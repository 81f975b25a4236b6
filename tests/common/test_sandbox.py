"""Work in the sandbox: what it writes comes back, what it may use is bounded, and however it ends, this process gets a sentence."""

import os
import resource
import signal
import socket
import sys
from pathlib import Path

import pytest

from common import sandbox
from common.forks import fork_context
from common.sandbox import MAX_CPU_SECONDS, MAX_FILE_BYTES, MAX_MEMORY_BYTES, Refused, run_contained
from tests.waiting import until


def leave_limits(out: Path) -> None:
    kinds = (resource.RLIMIT_DATA, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)
    out.write_text(f"{os.getpid()} {[resource.getrlimit(kind) for kind in kinds]}")


def refuse(sentence: str) -> None:
    raise Refused(sentence)


def take_memory() -> None:
    bytearray(2 * MAX_MEMORY_BYTES)


def end_by(number: int) -> None:
    os.kill(os.getpid(), number)


def leave() -> None:
    sys.exit(0)


def fail() -> None:
    raise ValueError("an error that was not foreseen")


def fill_disk(out: Path) -> None:
    with out.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)


def speak() -> None:
    print("said on its standard output")
    os.write(2, b"said on its standard error")


def test_each_call_has_a_process_with_limits(tmp_path):
    for name in ("first", "second"):
        run_contained(leave_limits, tmp_path / name)
    (first, limits), (second, _) = ((tmp_path / name).read_text().split(" ", 1) for name in ("first", "second"))
    assert len({first, second, str(os.getpid())}) == 3
    assert limits == str([(value, value) for value in (MAX_MEMORY_BYTES, MAX_CPU_SECONDS, MAX_FILE_BYTES, 0)])


@pytest.mark.parametrize("sentence", ["Not this one.", "", "Ünlesbar: 不能读。", "x" * 50_000])
def test_a_refusal_is_the_sentence(sentence):
    with pytest.raises(Refused) as refused:
        run_contained(refuse, sentence)
    assert str(refused.value) == sentence


def test_a_sentence_without_end_is_cut():
    with pytest.raises(Refused) as refused:
        run_contained(refuse, "x" * 10_000_000)
    assert set(str(refused.value)) == {"x"}
    assert len(str(refused.value)) < 100_000


@pytest.mark.parametrize(
    ("work", "arguments"),
    [
        (take_memory, ()),
        (end_by, (signal.SIGKILL,)),
        (end_by, (signal.SIGSEGV,)),
        (leave, ()),
        (fail, ()),
    ],
    ids=["memory", "killed", "crashed", "left", "unforeseen"],
)
def test_an_end_without_an_answer_is_said_of_the_file(work, arguments, capfd):
    with pytest.raises(Refused, match=r"^file\.bin could not be read within the memory, time and disk allowed"):
        run_contained(work, *arguments, name="file.bin")
    assert capfd.readouterr() == ("", "")


def test_no_file_grows_beyond_its_limit(tmp_path):
    with pytest.raises(Refused, match="could not be read within the memory, time and disk"):
        run_contained(fill_disk, tmp_path / "large")


def test_the_log_stays_clean(capfd):
    run_contained(speak)
    assert capfd.readouterr() == ("", "")


def leave_parent(out: Path) -> None:
    out.write_text(str(os.getppid()))


def use_the_sandbox(out: Path, connection: socket.socket | None) -> None:
    if connection:
        sandbox.use(connection)
    run_contained(leave_parent, out)


@pytest.mark.parametrize("is_given", [True, False], ids=["the server of its parent", "a server of its own"])
def test_a_daemonic_process_may_use_it_too(tmp_path, is_given):
    """Such as the computing process, which multiprocessing forbids children."""
    run_contained(leave_parent, tmp_path / "here")
    arguments = (tmp_path / "there", sandbox.server() if is_given else None)
    process = fork_context().Process(target=use_the_sandbox, args=arguments, daemon=True)
    process.start()
    process.join()
    assert process.exitcode == 0
    servers = {(tmp_path / name).read_text() for name in ("here", "there")}
    assert len(servers) == (1 if is_given else 2)


def test_a_server_that_was_killed_is_replaced(tmp_path):
    run_contained(leave_parent, tmp_path / "first")
    first = int((tmp_path / "first").read_text())
    os.kill(first, signal.SIGKILL)
    until(lambda: state_of(first) in ("", "Z"), "the server has ended")
    run_contained(leave_parent, tmp_path / "second")
    assert int((tmp_path / "second").read_text()) != first


def state_of(pid: int) -> str:
    """A letter of `ps`; none of a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return ""


def test_what_one_call_has_changed_the_next_one_does_not_find(tmp_path):
    for name in ("first", "second"):
        run_contained(count_calls, tmp_path / name)
        assert (tmp_path / name).read_text() == "1"


SANDBOX_IMPORTS = ("colorsys",)  # which nothing else imports


def leave_modules(out: Path) -> None:
    out.write_text(" ".join(sys.modules))


def test_what_a_module_names_is_there_before_the_call(tmp_path):
    run_contained(leave_modules, tmp_path / "modules")
    assert "colorsys" in (tmp_path / "modules").read_text().split()


_calls: list[Path] = []


def count_calls(out: Path) -> None:
    _calls.append(out)
    out.write_text(str(len(_calls)))
