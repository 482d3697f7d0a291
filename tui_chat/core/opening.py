"""What the command line asked for: parts of a setup that override what was there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tui_chat.core.conversation import Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.params import Params

if TYPE_CHECKING:
    from tui_chat.core.presets import Preset


@dataclass(frozen=True)
class Opening:
    """What flags said; None leaves a part of the setup alone."""

    endpoint: Endpoint | None = None
    model: str | None = None
    system: str | None = None
    preset: Preset | None = None
    params: Params = field(default_factory=Params)

    def applied_to(self, setup: Setup) -> Setup:
        """The setup with what the flags say; another endpoint begins with its own model."""
        if self.endpoint is not None and self.endpoint.name != setup.endpoint:
            setup = replace(setup, endpoint=self.endpoint.name, model=self.endpoint.model)
        if self.preset is not None:
            setup = self.preset.applied_to(setup)
        return replace(
            setup,
            model=setup.model if self.model is None else self.model,
            system=setup.system if self.system is None else self.system,
            params=Params({**setup.params, **self.params}),
        )
