"""torchaudio where its native extension cannot be loaded, asked for by many threads at once."""

import subprocess
import sys

from common.paths import ROOT

ASK_TOGETHER = """
import sys, threading
from types import ModuleType
from vocoders.torchaudio_cpu import import_torchaudio

sys.modules.update({f"other{number}": ModuleType("other") for number in range(20_000)})  # it takes a while to look through
sys.setswitchinterval(1e-6)
together, found = threading.Barrier(9), []

def ask():
    together.wait()
    found.append(import_torchaudio().transforms.ready)

def import_other_things():
    together.wait()
    for number in range(20_000, 40_000):
        sys.modules[f"other{number}"] = ModuleType("other")

threads = [threading.Thread(target=ask) for _ in range(8)] + [threading.Thread(target=import_other_things)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert found == [True] * 8, found
assert not import_torchaudio()._extension._IS_TORCHAUDIO_EXT_AVAILABLE
"""


def test_threads_that_ask_together_all_get_it(tmp_path):
    package = tmp_path / "torchaudio"
    (package / "_extension").mkdir(parents=True)
    (package / "__init__.py").write_text("from . import _extension\nfrom . import transforms\n")
    (package / "_extension" / "__init__.py").write_text("from . import utils\nraise OSError('libc10_cuda.so')\n")
    (package / "_extension" / "utils.py").write_text("")
    (package / "transforms.py").write_text("ready = True\n")
    command = [sys.executable, "-c", ASK_TOGETHER]
    for _ in range(5):
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={"PYTHONPATH": str(tmp_path), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
