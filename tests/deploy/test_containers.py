"""Dockerfile, compose.yaml and the documented environment variables, read as text: no Docker engine is needed."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from common.paths import ROOT

PROGRAM = ("common", "vocoders", "eval", "server", "ui", "deploy")  # training reads what torchrun sets
BY_OTHERS = {  # documented variables that a library or the compose file reads, and where that is to be seen
    "HF_TOKEN": "huggingface_hub/constants.py",
    "FORWARDED_ALLOW_IPS": "uvicorn/config.py",
    "PGPASSWORD": "compose.yaml",
    "POSTGRES_PASSWORD": "compose.yaml",
    "LAB_PORT": "compose.yaml",
}
# Set by whatever the app runs on, or by the app for its libraries: nobody has to know of them
NOT_FOR_USERS = {"SPACE_ID", "SPACES_ZERO_GPU", "GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "ORT_DISABLE_TELEMETRY"}
NOT_FOR_USERS |= {"OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"}


def steps() -> list[tuple[str, str]]:
    """The Dockerfile's (instruction, rest)."""
    text = "\n".join(line for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if line[:1] != "#")
    return [tuple(line.split(maxsplit=1)) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def only(instruction: str) -> str:
    (rest,) = [rest for name, rest in steps() if name == instruction]
    return rest


def copies() -> list[tuple[str, str, str]]:
    """(mode or "", source, target) of every COPY."""
    found = []
    for name, rest in steps():
        if name == "COPY":
            *options, source, target = rest.split()
            found.append((" ".join(options).removeprefix("--chmod="), source.rstrip("/"), target))
    return found


def ignored(path: str) -> bool:
    """As the builder decides: the last rule that matches the path or a folder above it. The rules here are `*`, names and
    `**/name`; others are not understood."""
    verdict = False
    for rule in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.removeprefix("!")
        assert re.fullmatch(r"\*|(\*\*/)?[\w./-]+", pattern), pattern
        parts = path.split("/")
        above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        if pattern == "*" or pattern in above or (pattern[:3] == "**/" and pattern[3:] in parts):
            verdict = not rule.startswith("!")
    return verdict


# ------------------------------------------------ Dockerfile


def test_the_app_is_no_root_and_hears_sigterm():
    names = [name for name, _ in steps()]
    assert re.fullmatch(
        r"[1-9]\d*:[1-9]\d*", only("USER")
    )  # by number: a name says nothing about the files in a volume
    assert names.index("USER") > max(index for index, name in enumerate(names) if name in ("RUN", "COPY"))
    command = json.loads(only("CMD"))  # a list: no shell stands between
    assert command[:2] == ["python", "app.py"]
    assert dict(zip(command[2::2], command[3::2])) == {"--host": "0.0.0.0", "--data-dir": only("VOLUME")}


def test_health_is_asked_of_the_app_itself():
    options, _, command = only("HEALTHCHECK").partition(" CMD ")
    assert "--start-period=" in options
    python, flag, code = json.loads(command)
    assert (python, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert "/healthz" in code


def test_every_source_is_there_and_reaches_the_builder():
    sources = {source for _, source, _ in copies()}
    assert sources == {"requirements.txt", "app.py", "assets", "common", "eval", "server", "train", "ui", "vocoders"}
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not ignored(source), source
    kept = ("vocoders/catalogue.py", "assets/checkpoints/hifigan-hw2.safetensors", "eval/listening/storage/store.py")
    assert not [path for path in kept if not (ROOT / path).is_file() or ignored(path)]
    unwanted = (
        ".env",
        ".git/config",
        "data/listening/secret",
        "tests/conftest.py",
        "ui/__pycache__/page.pyc",
        "README.md",
    )
    assert not [path for path in unwanted if not ignored(path)]


def test_code_comes_after_packages_and_is_written_by_nobody():
    (_, first, _), *code = copies()
    assert first == "requirements.txt"
    assert {mode for mode, _, _ in code} == {"555"}
    names = [f"{name} {rest}" for name, rest in steps()]
    install = next(index for index, step in enumerate(names) if "pip install" in step)
    assert install < next(index for index, step in enumerate(names) if step.startswith("COPY --chmod"))
    assert "--no-cache-dir" in names[install]
    assert "https://download.pytorch.org/whl/cpu" in names[install]


def test_what_is_written_goes_to_the_volume_or_to_tmp():
    environment = dict(word.split("=", 1) for word in shlex.split(only("ENV")))
    folders = {name: value for name, value in environment.items() if value.startswith("/")}
    assert {
        "HOME",
        "TMPDIR",
        "XDG_CACHE_HOME",
        "VOCODER_CACHE_DIR",
        "NUMBA_CACHE_DIR",
        "MPLCONFIGDIR",
    } <= folders.keys()
    assert all(value == "/tmp" or value.startswith("/data/") for value in folders.values())
    assert environment["PORT"] == only("EXPOSE") == "7860"


# ------------------------------------------------ compose.yaml


@pytest.fixture
def services() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]


def test_services_are_locked_down(services):
    assert services.keys() == {"app", "db"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert not {"cap_add", "privileged"} & set(service), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert any(mount.startswith("/tmp:") and "size=" in mount for mount in service["tmpfs"]), name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["restart"] == "unless-stopped", name
    assert services["db"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    assert services["app"]["depends_on"]["db"]["condition"] == "service_healthy"
    assert services["db"]["image"].startswith("postgres:16")


def test_nothing_but_the_app_is_published_and_only_here(services):
    assert "ports" not in services["db"]
    (port,) = services["app"]["ports"]
    assert port.startswith("127.0.0.1:")
    assert port.endswith(f":{only('EXPOSE')}")


def test_what_must_last_lies_in_named_volumes(services):
    named = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["volumes"]
    mounts = dict(mount.split(":") for service in services.values() for mount in service["volumes"])
    assert mounts == {"lab-data": only("VOLUME"), "lab-database": "/var/lib/postgresql/data"}
    assert mounts.keys() == named.keys()


def test_no_password_is_written_down(services):
    for service in services.values():
        for name, value in service["environment"].items():
            if re.search("PASSWORD|SECRET|TOKEN", name):
                assert re.fullmatch(r"\$\{[A-Z_]+:[?-][^}]*\}", value), name
        assert not re.search(r"://[^/@\s]*:[^/@\s]*@", json.dumps(service))
    required = [
        s["environment"][n] for s, n in ((services["app"], "PGPASSWORD"), (services["db"], "POSTGRES_PASSWORD"))
    ]
    assert all(value.startswith("${POSTGRES_PASSWORD:?") for value in required)  # compose refuses to start without it


# ------------------------------------------------ deploy/servers/compose.yaml


@pytest.fixture
def servers() -> dict:
    return yaml.safe_load((ROOT / "deploy" / "servers" / "compose.yaml").read_text("utf-8"))["services"]


def test_several_servers_are_locked_down_as_one_is(services, servers):
    assert servers.keys() == {"app1", "app2", "app3", "proxy", "scheduler", "worker", "redis", "db"}
    for name, service in servers.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert any(mount.startswith("/tmp:") and "size=" in mount for mount in service["tmpfs"]), name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["restart"] == "unless-stopped", name
    assert servers["app1"] == servers["app2"] == servers["app3"]
    for name in ("networks", "tmpfs", "volumes", "mem_limit", "pids_limit", "init", "stop_grace_period"):
        assert servers["app1"][name] == services["app"][name], name
    assert servers["db"] == services["db"]


def test_of_several_servers_only_the_proxy_is_published_and_only_here(servers):
    assert [name for name, service in servers.items() if "ports" in service] == ["proxy"]
    (port,) = servers["proxy"]["ports"]
    assert port.startswith("127.0.0.1:")
    assert port.endswith(f":{servers['proxy']['environment']['LAB_LISTEN']}")
    assert [name for name, service in servers.items() if "front" not in service["networks"]] == [
        *("scheduler", "worker", "redis", "db")
    ]


def test_all_processes_of_the_app_share_one_of_each(servers):
    environment = servers["app1"]["environment"]
    assert environment["DATABASE_URL"] == "postgresql://lab@db:5432/lab"
    assert environment["REDIS_URL"].startswith("redis://redis:")
    assert environment["DASK_SCHEDULER"] == servers["worker"]["command"][4]
    assert servers["worker"]["command"][:4] == ["python", "-m", "dask", "worker"]
    for name in ("app1", "scheduler", "worker"):
        assert servers[name]["volumes"] == [f"lab-data:{only('VOLUME')}"], "the same files at the same place"
        (*_, packages) = servers[name]["build"]["args"].values()
        assert set(packages.split()) <= set((ROOT / "tests" / "requirements.txt").read_text("utf-8").splitlines())
    required = [servers["app1"]["environment"]["PGPASSWORD"], servers["db"]["environment"]["POSTGRES_PASSWORD"]]
    assert all(value.startswith("${POSTGRES_PASSWORD:?") for value in required)


def test_the_proxy_knows_every_process_of_the_app(servers):
    variables = servers["proxy"]["environment"]
    found = re.findall(r"server (\w+):(\d+) max_fails=1 fail_timeout=2s;", variables["LAB_SERVERS"])
    assert found == [(name, only("EXPOSE")) for name in ("app1", "app2", "app3")]
    template = (ROOT / "deploy" / "servers" / "nginx.conf.template").read_text("utf-8")
    settings = "\n".join(line for line in template.splitlines() if not line.lstrip().startswith("#"))
    assert set(re.findall(r"\$\{(\w+)\}", settings)) == {"LAB_LISTEN", "LAB_SERVERS"} < variables.keys()
    assert re.match(variables["NGINX_ENVSUBST_FILTER"], "LAB_LISTEN")
    (mounted,) = servers["proxy"]["volumes"]
    assert mounted.startswith("./nginx.conf.template:/etc/nginx/templates/")


# ------------------------------------------------ environment variables


def documented() -> set[str]:
    """First cells of the table of environment variables."""
    text = (ROOT / "docs" / "deployment.md").read_text("utf-8")
    assert "| variable |" in text, "docs/deployment.md has no table of environment variables"
    table = text.partition("| variable |")[2].partition("\n\n")[0]
    return {name for row in table.splitlines()[2:] for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row.split("|")[1])}


def read_by(path: Path) -> Iterator[str]:
    """Names looked up in os.environ, directly or through a constant of the module."""
    tree = ast.parse(path.read_text("utf-8"))
    constants = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_environ(node.func.value):
            key = node.args[0]
        elif isinstance(node, ast.Subscript) and _is_environ(node.value):
            key = node.slice
        elif isinstance(node, ast.Compare) and any(map(_is_environ, node.comparators)):
            key = node.left
        else:
            continue
        yield key.value if isinstance(key, ast.Constant) else constants.get(key.id, key.id)


def _is_environ(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def test_documented_variables_are_read_and_read_ones_documented():
    files = [ROOT / "app.py", *(path for name in PROGRAM for path in (ROOT / name).rglob("*.py"))]
    read = {name for path in files for name in read_by(path)}
    assert {"DATABASE_URL", "LISTENING_ADMIN_TOKEN", "PORT", "SPACE_ID"} <= read
    assert documented() - BY_OTHERS.keys() == read - NOT_FOR_USERS - BY_OTHERS.keys()


@pytest.mark.parametrize("name", BY_OTHERS)
def test_what_others_read_is_documented_and_read(name):
    assert name in documented()
    place = BY_OTHERS[name]
    if "/" in place:
        package, _, file = place.partition("/")
        place = Path(__import__(package).__file__).parent / file
    assert name in (ROOT / place).read_text("utf-8")
