"""Why a connection failed, as people read it."""

import errno
import itertools
import socket
import ssl

import pytest

from gem_tasks.connection_faults import of_obstore, reason


def wrapped(*causes):
    """An error raised from an error, and so on, as clients do it."""
    for cause, below in itertools.pairwise(causes):
        cause.__cause__ = below
    return causes[0]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "connection refused"),
        (wrapped(RuntimeError("a"), RuntimeError("b"), ConnectionRefusedError(111, "no")), "connection refused"),
        (OSError("Multiple exceptions: [Errno 111] Connect ('::1'), [Errno 111] Connect (..)"), "connection refused"),
        (wrapped(OSError("all failed"), ExceptionGroup("", [OSError(errno.ENETUNREACH, "x")])), "network unreachable"),
        (socket.gaierror(-2, "Name or service not known"), "no such host"),
        (ssl.SSLCertVerificationError(1, "self-signed"), "TLS certificate not accepted"),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "TLS failed"),
        (OSError(errno.EHOSTUNREACH, "x"), "host unreachable"),
        (TimeoutError(), "no answer in time"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_the_cause_that_the_system_named_is_found(error, said):
    assert reason(error).startswith(said)


def test_a_circle_of_causes_ends():
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert reason(first) == "RuntimeError: a"


@pytest.mark.parametrize(
    ("dump", "said"),
    [
        ('Os { code: 111, kind: ConnectionRefused, message: "Connection refused" }', "first: Connection refused"),
        ('ConnectError( "dns error", Custom { … } )', "first: no such host"),
        ("InvalidCertificate( \n UnknownIssuer )", "first: TLS certificate not accepted (UnknownIssuer)"),
        ("nothing known", "first"),
    ],
)
def test_obstore_s_reason_is_dug_out(dump, said):
    assert of_obstore(Exception(f"first\n\nDebug source:\n{dump}")) == said
