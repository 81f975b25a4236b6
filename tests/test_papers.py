"""Documentation: files, folders and identifiers named there exist, facts stated twice are the same."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from common.paths import ASSETS, ROOT

PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ASSETS / "checkpoints").glob("*.md")])
NAMED_FILE = re.compile(
    r"(?<![\w/.-])(?:common|vocoders|eval|server|train|ui|deploy|assets|tests|docs)/[\w./-]*\.(?:py|js|md|css|npz|safetensors)\b"
)
NAMED_FOLDER = re.compile(r"`((?:common|vocoders|eval|server|train|ui|deploy|assets|tests|docs)/(?:[\w-]+/)*)`")
NAMED_CONSTANT = re.compile(r"`([A-Z_]{4,})`(?:, `([A-Z_]{4,})`)? (?:in|of) `([\w/]+\.py)`")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """Of the headings, as GitHub derives them."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(params=PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def paper(request) -> Path:
    return request.param


def test_links_lead_to_files_and_headings(paper):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", text_of(paper)):
        if target.startswith("https://"):
            continue
        file = (paper.parent / target).resolve() if target else paper
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


def test_named_files_folders_and_constants_exist(paper):
    text = text_of(paper)
    assert not [name for name in NAMED_FILE.findall(text) if not (ROOT / name).is_file()]
    assert not [name for name in NAMED_FOLDER.findall(text) if not (ROOT / name).is_dir()]
    for *names, file in NAMED_CONSTANT.findall(text):
        assert not [name for name in names if not re.search(rf"\b{name}\b", text_of(ROOT / file))], file


IDENTIFIER = re.compile(r"@?([A-Za-z_][\w.]*?)(?:=\S*|\(.*\))?")  # also as a decorator, a keyword or a call
TASK_TEXT = re.compile(r"([a-z.]+)\.ID")  # the key of a text that every kind of listening test has


def instructions() -> dict[str, str]:
    """{title: text} of every row of ARCHITECTURE's table of changes and of every section on adding something."""
    table = text_of(ROOT / "ARCHITECTURE.md").partition("## To change X, look in Y")[2]
    rows = re.findall(r"^\| ([^|]+) \| (.+) \|$", table, re.MULTILINE)[1:]
    sections = re.split(r"^## ", text_of(ROOT / "CONTRIBUTING.md"), flags=re.MULTILINE)
    parts = [section.partition("\n")[::2] for section in sections if section.startswith("Add a ")]
    return dict(rows + parts)


INSTRUCTIONS = instructions()


def named_paths(words: list[str]) -> list[Path]:
    """Those of the project: from its root, or in a folder that the same text names."""
    paths = [word for word in words if re.fullmatch(r"[\w./-]+(?:/|\.(?:py|js|json|md|txt))", word)]
    folders = [ROOT / path for path in paths if path.endswith("/")]
    found = []
    for path in paths:
        places = [folder / path for folder in (ROOT, *folders) if (folder / path).exists()]
        assert places or path == "tab.py", f"{path} does not exist"  # of a tab that is not there yet
        found += places
    return found


def names_in(path: Path) -> set[str]:
    """Identifiers and string literals of Python; words of other files. Comments and docstrings do not count in Python."""
    if path.suffix != ".py":
        return set(re.findall(r"\w[\w.-]*", text_of(path)))
    fields = [field for node in ast.walk(ast.parse(text_of(path))) for _, field in ast.iter_fields(node)]
    return {name for name in fields if isinstance(name, str)}


def test_there_are_instructions():
    assert {"add a metric", "Add a metric", "Add a training preset"} <= INSTRUCTIONS.keys()
    assert len(INSTRUCTIONS) > 15


@pytest.mark.parametrize("title", INSTRUCTIONS)
def test_instructions_name_what_is_in_the_named_files(title):
    words = re.findall(r"`([^`]+)`", INSTRUCTIONS[title])
    paths = named_paths(words)
    assert paths
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.*"))]
    known = set().union(*(names_in(file) for file in files if file.suffix in (".py", ".js", ".json", ".md", ".txt")))
    for word in words:
        if key := TASK_TEXT.fullmatch(word):
            assert f"{key[1]}.acr" in known, word
        elif (
            "/" not in word
            and Path(word).suffix[1:] not in ("py", "js", "json", "md")
            and (name := IDENTIFIER.fullmatch(word))
        ):
            assert set(name[1].split(".")) <= known, word


def test_the_readme_is_short():
    prose = text_of(ROOT / "README.md").split("---\n", 2)[2]
    assert len([word for word in prose.split() if re.search(r"\w", word)]) < 1000


def rows(text: str, heading: str) -> dict[str, list[str]]:
    """The first table after `heading` in the text: {id in the first cell: the other cells}."""
    table = text.partition(heading)[2].partition("\n|")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {first.strip("`"): rest for first, *rest in cells if first.startswith("`")}


def test_the_readmes_numbers_are_those_of_the_results():
    results = rows(text_of(ROOT / "docs" / "results.md"), "34 sung clips (four")
    shown = {system_id: cells[-1] for system_id, cells in rows(text_of(ROOT / "README.md"), "## Systems").items()}
    measured = {system_id: cells[2] for system_id, cells in results.items()}  # F0 error
    assert {system_id: value for system_id, value in shown.items() if value != "-"} == measured


def test_the_readmes_table_is_the_catalogue():
    from vocoders.catalogue import BUILT_IN

    assert set(rows(text_of(ROOT / "README.md"), "## Systems")) == {system.id for system in BUILT_IN}


def test_the_documentation_of_training_names_every_preset():
    from train.preset_names import PURPOSES

    text = text_of(ROOT / "docs" / "training.md")
    assert not [name for name in PURPOSES if f"`{name}`" not in text]


def test_the_citation_agrees_with_the_project():
    citation = yaml.safe_load(text_of(ROOT / "CITATION.cff"))
    project = dict(re.findall(r'^(version|license) = "(.*)"$', text_of(ROOT / "pyproject.toml"), re.MULTILINE))
    assert {"cff-version", "message", "title", "authors", "date-released"} <= citation.keys()
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", citation["date-released"])
    assert f"## {citation['date-released']}" in text_of(ROOT / "CHANGELOG.md")
    (author,) = citation["authors"]
    assert f"Copyright (c) {citation['date-released'][:4]} {author['name']}" in text_of(ROOT / "LICENSE")


def test_every_file_of_numbers_has_its_licence():
    text = text_of(ROOT / "LICENSE-WEIGHTS.md")
    files = [path for suffix in ("safetensors", "npz") for path in ASSETS.rglob(f"*.{suffix}")]
    assert files
    assert not [path.name for path in files if str(path.relative_to(ROOT)) not in text]
