"""Imports what every session needs. Runs inside the guest at set-up; its memory becomes an image.
`PANDAS` is set before: whether the image has pandas imported too."""

import sys

sys.path.append("/usr/local/lib/spoor-site.zip")

import spoor.guest  # noqa: E402

spoor.guest.warm(PANDAS)  # noqa: F821
