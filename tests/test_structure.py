"""The layering of the code, read from its imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import Environment, meta

from common.paths import ROOT

LAYERS = {
    "common": 0,
    "vocoders": 1,
    "eval": 2,
    "server": 3,
    "train": 3,
    "ui": 4,
    "app": 5,
    "deploy": 5,
}  # a file imports from its own layer or below
UI_LIBRARIES = {"gradio", "fastapi", "uvicorn"}
SOURCES = sorted(path for name in LAYERS for path in (ROOT / name).rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path.name != "waiting.py")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_data_flows_one_way(path):
    package = path.relative_to(ROOT).parts[0]
    upwards = {name for name in imports(path) & LAYERS.keys() if LAYERS[name] > LAYERS[package]}
    sideways = {name for name in imports(path) & LAYERS.keys() if LAYERS[name] == LAYERS[package]} - {package}
    assert not upwards | sideways
    if package not in ("server", "ui"):
        assert not imports(path) & UI_LIBRARIES


TEMPLATES = sorted(path for name in LAYERS for path in (ROOT / name).rglob("templates/*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_is_filled_by_its_package_and_takes_from_lower_ones(path):
    package = path.relative_to(ROOT).parts[0]
    references = meta.find_referenced_templates(Environment().parse(path.read_text(encoding="utf-8")))
    assert all((ROOT / name).is_file() and LAYERS[name.split("/")[0]] <= LAYERS[package] for name in references)
    name = str(path.relative_to(ROOT / package))
    assert any(name in file.read_text(encoding="utf-8") for file in [*SOURCES, *TEMPLATES] if package in file.parts)


MAX_FILES, MAX_LINES = 15, 300  # of code, in a folder and in a file
FOLDERS = sorted({path.parent for path in [*SOURCES, *(ROOT / "assets").rglob("*.js")]})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_folder_is_read_at_a_glance(folder):
    files = [path for suffix in ("py", "js") for path in folder.glob(f"*.{suffix}")]
    assert len(files) <= MAX_FILES
    long = [path.name for path in files if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES]
    assert not long


CLOCKS = {"time.sleep", "time.time", "time.monotonic", "time.perf_counter", "asyncio.sleep"}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_depends_on_how_long_anything_takes(path):
    """All waiting is done by `tests.waiting`. Processor time may be measured."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not called & CLOCKS
    assert not {name for name in called if name.endswith(".wait_for_timeout")}
    assert "time" not in imported, "by its full name, so that it is seen"


def test_the_listening_studies_need_no_audio_library():
    """Designs, storage and statistics run where nothing else of the project is installed."""
    light = [
        path
        for path in (ROOT / "eval" / "listening").rglob("*.py")
        if "making" not in path.parts and path.stem != "cli"
    ]
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in light]
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"torch", "librosa", "gradio", "fastapi", "vocoders.catalogue"} & set(done.stdout.split())


SLOW = {"torch", "librosa", "scipy", "gradio", "numba", "joblib"}  # to import
COMMANDS = [("vocoders", "mel"), ("vocoders", "resynth"), ("eval", "score"), ("eval", "listening"), ("train", "fit")]


@pytest.mark.parametrize("arguments", [["--help"], ["--nonsense"]], ids=["help", "wrong option"])
@pytest.mark.parametrize(("package", "name"), COMMANDS)
def test_a_command_answers_before_anything_slow_is_imported(package, name, arguments):
    code = (
        "import atexit, runpy, sys\n"
        f"atexit.register(lambda: print('slow:', *sorted({SLOW!r} & set(sys.modules)), file=sys.stderr))\n"
        f"sys.argv = ['', {name!r}, *{arguments!r}]\n"
        f"runpy.run_module('{package}', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == (0 if arguments == ["--help"] else 2), done.stderr
    assert done.stderr.endswith("slow:\n")


def test_light_lists_of_names_are_those_of_what_they_name():
    from eval.metrics.names import directions
    from eval.metrics.registry import METRICS
    from train.config import INPUTS, PRESETS
    from train.preset_names import DEFAULT_PRESET, INPUT_NAMES, PURPOSES

    assert list(directions().items()) == [(metric.name, metric.better) for metric in METRICS.values()]
    assert set(directions().values()) == {"lower", "higher", "nearest 0"}
    assert PURPOSES.keys() == PRESETS.keys()
    assert DEFAULT_PRESET in PRESETS
    assert tuple(INPUTS) == INPUT_NAMES


def test_importing_does_nothing():
    """No arguments read, nothing printed, nothing loaded from disk or network."""
    modules = "vocoders, eval, train, ui, app, vocoders.catalogue, eval.metrics.registry, train.commands"
    code = f"import socket; socket.socket.connect = None; import {modules}"
    done = subprocess.run([sys.executable, "-c", code, "--nonsense"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_interface_is_imported_before_anything_slow():
    code = (
        "import sys; from vocoders import load_system, read_recording; from eval import score; "
        f"print(*sorted({SLOW!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")
