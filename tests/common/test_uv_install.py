"""pip's configuration reaches uv, or uv is not used."""

import subprocess
import sys

import pytest

from common.uv_install import FALSE, WITHOUT_EFFECT, pip_configuration, uv_options

LISTING = """\
:env:.find-links='/wheels /more'
:env:.timeout='60'
global.cert='/etc/ssl/ca.crt'
global.constraint='/etc/constraints.txt'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.find-links='/unused'
global.index-url='https://mirror.example/simple'
global.no-index='false'
install.index-url='https://other.example/simple'
list.format='json'
"""


def test_a_variable_comes_before_the_section_of_install_and_that_before_global():
    assert pip_configuration(LISTING) == {
        "cert": "/etc/ssl/ca.crt",
        "constraint": "/etc/constraints.txt",
        "extra-index-url": "https://one.example/simple\nhttps://two.example/simple",
        "find-links": "/wheels /more",
        "index-url": "https://other.example/simple",
        "no-index": "false",
        "timeout": "60",
    }


def test_every_index_link_and_constraint_is_an_option():
    assert set(uv_options(pip_configuration(LISTING))) == {
        "--index-strategy=unsafe-best-match",
        "--constraint=/etc/constraints.txt",
        "--extra-index-url=https://one.example/simple",
        "--extra-index-url=https://two.example/simple",
        "--find-links=/wheels",
        "--find-links=/more",
        "--index-url=https://other.example/simple",
    }
    assert "--no-index" in uv_options({"no-index": "1"})
    assert uv_options(dict.fromkeys(WITHOUT_EFFECT, "1") | {"no-cache-dir": min(FALSE)}) == uv_options({})


@pytest.mark.parametrize("key", ["only-binary", "pre", "require-hashes", "user", "proxy", "client-cert"])
def test_a_key_without_counterpart_leaves_the_work_to_pip(key):
    with pytest.raises(ValueError, match=f"pip is configured with {key}, which uv cannot be given"):
        uv_options({"index-url": "https://mirror.example/simple", key: "1"})


def test_pips_own_listing_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://mirror.example/it's\nextra_index_url =\n  /a\n  /b\n"
    )
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = uv_options(pip_configuration(listing))
    assert {"--index-url=https://mirror.example/it's", "--extra-index-url=/a", "--extra-index-url=/b"} <= set(found)
