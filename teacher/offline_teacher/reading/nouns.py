"""Nouns by the part they play in an instruction: things, parts of a screen, fields, aspects of a thing."""

SCREEN_NOUNS = frozenset(
    """page button field action icon menu tab window dialog option checkbox box screen link pane panel column row
    fasttab section view dropdown toggle command key arrow symbol ribbon cell grid header banner tile card toolbar bar
    sidebar popup prompt website homepage worksheet wizard area corner cursor mouse tooltip factbox""".split()
)
"""What one looks at, not what one works on; cut off the end of a name."""

NO_THINGS = frozenset(
    """step way thing detail information more procedure process example note following sure need time use data
    part kind change result place work end top bottom right left side something anything everything yes no incl default
    url close open enter select choose click rest total sum question answer reason instruction article
    section line text word letter content entry point value name number one other lot set setup setting selection
    choice task day week month year hour minute second moment person people somebody someone anybody nobody you us
    value criterion condition purpose effect impact look advantage care attention decision sense cost benefit
    ok cancel save filter figure table screenshot beginning start middle mode version state status type wait
    who what which where when how why level list page issue problem fact order area bit attention
    course manner respect regard relation situation circumstance idea example window link icon eye hand head foot
    above below picture image photo video tab option operation function feature functionality configuration""".split()
)
"""Too general to be the thing that a tool is named after, alone."""

FIELD_NOUNS = frozenset(
    """date quantity amount description name number code type reason price time period currency language address email
    status percentage rate title comment note password username phone weight temperature duration deadline priority
    category color size level mode subject message text value count total discount unit range format frequency limit
    threshold interval start end id reference account-number tag label key width height volume speed power country city
    birthday age gender percent url schedule outcome condition result visibility""".split()
)
"""What is entered or set rather than worked on."""

ASPECTS = frozenset(
    """status state detail details information data property balance deadline availability number amount list history
    content version quality progress result name title value date type purpose correctness identity validity""".split()
)
"""What one looks up about a thing: `the status of the booking` is about the booking."""

SINGLETONS = frozenset(
    "setup settings setting configuration preference preferences profile calendar information".split()
)
"""A thing whose name ends so exists once: no search leads to it."""

EMPTY_ADJECTIVES = frozenset(
    """the a an this that these those your their its his her my our each any all every another other some following new
    same old relevant required necessary appropriate correct specific current existing own such both more one two three
    four five first second third last next previous entire whole full remaining additional different certain available
    wrong right free open chosen selected desired given accepted announced posted corrective updated original actual
    particular main important multiple several many few only least most best proper suitable empty blank
    corresponding respective final initial preferred applicable valid just even still also newly recently
    previously already related default various possible individual single separate specified listed
    no not if whether how what which when where why good clear""".split()
)
"""Say nothing about what kind of thing it is."""

KEEP_PARTICIPLES = frozenset("fixed shared blanket feed seed bed speed united advanced planned combined".split())

ING_THINGS = frozenset(
    """booking meeting building listing setting training filing drawing recording rating ruling painting string posting
    holding landing reading heading offering opening spelling warning mapping coupling pricing""".split()
)
"""Things, though they end like a verb."""

OPENABLE = frozenset(
    "door compartment valve gate lid drawer hatch cover lock safe port tap vent shutter barrier".split()
)
"""What is opened by a machine; opening anything else only shows it."""
