"""Endpoints: a base URL, where its key comes from, what it accepts; the known ones and a person's own.

An endpoint never holds a key, only the name of its source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from tui_chat.core.conversation import COMPLETION
from tui_chat.core.errors import ChatError
from tui_chat.core.params import BY_NAME, PARAMETERS, Parameter
from tui_chat.core.text import clean, one_line

BUILT_IN = "built-in"
"""The name of the embedded local model's endpoint; its base URL is known once it runs."""
ENVIRONMENT = "environment"
"""The name of the endpoint that OPENAI_BASE_URL names."""
DATA = Path(__file__).parent.parent / "data"
WAYS_TO_CONTINUE = ("prefill", "continue_final_message")
"""A last message of the assistant's own is gone on with (llama.cpp), or is where two fields say so (vLLM)."""
ENGINE_NAMES = ("llamacpp", "vllm", "ollama", "openai")
"""The names of engines.ENGINES, which need not be loaded for them."""
WAYS = (*WAYS_TO_CONTINUE, COMPLETION)
GGUF = ".gguf"
"""How the name of a model file ends."""
_KEY_HINT = "Put the key into an environment variable and name it: --key-env NAME."
_URL_HINT = "It begins with http:// or https:// and a host: http://127.0.0.1:8080/v1."


@dataclass(frozen=True)
class Endpoint:
    """One server that speaks the OpenAI API."""

    name: str
    base_url: str = ""
    """With the version path, `https://host/v1`; empty for the built-in model while it is not running."""
    key_env: str = ""
    """The name of the environment variable that holds the key; never the key."""
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
    gguf: str = ""
    """The path of a model file on this machine, which the program serves itself; else empty."""
    counts_tokens: bool = False
    """Whether it offers llama.cpp's token counts (`/chat/completions/input_tokens`)."""
    continues: str = ""
    """How it is asked to go on with a reply, one of WAYS_TO_CONTINUE; empty when its engine says it."""
    engine: str = ""
    """What kind of server it is, one of ENGINE_NAMES; empty when only its list of models can tell."""

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
    def local(self) -> bool:
        """Whether its requests stay on this machine (and cost nothing)."""
        if self.served_here:
            return True
        host = urlsplit(self.base_url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")


_PASTED_TAILS = ("/chat/completions", "/completions", "/models", "/responses")


def normal_base_url(text: str) -> str:
    """A base URL as it is used: scheme and host checked, no query, no tail of one request.

    ChatError when it is none, or when it holds a password or key, which belongs elsewhere; neither
    is repeated in it.
    """
    url = text.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # The cause would repeat what may hold a password.
        raise _no_url(url) from None
    if parts.username or parts.password:
        raise ChatError("A base URL must not hold a key or a password.", _KEY_HINT)
    host = parts.hostname or ""
    plain = url.isprintable() and not re.search(r"\s", url) and re.search(r"\w", host)
    if parts.scheme not in ("http", "https") or not plain:
        raise _no_url(url)
    if parts.query:
        raise ChatError("A base URL has no query: nothing after a “?”.", _KEY_HINT)
    path = parts.path.rstrip("/")
    for tail in _PASTED_TAILS:
        path = path.removesuffix(tail)
    host = f"[{host}]" if ":" in host else host
    place = host if port is None else f"{host}:{port}"
    return clean(f"{parts.scheme}://{place}{path.rstrip('/')}")


def _no_url(text: str) -> ChatError:
    secret = any(mark in text for mark in "@?") or looks_like_key(text)
    shown = "This" if secret else f"“{one_line(text, 80)}”"
    return ChatError(f"{shown} is not a URL.", _URL_HINT)


def looks_like_key(text: str) -> bool:
    """Whether it is rather a key, pasted where a name or a URL belongs; such a text is not repeated."""
    # As providers make them: with a prefix of theirs, or long, with digits, and unlike NAMES_IN_WORDS.
    mixed = r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z]|[^_]*$)[\w-]{20,}"
    return re.fullmatch(rf"sk-.*|(gsk|hf|xai)[_-]\w{{20,}}|{mixed}", text) is not None


