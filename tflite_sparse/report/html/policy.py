"""What a page may do: nothing may be fetched, and nothing runs but what it was written with."""

from __future__ import annotations

import base64
import hashlib

__all__ = ["policy"]


def policy(style: str, script: str) -> str:
    """The content security policy of a page.

    Args:
        style: its style sheet.
        script: its script.
    """
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)};"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
