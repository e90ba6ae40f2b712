"""Imports what every session needs. Runs inside the guest at set-up; its memory becomes the
image."""

import sys

sys.path.append("/usr/local/lib/spoor-site.zip")

import spoor.guest  # noqa: E402

spoor.guest.warm()
