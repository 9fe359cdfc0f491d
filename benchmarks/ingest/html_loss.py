r"""What the HTML reader loses of real pages, and what it keeps that is no content: against a browser's innerText.

    apt-get install python3-doc postgresql-doc git-doc gnucash-docs gimp-help-en \
        nodejs-doc debian-reference-en aptitude-doc-en
    python benchmarks/ingest/html_loss.py --pages 60 [--json OUT]

Each package's pages name the element of their content; what Chromium shows of it, sentence by sentence, has to be in
the text, and what it shows elsewhere should not be. Tables of contents count as neither.
"""

import argparse
import json
import random
import re
import shutil
import unicodedata
from pathlib import Path

import trafilatura
from playwright.sync_api import sync_playwright

from gem_tasks.corpus.normalise import normalise
from gem_tasks.domain.corpus import RawDocument

DOCBOOK = ("body", "div.navheader, div.navfooter")
SETS = {
    "python3-doc": ("/usr/share/doc/python3*/html/**/*.html", "div.body[role=main]", ""),
    "postgresql-doc": ("/usr/share/doc/postgresql-doc-*/html/*.html", *DOCBOOK),
    "git-doc": ("/usr/share/doc/git-doc/*.html", "body", "#footer, #footnotes"),
    "gnucash-docs": ("/usr/share/doc/gnucash-docs/gnucash-*-en/*.html", *DOCBOOK),
    "gnucash-docs (ja, de)": ("/usr/share/doc/gnucash-docs/gnucash-*-[jd][ae]/*.html", *DOCBOOK),
    "gimp-help-en": ("/usr/share/gimp/2.0/help/en/*.html", *DOCBOOK),
    "debian-reference": ("/usr/share/debian-reference/*.en.html", *DOCBOOK),
    "aptitude-doc": ("/usr/share/doc/aptitude/html/en/*.html", *DOCBOOK),
    "nodejs-doc": ("/usr/share/doc/nodejs/api/*.html", "#apicontent", ""),
    "npm": ("**/node_modules/npm/docs/output/**/*.html", "#_content", ""),
}
CONTENTS = "nav, div.toc, .contents.topic, #_table_of_contents, #toc, details#toc, .sphinxsidebar .toctree"
SHOWN = """([selector, apart, contents]) => {
    for (const each of document.querySelectorAll("details")) each.open = true;
    const gone = (css, root) => { if (css) for (const each of [...root.querySelectorAll(css)]) each.remove(); };
    gone(contents, document); gone("script, style, noscript", document);
    const main = [...document.querySelectorAll(selector)][0];
    if (!main) return null;
    const aside = [];
    if (apart) for (const each of [...main.querySelectorAll(apart)]) { aside.push(each.innerText); each.remove(); }
    const items = [...main.querySelectorAll("li")].map(each => each.innerText);
    const text = main.innerText;
    if (main !== document.body) { main.remove(); aside.push(document.body.innerText); }
    return {text, items, rest: aside.join("\\n")};
}"""
_END = re.compile(r"[\n\t]+|(?<=[.!?。！？])\s+")


def words(text):
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def flat(text):
    return "".join(words(text))


def sentences(text, least):
    return [part for part in (flat(each) for each in _END.split(text) if len(words(each)) >= least) if part]


def measure(page, source, selector, apart):
    page.set_content(source, wait_until="domcontentloaded")
    shown = page.evaluate(SHOWN, [selector, apart, CONTENTS])
    if not shown:
        return None
    raw = RawDocument(uri="file:///page", etag="1", text=source, media_type="text/html")
    text = flat(normalise(raw, 0).text)
    content = sentences(shown["text"], 3)
    items = [part for item in shown["items"] for part in sentences(item, 1)[:1]]
    own = flat(shown["text"])
    foreign = [each for each in sentences(shown["rest"], 2) if each not in own]
    return {
        "sentences": len(content),
        "lost": [each for each in content if each not in text],
        "items": len(items),
        "lost items": [each for each in items if each not in text],
        "foreign": len(foreign),
        "kept": [each for each in foreign if each in text],
    }


def pages_of(pattern, most):
    root = Path("/") if pattern.startswith("/") else Path(trafilatura.__file__).parents[1]
    found = sorted(root.glob(pattern.removeprefix("/")))
    random.Random(7).shuffle(found)
    return found[:most]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=60, help="of each package")
    parser.add_argument("--only", default="")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    every = {}
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(java_script_enabled=False, offline=True).new_page()
        for name, (pattern, selector, apart) in SETS.items():
            if options.only and options.only not in name:
                continue
            found = every[name] = {}
            for path in pages_of(pattern, options.pages):
                source = path.read_text(encoding="utf-8", errors="replace")
                if len(source) < 400_000 and (result := measure(page, source, selector, apart)):
                    found[str(path)] = result
            show(name, found.values())
        browser.close()
    show("all", [each for found in every.values() for each in found.values()])
    if options.json:
        Path(options.json).write_text(json.dumps(every, ensure_ascii=False, indent=1), encoding="utf-8")


def show(name, results):
    results = list(results)
    total = {
        key: sum(each[key] if isinstance(each[key], int) else len(each[key]) for each in results)
        for key in ("sentences", "lost", "items", "lost items", "foreign", "kept")
    }
    print(f"{name:22} {len(results):4} pages", *(f"{key} {value}" for key, value in total.items()), flush=True)


if __name__ == "__main__":
    main()
