"""The files of a Space and its front matter; containers are in test_containers.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.paths import ROOT
from deploy.card import check_card, read_card
from deploy.files import space_files
from tests.space_hub import MAX_GIT_FILE_BYTES, SpaceHub

NO_HUB = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}


def deploy(*words: str, **environment: str) -> subprocess.CompletedProcess:
    """Without the tokens of whoever runs the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING", "SPACE"))}
    return subprocess.run(
        [sys.executable, "-m", "deploy", *words],
        cwd=ROOT,
        env=own | NO_HUB | environment,
        capture_output=True,
        text=True,
    )


def listed(output: str) -> dict[str, tuple[int, bool]]:
    """{path: (bytes, kept outside git)}"""
    fields = [line.split(maxsplit=2) for line in output.splitlines()]
    return {path: (int(size), where == "large") for size, where, path in fields}


# ------------------------------------------------ the front matter


def test_the_front_matter_is_valid():
    done = deploy("check")
    assert (done.returncode, done.stderr) == (0, "")
    card = read_card(ROOT)
    assert done.stdout == f"{card['title']}: Gradio {card['sdk_version']}, Python {card['python_version']}, app.py\n"


@pytest.fixture
def card_of(tmp_path):
    """A function: the lines of README's front matter that start with `key` replaced by `line`, checked."""
    for name in ("requirements.txt", "app.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    text = (ROOT / "README.md").read_text("utf-8")

    def check(key: str, line: str, hardware: str | None = None) -> dict:
        _, card, rest = text.split("---\n", 2)
        kept = [old for old in card.splitlines() if not old.startswith(f"{key}:")]
        (tmp_path / "README.md").write_text("\n".join(["---", *kept, line, "---", rest]), "utf-8")
        return check_card(tmp_path, hardware)

    return check


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "title is missing"),
        ("colour: green", "colour is not a key that Spaces know"),
        ("emoji: slider", "emoji is 'slider', not one emoji"),
        ("emoji: ''", "emoji is '', not one emoji"),
        ("emoji: 1️⃣", "not one emoji"),
        ("colorFrom: teal", "colorFrom is 'teal'; it can be red, yellow"),
        ("colorTo: Blue", "colorTo is 'Blue'"),
        ("sdk: docker", "sdk is 'docker'; it can be gradio"),
        ("sdk_version: 6.30.9", "sdk_version is '6.30.9', but requirements.txt wants gradio>=6.31"),
        ("sdk_version: newest", "sdk_version is 'newest'"),
        ("python_version: 3.10", "the number 3.1; it needs quotes"),
        ('python_version: "3.13"', "python_version is '3.13'; it can be 3.10, 3.11, 3.12"),
        ('python_version: "3.1"', "python_version is '3.1'"),
        (f"short_description: {'x' * 61}", "short_description has 61 characters; 60 are allowed"),
        ("app_file: main.py", "app_file is 'main.py', which does not exist"),
        ("app_file: ../app.py", "app_file is '../app.py'"),
        ("suggested_hardware: cpu", "suggested_hardware is 'cpu'; it can be cpu-basic"),
        ("tags: [hf_abcdefghijklmnopqrstuvwxyz]", "looks like a token or a password"),
        ("base_path: postgresql://lab:swordfish@db/lab", "looks like a token or a password"),
    ],
)
def test_a_wrong_front_matter_is_refused(card_of, line, complaint):
    with pytest.raises(ValueError, match=r"README\.md: ") as refusal:
        card_of(line.partition(":")[0] or "title", line)
    assert complaint in str(refusal.value)


def test_every_problem_is_named_in_one_line(card_of):
    with pytest.raises(ValueError, match=r"size is not a key.*; colorTo is 'teal'"):
        card_of("colorTo", "colorTo: teal\nsize: big")


@pytest.mark.parametrize("line", ["emoji: 🎚️", "emoji: 👩🏽‍🎤", 'python_version: "3.10.13"', "sdk_version: 7.0.0"])
def test_other_right_values_are_taken(card_of, line):
    key = line.partition(":")[0]
    assert f"{key}: {card_of(key, line)[key]}".replace('"', "") == line.replace('"', "")


