"""The bombs, by file name. Each is small or ordinary on disk and within every limit that a file's size sets."""

import gzip
import json
import random
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MB = 1_000_000
WORDS = "Open the case, replace the filter and write the date on the label. "
ROW = json.dumps({"text": WORDS}).encode() + b"\n"


def parquet(table, **options):
    file = BytesIO()
    pq.write_table(table, file, **{"compression": "zstd", **options})
    return file.getvalue()


def repeated(value, times):
    """A column that a few bytes stand for."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array([value]))


def plain(value, times):
    return pa.array([value] * times)


def nested(depth):
    kind, value = pa.int8(), 1
    for _ in range(depth):
        kind, value = pa.list_(kind), [value]
    return parquet(pa.table({"text": [WORDS], "n": pa.array([value], kind)}))


def wide_list(length):
    offsets = pa.py_buffer(b"\0\0\0\0" + length.to_bytes(4, "little"))
    values = pa.Array.from_buffers(pa.int8(), length, [None, pa.py_buffer(bytes(length))])
    column = pa.Array.from_buffers(pa.list_(pa.int8()), 1, [None, offsets], children=[values])
    return parquet(pa.table({"text": [WORDS], "n": column}))


def lying_parquet():
    """The metadata say that a row group takes a hundredth of what it does."""
    data = parquet(pa.table({"text": plain("x" * 19 * MB, 64)}), use_dictionary=False, row_group_size=64)
    size = 64 * 19 * MB
    return data.replace(varint(size), varint(size // 100).ljust(len(varint(size)), b"\0"))


def varint(number):
    number, found = number << 1, bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def zstd(data):
    return pa.compress(data, codec="zstd", asbytes=True)


def zstd_window(log, data=ROW * 1500):
    """A frame that wants a window of so many bytes, and is data, then a hundred megabytes of one letter."""
    raw = (len(data) << 3).to_bytes(3, "little") + data
    same = (1 << 1 | 131_072 << 3).to_bytes(3, "little") + b"x"
    return b"\x28\xb5\x2f\xfd\0" + bytes([(log - 10) << 3]) + raw + same * 800 + b"\x01\0\0"


def warc(*records, member=None):
    """Records as given: `(extra WARC headers, HTTP head, body, length or None for the true one)`."""
    found = bytearray()
    for number, (extra, head, body, length) in enumerate(records):
        block = head + body
        about = (
            b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a/%d\r\n%s"
            b"Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n"
        ) % (number, extra, len(block) if length is None else length)
        record = about + block + b"\r\n\r\n"
        found += member(record) if member else record
    return bytes(found)


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
PAGE = f"<html><body><p>{WORDS * 3}</p></body></html>".encode()
GOOD = (b"", OK + b"\r\n", PAGE, None)


def coded(coding, body):
    return warc((b"", OK + b"Content-Encoding: " + coding + b"\r\n\r\n", body, None), GOOD)


def chunked(body, size):
    parts = (b"%x\r\n%s\r\n" % (len(body[at : at + size]), body[at : at + size]) for at in range(0, len(body), size))
    joined = b"".join(parts) + b"0\r\n\r\n"
    return warc((b"", OK + b"Transfer-Encoding: chunked\r\n\r\n", joined, None), GOOD)


def entities():
    """A billion laughs."""
    named = b"".join(b'<!ENTITY a%d "%s">' % (at, b"&a%d;" % (at - 1) * 10) for at in range(1, 20))
    return b'<!DOCTYPE html [<!ENTITY a0 "aaaaaaaaaa">' + named + b"]><p>&a19;"


def noise(size):
    return random.Random(1).randbytes(size)


def letters(size):
    return noise(size).hex()[:size].encode()


def deep_markdown(mark, depth):
    return "".join(f"{mark * level}{WORDS}\n" for level in range(depth)).encode()


def legacy(size):
    return "Übergröße für Straßen und Plätze, à la carte. ".encode("cp1252") * (size // 46)


BOMBS: dict[str, Callable[[], bytes]] = {
    # Parquet
    "junk.parquet": lambda: parquet(pa.table({"text": repeated("x", 64), "junk": repeated("y" * 50 * MB, 64)})),
    "dictionary.parquet": lambda: parquet(pa.table({"text": repeated("x" * 15 * MB, 64)})),
    "pages.parquet": lambda: parquet(
        pa.table({"text": repeated("x" * 15 * MB, 500)}), data_page_size=1, row_group_size=100
    ),
    "strings.parquet": lambda: parquet(pa.table({"text": plain("x" * 19 * MB, 40)}), use_dictionary=False),
    "wide-strings.parquet": lambda: parquet(
        pa.table({"text": plain("\U0001f600" * 4_900_000, 20)}), use_dictionary=False
    ),
    "rows.parquet": lambda: parquet(
        pa.table({"text": repeated("some words", 2 * MB)}), row_group_size=2 * MB
    ),
    "columns.parquet": lambda: parquet(
        pa.table({"text": [WORDS] * 64, **{f"c{number}": [number] * 64 for number in range(10_000)}})
    ),
    "wide-columns.parquet": lambda: parquet(
        pa.table({"text": [WORDS] * 64, **{f"c{number}": repeated("z" * 100_000, 64) for number in range(1000)}})
    ),
    "groups.parquet": lambda: parquet(pa.table({"text": repeated(WORDS, 20_000)}), row_group_size=1),
    "lying.parquet": lying_parquet,
    "nested.parquet": lambda: nested(200),
    "list.parquet": lambda: wide_list(100 * MB),
    "list-20m.parquet": lambda: wide_list(20 * MB),
    "lists.parquet": lambda: parquet(pa.table({"text": [WORDS] * 64, "n": [[[1] * 1000] * 300] * 64})),
    "truncated.parquet": lambda: parquet(pa.table({"text": [WORDS] * 100_000}))[:-100],
    "metadata.parquet": lambda: parquet(
        pa.table({"text": [WORDS]}).replace_schema_metadata({"a": "b" * 50 * MB}), store_schema=False
    ),
    "binary-id.parquet": lambda: parquet(pa.table({"text": [WORDS], "id": [b"\xff" * 19 * MB]})),
    # JSONL
    "line.jsonl": lambda: b'{"text": "' + b"x" * 50 * MB + b'"}\n' + ROW,
    "line.jsonl.gz": lambda: gzip.compress(b'{"text": "' + b"x" * 200 * MB + b'"}\n' + ROW),
    "line.jsonl.zst": lambda: zstd(b'{"text": "' + b"x" * 200 * MB + b'"}\n' + ROW),
    "limit.jsonl": lambda: b'{"text": "' + b"word " * 3_990_000 + b'"}\n' + ROW,
    "escapes.jsonl": lambda: b'{"text": "' + b"\\ud83d\\ude00" * 1_650_000 + b'"}\n' + ROW,
    "surrogates.jsonl": lambda: b'{"text": "' + b"\\ud800" * 3_300_000 + b'"}\n' + ROW,
    "emoji.jsonl": lambda: b'{"text": "' + "\U0001f600".encode() * 4_990_000 + b'"}\n' + ROW,
    "deep.jsonl": lambda: b'{"text": "a", "x": ' + b"[" * 9 * MB + b"]" * 9 * MB + b"}\n" + ROW,
    "deep-objects.jsonl": lambda: b'{"a":' * 3 * MB + b"1" + b"}" * 3 * MB + b"\n" + ROW,
    "values.jsonl": lambda: b'{"text": "a", "x": [' + b"{}," * 1_900_000 + b"1]}\n" + ROW,
    "values-under.jsonl": lambda: b'{"text": "a", "x": [' + b"{}," * 490_000 + b"1]}\n" + ROW,
    "objects-under.jsonl": lambda: b'{"text": "a", "x": [' + b'{"":{}},' * 240_000 + b"1]}\n" + ROW,
    "floats.jsonl": lambda: b'{"text": "a", "x": [' + b"1.5," * 990_000 + b"1]}\n" + ROW,
    "integer.jsonl": lambda: b'{"text": "a", "x": ' + b"1" * 19 * MB + b"}\n" + ROW,
    "float.jsonl": lambda: b'{"text": "a", "x": 0.' + b"1" * 19 * MB + b"}\n" + ROW,
    "exponent.jsonl": lambda: b'{"text": "a", "x": 1e' + b"9" * 19 * MB + b"}\n" + ROW,
    "keys.jsonl": lambda: b'{"text": "a"' + b',"x":1' * 490_000 + b"}\n" + ROW,
    "fields.jsonl": lambda: b'{"text": "a"' + b"".join(b',"%d":1' % at for at in range(490_000)) + b"}\n" + ROW,
    "id.jsonl": lambda: b'{"text": "a", "id": [' + b"[]," * 490_000 + b"1]}\n" + ROW,
    "title.jsonl": lambda: b'{"text": "' + WORDS.encode() + b'", "title": "' + b"\\u200d" * 3 * MB + b'"}\n' + ROW,
    "rows.jsonl": lambda: b'{"text":"a"}\n' * 1_500_000,
    "rows.jsonl.gz": lambda: gzip.compress(b"{}\n" * 2 * MB),
    "rows.jsonl.zst": lambda: zstd(ROW * 2 * MB),
    "newlines.jsonl": lambda: b"\n" * 20 * MB,
    "newlines.jsonl.gz": lambda: gzip.compress(b"\n" * 300 * MB),
    "newlines.jsonl.zst": lambda: zstd(b"\n" * 300 * MB),
    "no-record.jsonl": lambda: b"a\n" * 10 * MB,
    "utf16.jsonl": lambda: b"\xff\xfe" + (ROW.decode() * 100_000).encode("utf-16-le"),
    "utf32-line.jsonl.gz": lambda: gzip.compress(b"\xff\xfe\0\0" + b"x\0\0\0" * 30 * MB),
    # Packed
    "gzip-of-gzip.txt.gz": lambda: gzip.compress(gzip.compress(b"x" * 300 * MB)),
    "zeros.txt.gz": lambda: gzip.compress(bytes(300 * MB)),
    "members.txt.gz": lambda: gzip.compress(b"") * 1_000_000,
    "letters.txt.gz": lambda: gzip.compress(WORDS.encode() * 290_000),
    "header.txt.gz": lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 50 * MB,
    "window-27.txt.zst": lambda: zstd_window(27),
    "window-31.txt.zst": lambda: zstd_window(31),
    "window-31.jsonl.zst": lambda: zstd_window(31),
    "frames.txt.zst": lambda: zstd(b"") * 1_000_000,
    "skippable.txt.zst": lambda: (b"\x50\x2a\x4d\x18\0\0\0\0" * 5 * MB) + zstd(WORDS.encode()),
    # Text
    "tabs.txt": lambda: b"\t" * 400_000 + b"x\t\n",
    "tabs-10m.txt": lambda: (b"\t" * 4 * MB + b"x\t\n") * 4,
    "blanks.txt": lambda: b" \n" * 9 * MB,
    "endless.txt": lambda: b"x" * 50 * MB,
    "limit.txt": lambda: b"x" * 19_900_000,
    "words.txt": lambda: WORDS.encode() * 297_000,
    "letters.txt": lambda: letters(19 * MB),
    "short-words.txt": lambda: b"a " * 9_900_000,
    "short-lines.txt": lambda: b"a\n" * 9_900_000,
    "sentences.txt": lambda: b"a. " * 6_600_000,
    "distinct-words.txt": lambda: b" ".join(b"%x" % at for at in range(3 * MB)),
    "binary.txt": lambda: noise(19 * MB),
    "zeros.txt": lambda: bytes(19 * MB),
    "utf16.txt": lambda: b"\xff\xfe" + (WORDS * 140_000).encode("utf-16-le"),
    "utf16-emoji.txt": lambda: b"\xff\xfe" + ("\U0001f600" * 4_900_000).encode("utf-16-le"),
    "utf16-bare.txt": lambda: (WORDS * 140_000).encode("utf-16-be"),
    "utf32.txt": lambda: b"\xff\xfe\0\0" + (WORDS * 70_000).encode("utf-32-le"),
    "utf16-broken.txt": lambda: b"\xff\xfe" + b"\0\xd8" * 9 * MB,
    "boms.txt": lambda: b"\xef\xbb\xbf" * 6_600_000,
    "emoji.txt": lambda: "\U0001f600".encode() * 4_990_000,
    "joiners.txt": lambda: "\U0001f468\u200d".encode() * 2_800_000,
    "invisible.txt": lambda: ("a" + "\u200b" * 6_600_000).encode(),
    "selectors.txt": lambda: ("葛" + "".join(chr(0xE0100 + at % 240) for at in range(4_900_000))).encode(),
    "combining.txt": lambda: ("a" + "\u0301" * 9_900_000).encode(),
    "combining-mixed.txt": lambda: ("a" + "\u0301\u0323" * 4_900_000).encode(),
    "ligatures.txt": lambda: "\u0344".encode() * 9_900_000,
    "hangul.txt": lambda: "\u1100\u1161\u11a8".encode() * 2_200_000,
    "chinese.txt": lambda: "打开机箱更换滤芯。".encode() * 730_000,
    "overstruck.txt": lambda: b"a\x08" * 9_900_000,
    "escapes.txt": lambda: b"\x1b[" * 9_900_000,
    "hyphens.txt": lambda: "a\u00ad".encode() * 6_000_000,
    "legacy.txt": lambda: legacy(19 * MB),
    "legacy-mixed.txt": lambda: b"a\xe9\n" * 6_500_000,
    "damaged.txt": lambda: "ä".encode() * 9 * MB + b"\xff" * 400_000,
    "shift-jis.txt": lambda: "機箱を開けてフィルターを交換する。\n".encode("shift_jis") * 500_000,
    "iso2022.txt": lambda: b"\x1b$B!!" * 3_900_000,
    # Markdown
    "quotes.md": lambda: b"> " * 9_900_000,
    "quotes-comment.md": lambda: b"> " * 9_900_000 + b"<!-- -->",
    "quote-lines.md": lambda: deep_markdown("> ", 3000) + b"<!-- a -->",
    "list-lines.md": lambda: deep_markdown("- ", 3000) + b"<!-- a -->",
    "list-marks.md": lambda: b"- " * 9_900_000 + b"<!-- a -->",
    "indented-lists.md": lambda: b"".join(b" " * (2 * at) + b"- a\n" for at in range(3000)) + b"<!-- a -->",
    "brackets.md": lambda: b"[" * 19 * MB,
    "emphasis.md": lambda: b"*a_" * 6_600_000,
    "stars.md": lambda: b"* " * 9_900_000 + b"a <!-- -->",
    "ticks.md": lambda: b"".join(b"`" * (at % 4000) + b" " for at in range(9000)) + b"<!-- a -->",
    "comments.md": lambda: b"<!-- " * 3_900_000,
    "closed-comments.md": lambda: b"a <!-- b --> " * 1_500_000,
    "comment-paragraphs.md": lambda: b"a <!-- b\n\n" * 1_900_000 + b"-->",
    "front.md": lambda: b"---\n" + b"a: b\n" * 3_900_000,
    "front-toml.md": lambda: b"+++\na = " + b"[" * 19_000 + b"\n+++\n" + WORDS.encode(),
    "headings.md": lambda: b"# a\n" * 4_900_000,
    "underlines.md": lambda: b"a\n---\n" * 3_200_000,
    "fences.md": lambda: b"```\n" * 4_900_000,
    "items.md": lambda: b"- a\n" * 4_900_000,
    "table.md": lambda: b"|" * 19 * MB,
    # HTML
    "deep.html": lambda: b"<div>" * 1_000_000 + b"a" + b"</div>" * 1_000_000,
    "deep-paragraphs.html": lambda: b"<div><p>a" * 2 * MB,
    "deep-bold.html": lambda: b"<b>a" * 4 * MB,
    "nested-250.html": lambda: (b"<div>" * 240 + b"a" + b"</div>" * 240) * 7000,
    "nested-lists.html": lambda: (b"<ul><li>" * 110 + b"<p>a</p>" * 300) * 800,
    "attributes.html": lambda: b"<p " + b"".join(b"a%d=1 " % at for at in range(1_500_000)) + b">a</p>",
    "attribute.html": lambda: b'<p class="' + b"nav-" * 4_900_000 + b'">a</p>',
    "attribute-entities.html": lambda: b'<p title="' + b"&#x1f600;" * 2 * MB + b'">a</p>',
    "entities.html": lambda: b"<p>" + b"&amp;" * 3_900_000,
    "numeric-entities.html": lambda: b"<p>" + b"&#1;" * 4_900_000,
    "open-entities.html": lambda: b"<p>" + b"&a" * 9_900_000,
    "entity-declaration.html": entities,
    "comments.html": lambda: b"<!-- a -->" * 1_900_000 + PAGE,
    "open-comments.html": lambda: b"<!--" * 4_900_000 + PAGE,
    "open-tags.html": lambda: b"<a " * 6_600_000,
    "angles.html": lambda: b"<" * 19 * MB,
    "cells.html": lambda: b"<table>" + (b"<tr>" + b"<td>a</td>" * 100 + b"</tr>") * 1000 + b"</table>",
    "cells-2m.html": lambda: b"<table>" + (b"<tr>" + b"<td>a" * 1000) * 3900 + b"</table>",
    "spans.html": lambda: b"<table>" + (b"<tr>" + b"<td colspan=50 rowspan=50>a" * 400) * 40 + b"</table>",
    "spans-2000.html": lambda: b"<table>" + (b"<tr>" + b"<td colspan=50 rowspan=50>a" * 20) * 2000 + b"</table>",
    "tables.html": lambda: b"<table><tr><td>" * 100_000,
    "words.html": lambda: b"<p>word <b>x</b> " * 49_000,
    "paragraphs.html": lambda: b"<p>a</p>" * 2_400_000,
    "paragraphs-under.html": lambda: b"<p>words here</p>\n" * 49_000,
    "divs-under.html": lambda: (b"<div class='content nav'><a href='a'>" + WORDS.encode() + b"</a></div>") * 24_000,
    "breaks.html": lambda: b"<br>" * 4_900_000,
    "scripts.html": lambda: b"<script>" * 2_400_000,
    "script.html": lambda: b"<script>" + b"a<b;" * 4_900_000 + b"</script>" + PAGE,
    "forms.html": lambda: b"<form><select><option>" * 880_000,
    "pre.html": lambda: b"<pre>" + b"\t" * 19 * MB + b"a</pre>",
    "pre-lines.html": lambda: b"<pre>" + b"\ta\n" * 6_600_000 + b"</pre>",
    "nul.html": lambda: b"<p>" + b"a\x01" * 9_000_000,
    "cdata.html": lambda: b"<svg><![CDATA[" * 1_350_000,
    "images.html": lambda: b"<ul>" + b"<li><img alt=a><img alt=b></li>" * 24_000 + b"</ul>",
    "tabs.html": lambda: b"<div role=tabpanel aria-labelledby=a>a</div>" * 24_000,
    "articles.html": lambda: b"<article>a</article>" * 24_000,
    "asides.html": lambda: b"<aside>a</aside>" * 48_000,
    "text.html": lambda: b"<html><body><p>" + WORDS.encode() * 290_000 + b"</p></body></html>",
    "emoji.html": lambda: b"<html><body><p>" + "\U0001f600".encode() * 4_900_000 + b"</p></body></html>",
    "page.html.gz": lambda: gzip.compress(b"<p>" + WORDS.encode() * 290_000),
    # WARC
    "headers.warc": lambda: warc(
        (b"".join(b"X-%d: a\r\n" % at for at in range(1_500_000)), OK + b"\r\n", PAGE, None), GOOD
    ),
    "header.warc": lambda: warc((b"X: " + b"a" * 50 * MB + b"\r\n", OK + b"\r\n", PAGE, None), GOOD),
    "headers.warc.gz": lambda: gzip.compress(warc((b"X: a\r\n" * 30 * MB, OK + b"\r\n", PAGE, None), GOOD)),
    "http-headers.warc": lambda: warc((b"", OK + b"X: a\r\n" * 3 * MB + b"\r\n", PAGE, None), GOOD),
    "http-header.warc.gz": lambda: gzip.compress(
        warc((b"", OK + b"X: " + b"a" * 300 * MB + b"\r\n\r\n", PAGE, None), GOOD)
    ),
    "http-headers.warc.gz": lambda: gzip.compress(warc((b"", OK + b"X: a\r\n" * 30 * MB + b"\r\n", PAGE, None), GOOD)),
    "http-endless.warc.gz": lambda: gzip.compress(warc((b"", OK + b"X: a\r\n" * 30 * MB, b"", None), GOOD)),
    "too-short.warc": lambda: warc((b"", OK + b"\r\n", PAGE, 5), GOOD),
    "too-long.warc": lambda: warc((b"", OK + b"\r\n", PAGE, 10**15), GOOD),
    "no-length.warc": lambda: warc(GOOD).replace(b"Content-Length", b"Content-Long"),
    "members.warc.gz": lambda: warc(*[GOOD] * 9000, member=gzip.compress),
    "empty-members.warc.gz": lambda: gzip.compress(b"") * 1_000_000 + gzip.compress(warc(GOOD)),
    "records.warc": lambda: warc(*[(b"", OK + b"\r\n", b"<p>a", None)] * 100_000),
    "records.warc.gz": lambda: gzip.compress(warc(*[(b"", OK + b"\r\n", b"<p>a", None)] * 500_000)),
    "other-records.warc.gz": lambda: gzip.compress(warc(GOOD).replace(b"response", b"requests") * MB),
    "body.warc.gz": lambda: gzip.compress(warc((b"", OK + b"\r\n", b"a" * 200 * MB, None), GOOD)),
    "gzip-body.warc": lambda: coded(b"gzip", gzip.compress(b"a" * 200 * MB)),
    "gzip-body-limit.warc": lambda: coded(b"gzip", gzip.compress(b"<p>" + WORDS.encode() * 290_000)),
    "gzip-members-body.warc": lambda: coded(b"gzip", gzip.compress(b"") * 900_000),
    "gzip-layers-body.warc": lambda: coded(b", ".join([b"gzip"] * 1000), gzip.compress(b"a" * 19 * MB)),
    "codings-body.warc": lambda: coded(b", ".join([b"deflate"] * 100_000), PAGE * 50_000),
    "deflate-body.warc": lambda: coded(b"deflate", zlib.compress(b"a" * 200 * MB)),
    "zstd-body.warc": lambda: coded(b"zstd", zstd_window(31)),
    "chunks-body.warc": lambda: chunked(b"a" * 3 * MB, 1),
    "lying-chunk.warc": lambda: warc(
        (b"", OK + b"Transfer-Encoding: chunked\r\n\r\n", b"ffffffff\r\n" + PAGE, None), GOOD
    ),
    "zstd.warc.zst": lambda: zstd(warc(*[GOOD] * 9000)),
    "uri.warc": lambda: warc(GOOD).replace(b"http://a/0", b"http://" + b"a" * 19 * MB),
}  # fmt: skip


def write(name, folder):
    """The bomb as a file, kept for the next time."""
    path = Path(folder) / name
    if not path.exists():
        part = Path(f"{path}.part")
        part.write_bytes(BOMBS[name]())
        part.replace(path)
    return path