def _host_name(base_url: str) -> str:
    """The name of an endpoint that only has a URL: its host, with its port where it has one."""
    return urlsplit(base_url).netloc


def endpoint_from(name: str, table: Mapping[str, object]) -> Endpoint:
    """An endpoint as settings or data describe it; ValueError or ChatError in words for what is wrong."""
    unknown = table.keys() - {
        "base_url", "key_env", "key_command", "model", "preset", "gguf", "accepts", "rename", "counts_tokens",
        "continues", "engine",
    }  # fmt: skip
    if unknown:
        raise ValueError(f"there is no “{one_line(min(unknown), 40)}” in an endpoint.")
    texts = {key: table.get(key, "") for key in ("base_url", "key_env", "model", "preset", "gguf")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise ValueError(f"{key} takes a text in quotes.")
    base_url = str(texts["base_url"])
    gguf = str(texts["gguf"])
    if gguf and not base_url:
        return model_file(gguf, one_line(name))
    if not base_url and name != BUILT_IN:
        raise ValueError("base_url is missing.")
    key_env = str(texts["key_env"])
    if key_env and (not key_env.isidentifier() or looks_like_key(key_env)):
        # A key pasted here by mistake must not be repeated on the screen.
        raise ValueError("key_env takes the name of an environment variable, not a key.")
    counts_tokens = table.get("counts_tokens", False)
    if not isinstance(counts_tokens, bool):
        raise ValueError("counts_tokens takes true or false.")
    continues = table.get("continues", "")
    if continues not in ("", *WAYS_TO_CONTINUE):
        raise ValueError(f"continues takes {' or '.join(WAYS_TO_CONTINUE)}.")
    engine = table.get("engine", "")
    if engine not in ("", *ENGINE_NAMES):
        raise ValueError(f"engine takes {' or '.join(ENGINE_NAMES)}.")
    return Endpoint(
        one_line(name),
        normal_base_url(base_url) if base_url else "",
        key_env,
        tuple(_words(table, "key_command") or ()),
        clean(str(texts["model"])),
        clean(str(texts["preset"])),
        _accepted(table),
        _renamed(table),
        counts_tokens=counts_tokens,
        continues=str(continues),
        engine=str(engine),
    )


def model_file(path: str, name: str = "") -> Endpoint:
    """A model file on this machine as an endpoint, named after it; ChatError when it cannot be one."""
    try:
        file = Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise ChatError(f"There is no such home directory: {one_line(path, 80)}.") from error
    if file.suffix.lower() != GGUF or not file.is_file():
        raise ChatError(
            f"There is no model file {one_line(str(file))}.", f"Its name ends in {GGUF}."
        )
    model = clean(file.stem)
    # llama.cpp's server takes what its API knows, whatever the model.
    known = frozenset(parameter.name for parameter in PARAMETERS if parameter.extension)
    return Endpoint(
        name or one_line(model, 60),
        model=model,
        accepts=known,
        gguf=str(file),
        counts_tokens=True,
        engine="llamacpp",
    )


def _words(table: Mapping[str, object], key: str) -> list[str] | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError(f"{key} takes a list of texts.")
    return value


def _accepted(table: Mapping[str, object]) -> frozenset[str] | None:
    names = _words(table, "accepts")
    extensions = {parameter.name for parameter in PARAMETERS if parameter.extension}
    for name in names or ():
        if name not in extensions:
            raise ValueError(
                f"accepts knows {', '.join(sorted(extensions))}, not “{one_line(name, 40)}”."
            )
    return None if names is None else frozenset(names)


def _renamed(table: Mapping[str, object]) -> Mapping[str, str]:
    value = table.get("rename", {})
    if not isinstance(value, dict):
        raise ValueError("rename takes a table of names.")
    for name, field_name in value.items():
        if name not in BY_NAME:
            raise ValueError(f"there is no parameter “{one_line(name, 40)}” to rename.")
        if not isinstance(field_name, str) or not field_name.isidentifier():
            raise ValueError(f"rename takes the name of a field for {name}.")
    return MappingProxyType(dict(value))


def known_endpoints() -> tuple[Endpoint, ...]:
    """Those that ship with the program, the built-in model first."""
    tables = json.loads((DATA / "endpoints.json").read_text("utf-8"))["endpoints"]
    return tuple(endpoint_from(name, table) for name, table in tables.items())


class Endpoints:
    """The endpoints there are, by name, in the order in which they are offered."""

    def __init__(
        self,
        items: Iterable[Endpoint],
        typed: frozenset[str] = frozenset(),
        problem: str = "",
    ) -> None:
        self._items = {endpoint.name: endpoint for endpoint in items}
        self._typed = typed
        self.problem = problem
        """Why what OPENAI_BASE_URL names is not among them; empty when there is nothing to say."""

    @classmethod
    def gathered(cls, own: Iterable[Endpoint], environ: Mapping[str, str]) -> Endpoints:
        """The known ones, what OPENAI_BASE_URL names, and a person's own, which replace others by name."""
        known, own = known_endpoints(), tuple(own)
        url = environ.get("OPENAI_BASE_URL", "")
        if not url.strip():
            return cls([*known, *own])
        try:
            base_url = normal_base_url(url)
        except ChatError as error:
            return cls([*known, *own], problem=f"OPENAI_BASE_URL was not used: {error}")
        if any(endpoint.base_url == base_url for endpoint in known):
            return cls([*known, *own])
        # Whoever set both variables in one environment meant them for each other.
        return cls([*known, Endpoint(ENVIRONMENT, base_url, "OPENAI_API_KEY"), *own])

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._items.values())

    def has(self, name: str) -> bool:
        return name in self._items

    @property
    def typed(self) -> tuple[Endpoint, ...]:
        """Those that were added by URL, so that no settings know them at the next start."""
        return tuple(endpoint for endpoint in self if endpoint.name in self._typed)

    def find(self, name: str) -> Endpoint:
        """The endpoint with this name; ChatError names those there are."""
        if name not in self._items:
            raise ChatError(
                f"There is no endpoint “{one_line(name, 60)}”.",
                f"There are: {', '.join(self._items)}. A URL adds one.",
            )
        return self._items[name]

    def with_url(self, url: str, key_env: str = "") -> tuple[Endpoints, Endpoint]:
        """These and one more at a URL, named after its host; the one that is there already where its
        key does not come from elsewhere. ChatError when it is no URL, or key_env no name."""
        base_url = normal_base_url(url)
        for endpoint in self:
            if endpoint.base_url == base_url and key_env in ("", endpoint.key_env):
                return self, endpoint
        try:
            table = {"base_url": base_url, "key_env": key_env}
            endpoint = endpoint_from(_host_name(base_url), table)
        except ValueError as error:
            raise ChatError(str(error)) from error
        typed = self._typed | {endpoint.name}
        return Endpoints([*self, endpoint], typed, self.problem), endpoint

    def with_file(self, path: str) -> tuple[Endpoints, Endpoint]:
        """These and a model file on this machine; ChatError when there is none."""
        endpoint = model_file(path)
        for known in self:
            if known.gguf == endpoint.gguf:
                return self, known
        return Endpoints([*self, endpoint], self._typed | {endpoint.name}, self.problem), endpoint

    def default(
        self, wanted: str, environ: Mapping[str, str], model_ready: bool
    ) -> Endpoint | None:
        """Where a first start sends to: as settings want, else what the environment names, else the built-in model."""
        if wanted in self._items:
            return self._items[wanted]
        if ENVIRONMENT in self._items:
            return self._items[ENVIRONMENT]
        for endpoint in self:
            # With a problem, the key is meant for a server that we failed to understand.
            meant = endpoint.openai and not self.problem
            if meant and environ.get(endpoint.key_env, "").strip():
                return endpoint
        return self._items[BUILT_IN] if model_ready else None