def test_zero_gpu_has_fewer_pythons(card_of):
    assert card_of("python_version", 'python_version: "3.12"', "zero-a10g")
    with pytest.raises(ValueError, match=r"'3.11'; it can be 3.10, 3.12 on zero-a10g"):
        card_of("python_version", 'python_version: "3.11"', "zero-a10g")


@pytest.mark.parametrize("text", ["# Lab\n", "---\ntitle: Lab\n", "---\n- title\n---\n", "---\na: b: c\n---\n"])
def test_what_is_no_front_matter_is_refused(tmp_path, text):
    (tmp_path / "README.md").write_text(text)
    with pytest.raises(ValueError, match=r"README\.md: .*front matter"):
        read_card(tmp_path)


# ------------------------------------------------ what goes


def test_a_dry_run_lists_what_git_tracks_without_the_tests():
    done = deploy("space", "lab/demo", "--dry-run", "--dataset", "lab/answers")
    assert done.returncode == 0, done.stderr
    files = listed(done.stdout)
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wanted = {name for name in tracked.split("\0") if name and not name.startswith("tests/")}
    assert files.keys() == wanted | {".gitattributes"}
    assert {"app.py", "README.md", "requirements.txt", "assets/checkpoints/hifigan-hw2.safetensors"} <= files.keys()
    for path, (size, outside) in files.items():
        assert outside or size <= MAX_GIT_FILE_BYTES, path
        if path != ".gitattributes":
            assert (ROOT / path).resolve() == ROOT.resolve() / path
            assert (ROOT / path).stat().st_size == size
    assert files["assets/checkpoints/hifigan-hw2.safetensors"][1]
    assert not files["app.py"][1]


@pytest.fixture
def repository(tmp_path):
    """A git repository with one file of each kind."""
    root = tmp_path / "repository"
    (root / "tests").mkdir(parents=True)
    (root / "app.py").write_text("print('é')\n", "utf-8")
    (root / "big.txt").write_text("x" * (MAX_GIT_FILE_BYTES + 1))
    (root / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    (root / "tests" / "test_app.py").write_text("token = 'hf_abcdefghijklmnopqrstuvwxyz'\n")
    git(root, "init", "--quiet")
    git(root, "add", ".")
    (root / "untracked.py").write_text("")
    return root


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(root), *words], check=True)


def test_large_and_binary_files_are_kept_outside_git(repository):
    files = {file.path: file for file in space_files(repository)}
    assert files.keys() == {".gitattributes", "app.py", "big.txt", "model.safetensors"}
    assert {path for path, file in files.items() if file.large} == {"big.txt", "model.safetensors"}
    lines = files[".gitattributes"].content.decode().splitlines()
    assert lines == [f"{pattern} filter=lfs diff=lfs merge=lfs -text" for pattern in ("*.safetensors", "*.txt")]


def test_attributes_that_are_there_stay(repository):
    (repository / ".gitattributes").write_text("*.py text\n")
    git(repository, "add", ".gitattributes")
    (attributes,) = [file for file in space_files(repository) if file.path == ".gitattributes"]
    assert attributes.content.decode().splitlines()[0] == "*.py text"
    assert attributes.size == len(attributes.content)


def test_links_are_refused(repository, tmp_path):
    (tmp_path / "private.txt").write_text("mine")
    (repository / "link.txt").symlink_to(tmp_path / "private.txt")
    git(repository, "add", "link.txt")
    with pytest.raises(ValueError, match=r"link\.txt is a link"):
        space_files(repository)


def test_a_folder_that_became_a_link_is_refused(repository, tmp_path):
    (repository / "data").mkdir()
    (repository / "data" / "a.txt").write_text("a")
    git(repository, "add", "data")
    (repository / "data").rename(tmp_path / "elsewhere")
    (repository / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"data/a\.txt is a link, or lies behind one"):
        space_files(repository)


