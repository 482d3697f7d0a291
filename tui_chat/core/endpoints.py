"""An endpoint: a base URL, where its key comes from, what it accepts, and what is known of it.

It never holds a key, only the name of its source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tui_chat.core.conversation import COMPLETION
from tui_chat.core.parameter import Parameter
from tui_chat.core.rules import Rule

BUILT_IN = "built-in"
"""The name of the embedded local model's endpoint; its base URL is known once it runs."""
ENVIRONMENT = "environment"
"""The name of the endpoint that OPENAI_BASE_URL names."""
WAYS_TO_CONTINUE = ("prefill", "continue_final_message")
"""A last message of the assistant's own is gone on with (llama.cpp), or is where two fields say so (vLLM)."""
APIS = ("chat", "completions", "models")
ENGINE_NAMES = ("llamacpp", "vllm", "ollama", "openai")
"""The names of engines.ENGINES, which need not be loaded for them."""
WAYS = (*WAYS_TO_CONTINUE, COMPLETION)
GGUF = ".gguf"
"""How the name of a model file ends."""


@dataclass(frozen=True)
class Endpoint:
    """One server that speaks the OpenAI API."""

    name: str
    base_url: str = ""
    """With the version path, `https://host/v1`; empty for the built-in model while it is not running."""
    key_env: str = ""
    """The name of the environment variable that holds the key; never the key."""
    key_envs: tuple[str, ...] = ()
    """Other variables that may hold it, in the order in which they are looked at after that one."""
    key_command: tuple[str, ...] = ()
    """A command (no shell) that prints the key on its first line."""
    model: str = ""
    """The model to begin with; empty when only the server's list can tell."""
    preset: str = ""
    """The preset to begin with where a person has set nothing yet; empty for none."""
    accepts: frozenset[str] | None = None
    """The extension parameters it knows; None when that is not known (they are sent if set)."""
    rename: Mapping[str, str] = field(default_factory=dict)
    """Parameter name → field name, where its API wants another one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What its requests carry besides, name → value; never a key."""
    gguf: str = ""
    """The path of a model file on this machine, which the program serves itself; else empty."""
    counts_tokens: bool = False
    """Whether it offers llama.cpp's token counts (`/chat/completions/input_tokens`)."""
    counts_unasked: bool = False
    """Whether it counts a reply's tokens by itself, and refuses to be asked for that."""
    continues: str = ""
    """How it is asked to go on with a reply, one of WAYS_TO_CONTINUE; empty when its engine says it."""
    engine: str = ""
    """What kind of server it is, one of ENGINE_NAMES; empty when only its list of models can tell."""
    title: str = ""
    """What people call it; empty for the name."""
    url_env: str = ""
    """The environment variable that names its server; its base URL is that and `url_tail`."""
    url_tail: str = ""
    ports: tuple[int, ...] = ()
    """Where such a server listens on this machine, unless it is told otherwise."""
    apis: frozenset[str] | None = None
    """Which of APIS it has; None when that is not known."""
    prefers: tuple[str, ...] = ()
    """Patterns of models to begin with, the best first; `*` stands for any letters."""
    rules: tuple[Rule, ...] = ()
    """What it does with parameters, the first that applies counts: see rules.verdict()."""
    writes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Parameter name → value → the fields that say it there, in place of the parameter's own."""
    most_logprobs: int | None = None
    """How many candidates it tells at each place; 0 for none, None when that is not known."""
    counted_logprobs: bool = False
    """Whether its chats, too, want their number in the field that asks for them."""
    forwards: bool = False
    """Whether it hands requests on to others, who may charge for them."""
    catalogue: bool = False
    """Whether its list of models names what could be had, not what is there."""
    as_of: str = ""
    """The day on which all this was so, `2026-11-23`; empty for a person's own."""
    note: str = ""
    """What else a person should know, in a sentence or two."""

    @property
    def key_names(self) -> tuple[str, ...]:
        """The environment variables that may hold its key, in order."""
        return ((self.key_env,) if self.key_env else ()) + self.key_envs

    @property
    def openai(self) -> bool:
        """Whether it is OpenAI itself, whose models tiktoken knows."""
        return urlsplit(self.base_url).hostname == "api.openai.com"

    def takes(self, parameter: Parameter) -> bool:
        """Whether a request to it carries this parameter when it is set."""
        return not parameter.extension or self.accepts is None or parameter.name in self.accepts

    @property
    def served_here(self) -> bool:
        """Whether the program runs its model itself: the built-in one, or a file of the person's."""
        return self.name == BUILT_IN or bool(self.gguf)

    @property
    def place(self) -> str:
        """Under what the lessons of its models are kept: a model that we serve has another address in each
        run."""
        return self.name if self.served_here else self.base_url

    @property
    def local(self) -> bool:
        """Whether its requests stay on this machine, as far as it does not hand them on."""
        if self.served_here:
            return True
        host = urlsplit(self.base_url).hostname or ""
        return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None

    @property
    def free(self) -> bool:
        """Whether its replies cost nothing."""
        return self.local and not self.forwards
