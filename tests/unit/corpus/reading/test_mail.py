"""E-mails: subject and text; attachments are named, and odd ones never stop the others."""

import base64

import pytest

from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.domain.corpus import IngestReason

PLAIN = "Message-ID: <{key}@x>\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"


def read_bytes(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    return [raw for found in list_objects(str(tmp_path / name)) for raw in read(found, 10_000)]


def test_a_message_with_an_attachment(tmp_path):
    data = (
        "Subject: =?utf-8?b?" + base64.b64encode("Rückgabe".encode()).decode() + "?=\n"
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain; charset=iso-8859-1\n'
        "Content-Transfer-Encoding: quoted-printable\n\n1. Gerät =F6ffnen.\n--b\n"
        'Content-Type: application/pdf\nContent-Disposition: attachment; filename="a.pdf"\n\nxyz\n--b--\n'
    ).replace("ä", "=E4")

    [raw] = read_bytes(tmp_path, "a.eml", data.encode())

    assert raw.text == "# Rückgabe\n\n1. Gerät öffnen."
    assert (raw.title, raw.metadata) == ("Rückgabe", {"attachments_left_out": ["a.pdf"]})


def test_html_is_used_without_a_plain_text(tmp_path):
    [raw] = read_bytes(tmp_path, "a.eml", b"Subject: A < B\nContent-Type: text/html\n\n<p>Press it.</p>")

    assert (raw.media_type, raw.text.strip()) == ("text/html", "<h1>A &lt; B</h1><p>Press it.</p>")


def test_an_archive_has_its_messages_by_their_ids(tmp_path):
    messages = [
        PLAIN.format(key=key, subject="S", text=text)
        for key, text in [("a", ">From here on"), ("b", "x" * 20_000), ("c", "Bye")]
    ]
    data = "".join(f"From x@y Mon\n{message}\n" for message in messages)

    first, large, last = read_bytes(tmp_path, "a.mbox", data.encode())

    assert (first.uri.rpartition("#")[2], first.text.strip()) == ("a@x", "# S\n\nFrom here on")
    assert large.reason is IngestReason.TOO_LARGE
    assert last.text.strip() == "# S\n\nBye"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.mbox", b"hello", IngestReason.UNREADABLE),
        ("a.eml", b"Subject: x\nContent-Type: application/pdf\n\nabc", IngestReason.EMPTY),
        (
            "a.eml",
            b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n/////w==",
            IngestReason.BAD_ENCODING,
        ),
    ],
)
def test_a_bad_file_has_its_reason(tmp_path, name, data, reason):
    [raw] = read_bytes(tmp_path, name, data)

    assert raw.reason is reason


@pytest.mark.parametrize("charset", ["nonsense", "idna", "utf-7", "x" * 300, "rot13"])
def test_odd_charsets(tmp_path, charset):
    data = f"From x Mon\nSubject: =?{charset}?q?abc?=\nContent-Type: text/plain; charset={charset}\n\nPress it.\n"

    [raw] = read_bytes(tmp_path, "a.mbox", data.encode())

    assert "Press it." in raw.text


def test_nested_parts_do_not_stop_the_archive(tmp_path):
    nested = "".join(f'Content-Type: multipart/mixed; boundary="b{at}"\n\n--b{at}\n' for at in range(3000))
    data = f"From x Mon\n{nested}\nFrom x Mon\n{PLAIN.format(key='z', subject='S', text='Bye')}"

    *_, last = read_bytes(tmp_path, "a.mbox", data.encode()[:9_000_000])

    assert last.text.strip() == "# S\n\nBye" or last.reason


@pytest.mark.parametrize("fold", ["", "\n\t", "\r\n "])
def test_a_header_whose_parameters_would_take_quadratic_time_is_refused(tmp_path, fold):
    message = "Subject: a\nContent-Type: text/plain;" + f"{fold}a=b;" * 10_000 + "\n\nhi\n"
    (tmp_path / "a.eml").write_bytes(message.encode())
    (tmp_path / "b.mbox").write_bytes(f"From x\n{message}\nFrom y\nSubject: b\n\nread\n".encode())

    found = [raw for each in list_objects(str(tmp_path)) for raw in read(each, 1_000_000)]

    assert [(raw.reason, raw.detail, raw.text) for raw in found] == [
        (IngestReason.BAD_RECORD, "a header has more than 32768 bytes", ""),
        (IngestReason.BAD_RECORD, "message 1: a header has more than 32768 bytes", ""),
        (None, "", "# b\n\nread\n"),
    ]
