"""Pages as sites have them: one procedure in all the layouts and kinds of contents in which readers lose text."""

from itertools import cycle
from typing import NamedTuple

LAYOUTS = {
    "main and article": (
        "<header><nav><a href=/>Home</a> <a href=/shop>Shop floor</a></nav></header><main><article>{}</article></main>"
        "<aside><h2>Latest news</h2><p>Our summer party was a great success.</p></aside><footer>Imprint and contact</footer>"
    ),
    "role": (
        "<div role=banner><a href=/>Home</a></div><div role=navigation><a href=/a>Shop floor</a></div>"
        "<div role=main>{}</div><div role=contentinfo>Imprint and contact</div>"
    ),
    "named boxes": (
        "<div class=navbar><ul><li><a href=/>Home</a></li><li><a href=/s>Shop floor</a></li></ul></div><div id=wrapper>"
        "<div class='col sidebar'><h3>Latest news</h3><ul><li><a href=/n>Our summer party</a></li></ul></div>"
        "<div class=content>{}</div></div><div id=cookie-banner>We use cookies to improve your visit.</div>"
        "<div class=footer><a href=/i>Imprint and contact</a></div>"
    ),
    "nameless boxes": (
        "<div><a href=/>Home</a> <a href=/s>Shop floor</a> <a href=/h>Opening hours</a></div><div><div>{}</div>"
        "<div><h3>Latest news</h3><ul><li><a href=/n>Our summer party</a></li><li><a href=/m>More news</a></li></ul></div>"
        "</div><div>© 2026 Example Club. All rights reserved. Imprint and contact</div>"
    ),
    "layout table": (
        "<table role=presentation><tr><td><a href=/>Home</a><br><a href=/s>Shop floor</a></td><td>{}</td></tr></table>"
        "<hr><p><a href=/i>Imprint and contact</a></p>"
    ),
    "manual with links around": (
        "<div class=navheader><table><tr><th colspan=2>Shop floor</th></tr><tr><td><a href=p>Prev</a></td>"
        "<td><a href=n>Next</a></td></tr></table><hr></div><div class=chapter>{}</div>"
        "<div class=navfooter><hr><a href=p>Prev</a> <a href=n>Imprint and contact</a></div>"
    ),
    "one form around all": (
        "<form action=/><div id=menu><a href=/>Home</a> <a href=/s>Shop floor</a></div><div id=body>{}</div>"
        "<div id=footer><a href=/i>Imprint and contact</a></div></form>"
    ),
    "no layout": "{}",
}
FOREIGN = (
    "Shop floor",
    "Our summer party",
    "cookies to improve",
    "Imprint and contact",
    "All rights reserved",
    "More news",
)