def test_a_missing_file_is_named(repository):
    (repository / "app.py").unlink()
    with pytest.raises(ValueError, match=r"app\.py is tracked by git, but there is no such file"):
        space_files(repository)


@pytest.mark.parametrize("secret", ["hf_abcdefghijklmnopqrstuvwxyz", "postgresql://lab:swordfish@db/lab"])
def test_a_secret_in_a_file_is_refused(repository, secret):
    (repository / "app.py").write_text(f"KEY = '{secret}'\n")
    with pytest.raises(ValueError, match=r"app\.py holds what looks like a token or a password") as refusal:
        space_files(repository)
    assert secret not in str(refusal.value)


def test_outside_git_there_is_nothing_to_upload(tmp_path):
    with pytest.raises(ValueError, match="not a git repository"):
        space_files(tmp_path)


# ------------------------------------------------ the way to the hub


def test_a_space_is_made_updated_and_never_replaced_by_accident(tmp_path):
    hub = SpaceHub()
    with hub.serve() as url:
        to_hub = {
            "HF_ENDPOINT": url,
            "HF_TOKEN": "hf_uploads",
            "SPACE_HF_TOKEN": "hf_answers",
            "HF_HOME": str(tmp_path),
        }
        words = ("space", "lab/demo", "--private", "--hardware", "cpu-basic", "--dataset", "lab/answers")
        done = deploy(*words, **to_hub)
        assert (done.returncode, done.stdout) == (0, f"{url}/spaces/lab/demo\n"), done.stderr

        space, dataset = hub.repos["space lab/demo"], hub.repos["dataset lab/answers"]
        assert (space["sdk"], space["visibility"], space["hardware"]) == ("gradio", "private", "cpu-basic")
        assert dataset["visibility"] == "private"
        # The Space gets the narrow token, never the one that may write everything
        assert hub.settings == {
            "secrets": ("HF_TOKEN", "hf_answers"),
            "variables": ("LISTENING_DATASET", "lab/answers"),
        }
        assert hub.tokens == {"Bearer hf_uploads"}

        files = listed(deploy("space", "lab/demo", "--dry-run").stdout)
        assert {path: len(content) for path, content in hub.files.items()} == {
            p: size for p, (size, _) in files.items()
        }
        assert hub.outside_git == {path for path, (_, outside) in files.items() if outside}
        for path in files.keys() - {".gitattributes"}:
            assert hub.files[path] == (ROOT / path).read_bytes(), path
        assert b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n" in hub.files[".gitattributes"]
        assert len(hub.commits) == 1
        assert hub.commits[0].startswith("Vocoder Listening Lab ")

        hub.files["gone.py"] = b"from an earlier version"
        refused = deploy("space", "lab/demo", **to_hub)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == "error: the Space lab/demo exists already; --force replaces its files\n"
        assert "gone.py" in hub.files
        assert len(hub.commits) == 1
        assert deploy("space", "lab/demo", "--force", **to_hub).returncode == 0
        assert hub.files.keys() == files.keys()
        assert len(hub.commits) == 2


@pytest.mark.parametrize(
    ("words", "environment", "complaint"),
    [
        ((), {}, "no token for the hub: run `hf auth login`"),
        ((), {"HF_TOKEN": "hf_made_up"}, "lab/demo: "),  # nobody answers at the address
        (
            ("--dataset", "lab/answers"),
            {"HF_TOKEN": "hf_made_up"},
            "--dataset: set SPACE_HF_TOKEN to a fine-grained token",
        ),
    ],
)
def test_errors_are_one_line(tmp_path, words, environment, complaint):
    done = deploy("space", "lab/demo", *words, HF_HOME=str(tmp_path), **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {complaint}")
    assert done.stderr.count("\n") == 1


def test_a_name_without_an_owner_is_refused():
    done = deploy("space", "demo", "--dry-run")
    assert done.returncode == 2
    assert "'demo' is not OWNER/NAME" in done.stderr
