"""The dataset's licence is one under which all its sources can be passed on, or it says that there is none."""

import pytest

from gem_tasks.errors import UserError
from gem_tasks.hub.licence import licence_of


@pytest.mark.parametrize(
    ("claimed", "licence"),
    [
        (["CC-BY-4.0"], "cc-by-4.0"),
        (["CC BY 4.0, © Acme"], "cc-by-4.0"),
        (["https://creativecommons.org/licenses/by-sa/4.0/"], "cc-by-sa-4.0"),
        (["CC0-1.0", "Public Domain", "Unlicense"], "cc0-1.0"),
        (["MIT", "Apache-2.0"], "apache-2.0"),
        (["MIT", "CC0-1.0", "CC-BY-4.0"], "cc-by-4.0"),
        (["CC-BY-4.0", "CC-BY-SA-4.0"], "cc-by-sa-4.0"),
        (["CC-BY-4.0", "CC-BY-NC-4.0"], "cc-by-nc-4.0"),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "other"),
        (["GPL-3.0", "MIT"], "other"),
        (["GPLv3"], "gpl-3.0"),
        (["a licence of our own"], "other"),
        (["unknown"], "unknown"),
        (["unknown", "MIT"], "unknown"),
        (["summit"], "other"),
        ([], "unknown"),
    ],
)
def test_the_licence_of_claims(claimed, licence):
    assert licence_of(dict.fromkeys(claimed, 1)).id == licence


@pytest.mark.parametrize(
    "claim", ["CC-BY-ND-4.0", "CC BY-NC-ND 4.0", "All rights reserved", "Proprietary", "Confidential"]
)
def test_a_licence_that_forbids_derivatives_is_refused_by_name(claim):
    with pytest.raises(UserError, match="forbids publishing") as refused:
        licence_of({"MIT": 5, claim: 2})
    assert claim in str(refused.value)
