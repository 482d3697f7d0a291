"""What is known of models and parameters: what is held back, what is only said, what a person insists on."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.core.stored import params
from tui_chat.core.conversation import Setup
from tui_chat.core.endpoint_tables import endpoint_from, known_endpoints
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.heeding import Heed, explained, heed, heeds, held_back, told_of
from tui_chat.core.params import PARAMETERS, Params

KNOWN = {one.name: one for one in known_endpoints()}


def kinds(endpoint: str, model: str, **values: object) -> dict[str, str]:
    """What becomes of each of these parameters, where it is not simply heeded."""
    setup = Setup(endpoint, model, params=Params(values))
    found = heeds(KNOWN[endpoint], setup)
    return {name: found[name].kind for name in values if name in found}


@pytest.mark.parametrize(
    ("endpoint", "model", "values", "found"),
    [
        ("openai", "gpt-4.1-mini", {"temperature": 0.2, "stop": "x"}, {}),
        ("openai", "gpt-4.1-mini", {"reasoning_effort": "low"}, {"reasoning_effort": "refused"}),
        ("openai", "gpt-6-astra", {"temperature": 0.2}, {"temperature": "refused"}),
        ("openai", "gpt-6-astra", {"temperature": 1}, {}),
        ("openai", "gpt-6.2-sol", {"frequency_penalty": 0}, {}),
        ("openai", "gpt-6.2-sol", {"frequency_penalty": 1}, {"frequency_penalty": "refused"}),
        ("openai", "gpt-6.2-sol", {"reasoning_effort": "none"}, {"reasoning_effort": "refused"}),
        ("openai", "gpt-6.2-sol", {"reasoning_effort": "xhigh"}, {}),
        ("openai", "gpt-5.4", {"temperature": 0.2, "top_p": 0.5}, {}),
        ("openai", "gpt-5.4", {"temperature": 0.2, "reasoning_effort": "low"}, {"temperature": "refused"}),
        ("openai", "gpt-5.6-luna", {"temperature": 0.2}, {"temperature": "refused"}),
        ("openai", "gpt-5.6-luna", {"temperature": 0.2, "reasoning_effort": "none"}, {}),
        ("openai", "o3-2025-04-16", {"stop": "x", "seed": 1}, {"stop": "refused"}),
        ("openai", "gpt-4o-search-preview", {"temperature": 0}, {"temperature": "refused"}),
        ("azure", "gpt-6-astra", {"top_p": 0.5}, {"top_p": "refused"}),
        ("anthropic", "claude-haiku-4-5-20251001", {"temperature": 0.5}, {}),
        ("anthropic", "claude-haiku-4-5", {"temperature": 0.5, "top_p": 0.5}, {"top_p": "refused"}),
        ("anthropic", "claude-haiku-4-5", {"temperature": 1.5, "seed": 1}, {"temperature": "capped", "seed": "ignored"}),
        ("anthropic", "claude-opus-5", {"temperature": 0.5}, {"temperature": "refused"}),
        ("anthropic", "claude-opus-4-7-20260301", {"temperature": 0.5}, {"temperature": "refused"}),
        ("anthropic", "claude-sonnet-5", {"stop": ("\n", "11")}, {"stop": "refused"}),
        ("anthropic", "claude-sonnet-5", {"stop": ("11",)}, {}),
        ("gemini", "models/gemini-4-flash", {"presence_penalty": 1, "top_p": 0.5}, {"presence_penalty": "refused"}),
        ("mistral", "mistral-small-latest", {"temperature": 1.6}, {"temperature": "refused"}),
        ("mistral", "mistral-small-latest", {"temperature": 1.5, "top_k": 3}, {"top_k": "unknown"}),
        ("deepseek", "deepseek-flash", {"temperature": 0.5}, {"temperature": "ignored"}),
        ("deepseek", "deepseek-flash", {"temperature": 0.5, "reasoning_effort": "none"}, {}),
        ("xai", "grok-4-fast-non-reasoning", {"stop": "x"}, {}),
        ("xai", "grok-4", {"stop": "x"}, {"stop": "refused"}),
        ("meta", "muse-spark", {"reasoning_effort": "none"}, {"reasoning_effort": "refused"}),
        ("litellm", "anything", {"top_k": 1, "reasoning_effort": "low"}, {}),
        ("built-in", "smollm2-135m-instruct", {"top_k": 1, "verbosity": "low"}, {"verbosity": "unknown"}),
    ],
)  # fmt: skip
def test_what_a_model_does_with_a_parameter(
    endpoint: str, model: str, values: dict[str, object], found: dict[str, str]
) -> None:
    assert kinds(endpoint, model, **values) == found


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_endpoint_says_when_its_facts_were_so(name: str) -> None:
    one = KNOWN[name]
    assert one.as_of >= "2026-11-01"
    assert one.title
    assert one.base_url or one.url_env or one.served_here
    assert one.apis is not None
    assert one.apis >= {"chat", "models"}
    for rule in one.rules:
        assert rule.fields
        assert rule.why
        assert not rule.why.endswith(".")


def test_only_what_is_set_and_refused_is_held_back() -> None:
    setup = Setup("anthropic", "claude-opus-5", params=Params({"temperature": 0.5, "seed": 3}))
    (held,) = held_back(KNOWN["anthropic"], setup)
    assert told_of(held) == "Temperature was not sent: temperature is deprecated for this model."
    assert held_back(KNOWN["anthropic"], setup, {"temperature"}) == ()
    assert held_back(KNOWN["anthropic"], Setup("anthropic", "claude-opus-5")) == ()


def test_probabilities_are_not_asked_for_where_there_are_none() -> None:
    setup = Setup("groq", "llama-3.3-70b-versatile")
    assert [one.name for one in held_back(KNOWN["groq"], setup, logprobs=True)] == ["logprobs"]
    assert held_back(KNOWN["vllm"], setup, logprobs=True) == ()
    (held,) = held_back(KNOWN["openai"], Setup("openai", "gpt-6-astra"), logprobs=True)
    assert held.unasked


@given(params)
def test_what_is_held_back_is_set_and_what_is_not_known_is_sent(values: Params) -> None:
    unknown = Endpoint("somewhere", "https://somewhere.example/v1")
    assert held_back(unknown, Setup("somewhere", "m", params=values)) == ()
    for endpoint in KNOWN.values():
        held = {one.name for one in held_back(endpoint, Setup(endpoint.name, "m", params=values))}
        assert held <= set(values)


def test_a_list_of_models_tells_what_a_model_takes() -> None:
    router, listed = KNOWN["openrouter"], {"temperature", "max_tokens", "repetition_penalty"}
    for name, known in (("temperature", True), ("repeat_penalty", True), ("top_k", False)):
        found = heed(router, "m", name, {}, listed)
        assert (found is None) is known
        assert found is None or found.kind == "ignored"


def test_a_row_says_what_becomes_of_its_parameter() -> None:
    refused = Heed("refused", "only the default")
    assert explained(refused, "gpt", is_set=True) == (
        "Refused by gpt: only the default. ! sends it anyway."
    )
    assert explained(refused, "gpt", is_set=False) == "Refused by gpt: only the default."
    assert "! holds it back" in explained(Heed("insisted", "only the default"), "g", is_set=True)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"refuses": ["warmth"], "why": "x"}, "warmth"),
        ({"why": "x"}, "refuses, ignores, caps"),
        ({"refuses": ["temperature"], "ignores": ["seed"]}, "refuses, ignores, caps"),
        ({"refuses": ["temperature"], "above": "1"}, "above takes a number"),
        ({"refuses": ["temperature"], "blank": 1}, "true or false"),
        ({"refuses": ["temperature"], "unless": ["x"]}, "unless takes a table"),
        ("temperature", "a rule is a table"),
    ],
)
def test_a_wrong_rule_is_said(rule: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        endpoint_from("lab", {"base_url": "http://h/v1", "rules": [rule]})


def test_a_table_of_a_known_name_changes_only_what_it_says() -> None:
    mine = endpoint_from("openai", {"model": "gpt-6-luna"})
    assert mine.model == "gpt-6-luna"
    assert mine.base_url == KNOWN["openai"].base_url
    assert mine.rules == KNOWN["openai"].rules
    other = endpoint_from("openai", {"base_url": "https://mine.example/v1"})
    assert other.rules == ()


def test_what_may_be_said_of_a_parameter_names_one_that_there_is() -> None:
    names = {one.name for one in PARAMETERS} | {"logprobs"}
    for endpoint in KNOWN.values():
        for rule in endpoint.rules:
            assert set(rule.unless) <= names
            assert set(rule.when) <= names


@pytest.mark.parametrize(
    ("model", "dim"),
    [
        ("gpt-5", {"temperature", "top_p", "stop", "frequency_penalty", "presence_penalty"}),
        ("gpt-6-luna", {"temperature", "top_p", "stop", "frequency_penalty", "presence_penalty"}),
        ("gpt-5.4", {"stop", "frequency_penalty", "presence_penalty"}),
        ("gpt-4.1-mini", {"reasoning_effort", "verbosity"}),
        ("ft:gpt-4.1-mini-2025-04-14:acme::abc", {"reasoning_effort", "verbosity"}),
    ],
)
def test_a_knob_that_takes_nothing_but_its_default_is_marked_before_it_is_turned(
    model: str, dim: set[str]
) -> None:
    found = heeds(KNOWN["openai"], Setup("openai", model))
    own = {name for name, one in found.items() if one.kind == "refused"}
    assert own == dim


def test_words_end_with_one_full_stop() -> None:
    assert explained(Heed("refused", "No."), "m", is_set=False) == "Refused by m: No."


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:2/v1", True),
        ("http://127.evil.example/v1", False),
        ("http://127.0.0.1.evil.example/v1", False),
        ("http://10.0.0.1/v1", False),
    ],
)
def test_only_this_machine_is_this_machine(url: str, local: bool) -> None:
    assert Endpoint("e", url).local is local
