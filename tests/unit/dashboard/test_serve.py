import re

from csat.contract.settings import Settings
from csat.dashboard.serve import document, make_app, options, security_policy
from csat.dashboard.views import PAGES


def test_document_names_the_address_of_its_server() -> None:
    html = document()
    assert html.index("BACKEND_BASE_URL: window.location.origin") < html.index('<script type="module"')
    assert "<title>CSAT</title>" in html


def test_policy_lets_the_browser_load_from_this_server_only() -> None:
    policy = security_policy(document())
    sources = {source for rule in policy.split("; ") for source in rule.split(" ")[1:]}
    assert "default-src 'self'" in policy
    assert not [source for source in sources if "." in source or "*" in source or "http" in source]


def test_policy_allows_the_inline_scripts_of_the_document_by_their_hash() -> None:
    # echo -n 'let x = 1' | openssl sha256 -binary | base64
    policy = security_policy("<script>let x = 1</script><script src='a.js'></script>")
    assert "'sha256-+9RIDzvx0TGl4PMcwUdjIf3oi5QYiuHS1C+f52uNBBc='" in policy
    assert policy.count("sha256-") == 1
    [scripts] = re.findall("script-src[^;]*", policy)
    assert "'unsafe-inline'" not in scripts


def test_every_page_has_its_own_path() -> None:
    assert len({page.path for page in PAGES}) == len(PAGES)
    assert make_app(Settings(_env_file=None)).script_path.name == "app.py"


def test_server_listens_on_this_machine_and_accepts_its_host_names_only() -> None:
    made = options(Settings(_env_file=None))
    assert (made["server.address"], made["server.allowedHosts"]) == ("127.0.0.1", ["127.0.0.1", "localhost"])
    public = options(Settings(_env_file=None, dashboard_address="10.0.0.5", dashboard_hosts="csat.example.com"))
    assert (public["server.address"], public["server.allowedHosts"]) == ("10.0.0.5", ["csat.example.com"])
