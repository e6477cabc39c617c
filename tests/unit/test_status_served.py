"""The page and its document from the service itself: a real process on a real socket, for operators alone."""

from __future__ import annotations

from pathlib import Path

import httpx
from documents import valid
from serve_world import SECRETS, Served, bearer, beat, eventually, folders, served


def whole(service: Served) -> None:
    found = valid("status", service.get("/api/status").json())
    assert {each["node"]: each["heard"] for each in found["nodes"]} == {
        "node1": "fresh",
        "node2": "unknown",
        "vault1": "unknown",
    }
    assert found["nodes"][0]["containers"] == [{"name": "crm", "state": "runs", "services": ["crm.service"]}]


def test_what_a_node_says_is_on_the_page(tmp_path: Path) -> None:
    folders(tmp_path)
    (tmp_path / "live/node1/heartbeat.json").symlink_to("now/heartbeat.json")
    with served(tmp_path) as service:
        assert service.post(beat()).status_code == 204
        # Files follow the log, a moment later.
        eventually(lambda: service.get("/api/status").json()["nodes"][0]["heard"] == "fresh")
        whole(service)
        page = httpx.get(f"{service.url}/", auth=("anybody", SECRETS["operator"]), timeout=20)
        assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "<h1>vault1</h1>" in page.text and "crm.service" in page.text
        assert page.headers["content-encoding"] == "gzip"
        plain = httpx.get(f"{service.url}/", headers=bearer("operator") | {"Accept-Encoding": "identity"}, timeout=20)
        assert "content-encoding" not in plain.headers and plain.text.count("<article") == page.text.count("<article")
        (tmp_path / "unmounted").touch()
        gone = eventually(lambda: (said := service.get("/")).status_code != 200 and said)
        assert gone.status_code == 503 and "is not mounted" in gone.text


def test_nobody_else_sees_it(tmp_path: Path) -> None:
    folders(tmp_path)
    with served(tmp_path) as service:
        for path in ("/", "/api/status"):
            bare = httpx.get(f"{service.url}{path}", timeout=20)
            assert bare.status_code == 401 and "Basic" in bare.headers["www-authenticate"]
            assert service.get(path, "node1").status_code == 403
            assert httpx.get(f"{service.url}{path}", auth=("root", "guess"), timeout=20).status_code == 401
