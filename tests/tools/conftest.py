"""The tools of the checkout can be imported, as the build imports them."""

from __future__ import annotations

import sys

from tests.checkout import CHECKOUT

# At the end: the package under test is the installed one, which comes before the checkout's.
sys.path.append(str(CHECKOUT))
