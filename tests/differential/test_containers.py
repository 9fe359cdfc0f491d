"""The same texts give the same documents in whatever file, encoding and packing they come."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.listing import list_objects
from tests.differential import made

TEXTS = {
    "en": "# Loans\n\n1. Search for the member `<!--` by name.\n2. Renew the loan – at most twice.\n",
    "fa": "# تمدید\n\n1. عضو را جست\u200cوجو می\u200cکند.\n2. امانت را تمدید می\u200cکند.\n",
    "ja": "# 予約\n\n①予約システムを開き、社員番号を入力します。\n②会議室を選びます。\n",
    "hi": "# ऋण\n\n1. सदस्य को खोजें।\n2. क\u094d\u200dष जाँचें।\n",
    "emoji": "# Family\n\nPress 👩\u200d💻 then ❤\ufe0f and 1\ufe0f\u20e3.\n",
    "two lines": "First line.\nSecond\u2028line.\n\n\nThird\ttab.\n",
}
PACKED = {"": bytes, ".gz": gzip.compress, ".zst": lambda data: pa.compress(data, "zstd", asbytes=True)}


def documents(folder):
    return [normalise(raw, 0) for found in list_objects(str(folder)) for raw in read(found, 10**7)]


def expected(tmp_path, texts, suffix):
    folder = tmp_path / "plain"
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number:03}{suffix}").write_text(text, encoding="utf-8", newline="")
    return [kept for _, kept in documents(folder)]


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_records_are_as_files(tmp_path, encoding, packing):
    plain = expected(tmp_path, TEXTS.values(), ".md")
    rows = [{"id": name, "text": text} for name, text in TEXTS.items()]
    lines = "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / f"a.jsonl{packing}").write_bytes(PACKED[packing](lines.encode(encoding)))
    pq.write_table(pa.table({"text": list(TEXTS.values())}), tmp_path / "a" / "b.parquet")
    found = [kept for _, kept in documents(tmp_path / "a")]
    assert found == plain * 2
    assert all(plain)


@pytest.mark.parametrize("coding", ["", "gzip", "br", "zstd"])
def test_pages_of_a_crawl_are_as_files(tmp_path, coding):
    pages = [page.source for page in made.pages()[::7]]
    plain = expected(tmp_path, pages, ".html")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.warc").write_bytes(b"".join(map(answer, pages, [coding] * len(pages))))
    assert [kept for _, kept in documents(tmp_path / "a")] == plain


def answer(page, coding):
    body = page.encode("utf-8")
    if coding:
        codec = {"br": "brotli"}.get(coding, coding)
        body = pa.Codec(codec).compress(body, asbytes=True)
        coding = f"Content-Encoding: {coding}\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:99], body[99:]) if part) + b"0\r\n\r\n"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{coding}Transfer-Encoding: chunked\r\n\r\n".encode()
    block = head + chunks
    return (
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Target-URI: http://a/%d\r\n"
        b"Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
        % (id(page), len(block), block)
    )