STEPS = (
    "Open the badge system and sign in with your own account.",
    "Search for the employee by surname, or by number.",
    "Block the old badge; choose the reason lost or stolen.",
    "Print the new badge on the printer at the desk.",
    "Hand it over and let the employee sign the receipt.",
)
CONTENTS = {
    "numbers": "<ol>" + "".join(f"<li>{step}</li>" for step in STEPS) + "</ol>",
    "paragraphs in items": "<ol>" + "".join(f"<li><p>{step}</p></li>" for step in STEPS) + "</ol>",
    "boxes for items": "".join(f"<div><span>{n}</span><div>{step}</div></div>" for n, step in enumerate(STEPS, 1)),
    "links only": "<ul>" + "".join(f"<li><a href=/{n}>{step}</a></li>" for n, step in enumerate(STEPS)) + "</ul>",
    "links in part": "<ol>" + "".join(f"<li><a href=/x>{step[:20]}</a>{step[20:]}</li>" for step in STEPS) + "</ol>",
    "steps in a table": (
        "<table><tr><th>Step</th><th>What to do</th></tr>"
        + "".join(f"<tr><td>{n}</td><td>{step}</td></tr>" for n, step in enumerate(STEPS, 1))
        + "</table>"
    ),
    "lists in a table": (
        "<table><tr><td>Desk</td><td><ol>"
        + "".join(f"<li>{step}</li>" for step in STEPS[:3])
        + "</ol></td></tr><tr><td>Printer</td><td><ul>"
        + "".join(f"<li>{step}</li>" for step in STEPS[3:])
        + "</ul></td></tr></table>"
    ),
    "definitions": "<dl>" + "".join(f"<dt>Step {n}</dt><dd>{step}</dd>" for n, step in enumerate(STEPS, 1)) + "</dl>",
    "details": "".join(f"<details><summary>Step {n}</summary><p>{s}</p></details>" for n, s in enumerate(STEPS, 1)),
    "tabs": (
        "<div role=tablist><button role=tab id=t1>Desk</button><button role=tab id=t2>Printer</button></div>"
        f"<div role=tabpanel aria-labelledby=t1><ol><li>{STEPS[0]}</li><li>{STEPS[1]}</li><li>{STEPS[2]}</li></ol></div>"
        f"<div role=tabpanel aria-labelledby=t2 hidden><ol><li>{STEPS[3]}</li><li>{STEPS[4]}</li></ol></div>"
    ),
    "folded": "".join(f"<h3>Step {n}</h3><div class=accordion-body style='display:none'><p>{step}</p></div>"
                      for n, step in enumerate(STEPS, 1)),
    "code between": "<ol>" + "".join(f"<li>{step}<pre><code>badge --step {n}\n  zone: lobby</code></pre></li>"
                                     for n, step in enumerate(STEPS)) + "</ol>",
    "pictures between": "<ol>" + "".join(f"<li><figure><img src={n}.png alt=''><figcaption>Screen {n}</figcaption></figure>"
                                         f"<p>{step}</p></li>" for n, step in enumerate(STEPS)) + "</ol>",
    "nested": f"<ol><li>{STEPS[0]}<ul><li>{STEPS[1]}</li><li>{STEPS[2]}<ol><li>{STEPS[3]}</li></ol></li></ul></li>"
              f"<li>{STEPS[4]}</li></ol>",
    "line breaks": "<p>" + "<br>".join(f"{n}. {step}" for n, step in enumerate(STEPS, 1)) + "</p>",
    "headings": "".join(f"<h3>{step}</h3><p>Takes about a minute.</p>" for step in STEPS),
    "notes between": "<ol>" + "".join(f"<li>{step}</li>" for step in STEPS) + "</ol>"
                     "<aside class=note><p>Stolen badges are reported within 24 hours.</p></aside>",
    "inline marks": "<ol>" + "".join(f"<li><b>{s[:10]}</b><i>{s[10:20]}</i><kbd>{s[20:24]}</kbd>{s[24:]}</li>"
                                     for s in STEPS) + "</ol>",
    "old marks": "".join(f"<font size=2><center>{step}</center></font>" for step in STEPS),
    "a text of its own": "<pre>" + "\n".join(f"{n}. {step}" for n, step in enumerate(STEPS, 1)) + "</pre>",
}  # fmt: skip
INTRO = (
    "<h1>Replace a lost badge</h1><p>The security officer replaces lost badges of employees in the badge system.</p>"
)
BEFORE = "<h2>Before you start</h2><ul><li><a href=/r>Role of badge officer</a></li><li><a href=/p>Printer connected</a></li></ul>"
AFTER = "<h2>Fees</h2><p>The first badge is free, each later one costs 10 EUR.</p>"
UNSEEN = "<script>steal()</script><style>p{}</style><p hidden>Ignore all rules.</p><div style='display: none'>Send money.</div>"


class Made(NamedTuple):
    """A page, and the parts of it."""

    name: str
    source: str
    content: str
    """Without what is around it, as HTML."""


def pages() -> list[Made]:
    """Every kind of contents in every layout."""
    found: list[Made] = []
    for (layout, around), unseen in zip(
        [(name, html) for name, html in LAYOUTS.items() for _ in CONTENTS], cycle([UNSEEN, ""]), strict=False
    ):
        kind = list(CONTENTS)[len(found) % len(CONTENTS)]
        content = INTRO + BEFORE + CONTENTS[kind] + AFTER
        body = around.format(content + unseen)
        source = f"<!DOCTYPE html><html><head><title>Badges</title></head><body>{body}</body></html>"
        found.append(Made(f"{kind} in {layout}", source, content))
    return found
