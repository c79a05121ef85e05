"""Does a kubeconfig of the lab name its files, and carry them where it leaves the lab?"""

from __future__ import annotations

import base64
import json

from pytest_v6probe.lab import anchor, kubeconfig


def test_inside_the_lab_it_names_files_and_outside_it_has_what_they_say(tmp_path, monkeypatch):
    authority, own = tmp_path / "authority.pem", tmp_path / "own.pem"
    authority.write_text("the authority")
    own.write_text("a certificate and its key")
    monkeypatch.setattr(anchor, "AUTHORITY", str(authority))
    inside = kubeconfig.text("https://[2001:db8::1]:6443", own)
    assert json.loads(inside)["users"][0]["user"] == {
        "client-certificate": str(own),
        "client-key": str(own),
    }
    outside = json.loads(kubeconfig.inlined(inside))
    told = base64.b64encode(b"a certificate and its key").decode()
    assert outside["users"][0]["user"] == {"client-certificate-data": told, "client-key-data": told}
    assert outside["clusters"][0]["cluster"] == {
        "server": "https://[2001:db8::1]:6443",
        "certificate-authority-data": base64.b64encode(b"the authority").decode(),
    }
    assert outside["current-context"] == "lab"
