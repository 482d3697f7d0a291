"""In the rooms' tests the same style sheet is parsed once for all programs of a test process, not at each start."""

from __future__ import annotations

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation

_parse = Stylesheet._parse_rules
_parsed: dict[object, list[RuleSet]] = {}
"""Rules are never changed once they are parsed: Textual keeps them in the same way for one program."""


def _parse_rules(
    sheet: Stylesheet,
    css: str,
    read_from: CSSLocation,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    variables = tuple(sheet._variables.items())
    key = (css, read_from, is_default_rules, tie_breaker, scope, variables)
    if key not in _parsed:
        _parsed[key] = _parse(sheet, css, read_from, is_default_rules, tie_breaker, scope)
    return _parsed[key]


def parse_styles_once(patch: pytest.MonkeyPatch) -> None:
    """From now on, as long as the patch holds."""
    patch.setattr(Stylesheet, "_parse_rules", _parse_rules)
