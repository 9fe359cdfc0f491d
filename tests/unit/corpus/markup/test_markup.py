"""reStructuredText, AsciiDoc and MDX become Markdown without losing steps."""

from gem_tasks.corpus.markup.asciidoc import asciidoc_to_markdown
from gem_tasks.corpus.markup.mdx import mdx_to_markdown
from gem_tasks.corpus.markup.rst import rst_to_markdown
from gem_tasks.corpus.text.clean import clean

RST = """
Return
======

See :ref:`the rules <rules>` and :guilabel:`OK`.

3. Open it.

   a) Look.
   b) Feel.

4. Close it.

.. warning:: Hot.

.. tabs::

   .. tab:: Linux

      Run it.

.. code-block:: sh

   ls -l

.. include:: /etc/hostname

.. raw:: html

   <script>x</script>
"""
ASCIIDOC = """= Return
Jo Doe <jo@example.org>
:unit: pump

. Open the {unit}.
.. Look.
.. Feel.
+
With both hands.
. Close it.
* Bullet

[cols="1,1"]
|===
|Step |Action

|1
|Press <<x,the button>>
|===

[source,sh]
----
== no heading
----

include::secret.adoc[]
Press kbd:[Enter]. // stays
"""
MDX = """import A from 'a'
export const b = {
  c: 1
}

# Return

<Tabs items={["x > y"]}>
<Tab title="Linux" style={{a: 1}}>

1. Press `<Enter>` if a < b.
   {/* no */}
2. Wait <Lamp color="green"/> now.

</Tab>
</Tabs>

```jsx
import React from 'react'
<App/>
```
"""


def test_rst():
    text = rst_to_markdown(RST)

    assert text == (
        "# Return\n\nSee the rules and OK.\n\n3. Open it.\n   - a) Look.\n   - b) Feel.\n4. Close it.\n\n"
        "Warning\n\nHot.\n\n"
        "Linux\n\nRun it.\n\n```\nls -l\n```"
    )


def test_rst_that_docutils_cannot_read_stays():
    assert "| a | b" in rst_to_markdown("+---+\n| a | b\n+--\n\nText.")


def test_asciidoc():
    text = clean(asciidoc_to_markdown(ASCIIDOC))

    assert text == (
        "# Return\n\n1. Open the pump.\n   a. Look.\n   b. Feel.\n\n      With both hands.\n2. Close it.\n"
        "   - Bullet\n\n"
        "| Step | Action |\n|---|---|\n| 1 | Press the button |\n\n```\n== no heading\n```\n\nPress Enter. // stays"
    )


def test_mdx():
    text = clean(mdx_to_markdown(MDX))

    assert text == (
        "# Return\n\n**Linux**\n\n1. Press `<Enter>` if a < b.\n\n2. Wait  now.\n\n"
        "```jsx\nimport React from 'react'\n<App/>\n```"
    )
