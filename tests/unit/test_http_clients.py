"""Clients share the certificates that they trust, since loading them takes longer than a poll."""

import certifi

from gem_tasks import http_clients


def test_certificates_are_loaded_once_for_all_clients_and_anew_when_others_are_named(monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    ours = http_clients._tls()
    assert http_clients._Straight()._pool._ssl_context is http_clients._AsyncStraight()._pool._ssl_context is ours
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert http_clients._tls() is not ours
