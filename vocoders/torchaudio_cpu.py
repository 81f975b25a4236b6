"""torchaudio next to a CPU build of torch.

The published Linux wheels of torchaudio carry a native extension linked against CUDA; beside CPU torch, importing it
raises OSError. MelSpectrogram, the part that this project needs, is pure Python, so the extension is declared absent.
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from types import ModuleType

_importing = threading.Lock()


def import_torchaudio() -> ModuleType | None:
    """torchaudio with or without its native extension; None where it is not installed at all. From any thread."""
    with _importing:  # a second thread would remove what the first one is about to use
        return _import()


@functools.cache
def _import() -> ModuleType | None:
    try:
        return importlib.import_module("torchaudio")
    except ImportError:
        return None
    except OSError:
        for name in list(sys.modules):  # a copy: other threads import other things meanwhile
            if name.split(".")[0] == "torchaudio":
                del sys.modules[name]
    sys.modules["torchaudio._extension"] = _absent_extension()
    return importlib.import_module("torchaudio")


def _absent_extension() -> ModuleType:
    """The module that torchaudio itself sets up without its native library."""
    extension = ModuleType("torchaudio._extension")

    def fail_if_no_align(function):
        @functools.wraps(function)
        def refuse(*_args, **_kwargs):
            raise RuntimeError(f"{function.__name__} needs torchaudio's native extension, which is not available here.")

        return refuse

    vars(extension).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False, _IS_ALIGN_AVAILABLE=False, fail_if_no_align=fail_if_no_align
    )
    return extension
