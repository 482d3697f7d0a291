"""What the bars of a distribution leave open, in one sentence: they must not be taken for more than is known."""

from __future__ import annotations

from tui_chat.core.engines import Engine
from tui_chat.core.knobs import NOT_SHAPED, Knobs
from tui_chat.core.params import BY_NAME, Params


def caveat(params: Params, engine: Engine, *, neutral: bool) -> str:
    """The most important thing that these bars cannot show; empty when there is none.

    `neutral` is whether what is not set changes nothing at this endpoint; `engine` how it draws.
    """
    knobs = Knobs.of(params)
    for name in NOT_SHAPED:
        if params.get(name, BY_NAME[name].neutral) != BY_NAME[name].neutral:
            return (
                f"{BY_NAME[name].label} is not in these bars: it acts on scores that are not told."
            )
    penalised = knobs.frequency_penalty or knobs.presence_penalty
    if penalised and engine.sampler.counts_prompt and not engine.whole_vocabulary:
        return (
            "Penalties are not in these bars: they count tokens of the prompt, which are not told."
        )
    cuts = knobs.top_p < 1.0 or knobs.top_k > 0 or knobs.min_p > 0.0
    if not engine.sampler.known and cuts and knobs.temperature != 1.0:
        return "Whether it cuts before or after temperature is not told; here it is after."
    shaping = [one for one in Knobs.__slots__ if not one.endswith("penalty")]
    if not neutral and any(one not in params for one in shaping[:2]):
        return "What is not set may have a default there that is not in these bars."
    return ""
