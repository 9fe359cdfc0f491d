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


def test_asciidoc_macros_keep_what_a_reader_sees():
    text = asciidoc_to_markdown(
        "Words\n\n_link:a.adoc[The page]_ (https://x.org/a[X]), Array[0], <<here>>, <<y, the y>>. [.red]#Hot#.\n"
        "Press kbd:[Ctrl]+kbd:[C], menu:File[Save as].footnote:[See link:b[this].]\n"
        "[[here]]Seen image:https://x.org/a.png[Alt]here. link:b[] +"
    )

    assert text == (
        "Words\n\n_The page_ (X), Array[0], here, the y. Hot.\n"
        "Press Ctrl+C, File > Save as. (See this.)\n"
        "Seen here. link:b[]"
    )


def test_asciidoc_cells_lose_what_describes_them_and_no_letters():
    text = asciidoc_to_markdown("Words\n\n|===\n|Name|Data\n\n|a|b\n2+|wide .2+^.>s|tall\n|===")

    assert text.split("\n")[3:-1] == ["| Name | Data |", "|---|---|", "| a | b |", "| wide | tall |"]


def test_asciidoc_tables_of_values_may_have_short_rows():
    text = asciidoc_to_markdown("Words\n\n,===\na\nb,c\n,===")

    assert text.split("\n")[3:-1] == ["| a |  |", "|---|---|", "| b | c |"]


def test_asciidoc_attributes_multiply_a_text_up_to_a_bound():
    text = asciidoc_to_markdown(f":a: {'x' * 100_000}\n\n" + "{a}" * 100)

    assert text.count("x") == 1_000_000
    assert text.count("{a}") == 90


def test_rst_roles_show_their_title():
    text = rst_to_markdown("See :py:func:`the call <a.b>`, :odd-role:`~x`, (:other.role:`a < b`).")

    assert text == "See the call, x, (a < b)."


def test_mdx():
    text = clean(mdx_to_markdown(MDX))

    assert text == (
        "# Return\n\n**Linux**\n\n1. Press `<Enter>` if a < b.\n\n2. Wait  now.\n\n"
        "```jsx\nimport React from 'react'\n<App/>\n```"
    )
