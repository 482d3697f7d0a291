"""One run: a scene, a blow in it, and all that must hold afterwards. The seed decides what and when."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.crashes import checks
from tests.crashes.blows import BLOWS, Blow, Fault
from tests.crashes.checks import DRAFT_SECONDS, LOST_SECONDS, TRANSPORT_SECONDS, Figures
from tests.crashes.scenes import CTRL_Q, SCENES, SECONDS, Scene, Stage
from tests.crashes.tty import Tty
from tests.crashes.watch import Watch
from tests.fake_server import FakeServer

WORDS = 600
"""As much is said of a fault."""


@dataclass
class Outcome:
    """What one run was, and what came of it."""

    seed: int
    scene: str
    blow: str
    code: int | None
    figures: Figures

    @property
    def words(self) -> str:
        """The run in one line, with which it can be done again."""
        faults = " ".join("; ".join(self.figures.faults).split())[:WORDS]
        return f"seed {self.seed}: {self.scene} / {self.blow} -> {self.code}: {faults or 'good'}"


def chosen(seed: int) -> tuple[Scene, Blow, Random]:
    """What a seed stands for; its lot goes on from there."""
    random = Random(seed)
    (scene,) = random.choices(SCENES, [scene.weight for scene in SCENES])
    (blow,) = random.choices(BLOWS, [blow.weight for blow in BLOWS])
    return scene, blow, random


def run(seed: int, *, whole: bool = True) -> Outcome:
    """Do it; what did not hold is among the outcome's faults. Where the start need not be `whole`, it is only
    in the scenes that have the program hit while it starts."""
    scene, blow, random = chosen(seed)
    return play(seed, scene, blow, random, whole=whole)


def play(seed: int, scene: Scene, blow: Blow, random: Random, *, whole: bool = True) -> Outcome:
    """As run(), for a scene and a blow that are given."""
    figures = Figures()
    outcome = Outcome(seed, scene.name, blow.name, None, figures)
    with tempfile.TemporaryDirectory(prefix="tui-chat-crash-") as directory, FakeServer() as server:
        stage = Stage(Path(directory), random, server)
        scene.prepare(stage)
        try:
            _play(stage, scene, blow, outcome, whole=whole or scene.starting)
        except Exception as error:  # noqa: BLE001  # whatever it is, the other runs go on
            figures.faults.append(f"{type(error).__name__}: {error}")
    return outcome


def _play(stage: Stage, scene: Scene, blow: Blow, outcome: Outcome, *, whole: bool) -> None:
    figures = outcome.figures
    with (
        stage.start(whole=whole, controls=blow.told) as terminal,
        Watch(terminal.process.pid) as watch,
    ):
        scene.lead(stage, terminal)
        over = terminal.process.poll() is not None
        struck = time.monotonic()
        blow.strike(terminal, stage.random)
        if not blow.ends:
            # What it does afterwards is a person's: they leave.
            _leave(terminal, stage)
        outcome.code = terminal.wait_end(SECONDS)
        _check_end(terminal, scene, blow, outcome, over)
    checks.check_alone(stage.home)
    streaming = checks.check_sound(stage)
    if blow.ends:
        figures.draft = checks.draft_seconds(stage, scene, struck)
    checks.check_next_start(stage, scene, streaming)
    conversations = checks.saved(stage.home)
    checks.check_said(stage, conversations)
    if blow.ends and scene.name != "quitting":
        figures.lost = checks.lost_seconds(stage, conversations, struck)
    worst = max(figures.lost or 0, figures.draft or 0)
    figures.waited = watch.waited(struck - worst, struck)
    _check_losses(figures)


def _leave(terminal: Tty, stage: Stage) -> None:
    deadline = time.monotonic() + SECONDS
    terminal.read(0.1)
    while terminal.process.poll() is None and time.monotonic() < deadline:
        terminal.type(CTRL_Q)
        until = time.monotonic() + 3
        while terminal.process.poll() is None and time.monotonic() < until:
            terminal.read(0.05)


def _check_end(terminal: Tty, scene: Scene, blow: Blow, outcome: Outcome, over: bool) -> None:
    code = outcome.code
    allowed = set(blow.codes)
    if scene.name == "quitting" or over:
        allowed.add(0)
    if not terminal.taken:
        # Before it has done anything, signals end it as the system does, or as Python does of ctrl+c: while
        # that begins, also with 1. What is no terminal any more is none to begin with.
        allowed |= {128 - one for one in allowed if one > 128}
        allowed |= {130, -2} if blow.name.startswith("ctrl+c") else set()
        allowed |= {1} if -2 in allowed else set()
        allowed |= {2} if "gone" in blow.name else set()
    if code not in allowed:
        raise Fault(f"it ended with {code}, not {sorted(allowed)}:\n{terminal.text[-3000:]}")
    # Python itself says so of ctrl+c before it has begun with the program.
    young = not terminal.taken and -2 in allowed
    if not young and ("Traceback" in terminal.text or "Exception" in terminal.text):
        raise Fault(f"it fails:\n{terminal.text[-3000:]}")
    if blow.orderly and (wrong := terminal.disorder()):
        raise Fault(f"it leaves the terminal in disorder: {', '.join(wrong)}")


def _check_losses(figures: Figures) -> None:
    allowed = TRANSPORT_SECONDS + figures.waited
    if figures.lost is not None and figures.lost > LOST_SECONDS + allowed:
        raise Fault(
            f"{figures.lost * 1000:.0f} ms of the reply are lost, {allowed * 1000:.0f} allowed besides"
        )
    if figures.draft is not None and figures.draft > DRAFT_SECONDS + allowed:
        raise Fault(
            f"the draft is {figures.draft * 1000:.0f} ms old, {allowed * 1000:.0f} allowed besides"
        )


def table(outcomes: Sequence[Outcome]) -> str:
    """The figures of many runs."""
    lines = []
    names = sorted({one.blow for one in outcomes}), sorted({one.scene for one in outcomes})
    lines.append(f"{'':26}" + "".join(f"{name[:11]:>12}" for name in names[1]) + f"{'all':>7}")
    for blow in names[0]:
        of = [one for one in outcomes if one.blow == blow]
        counts = [sum(one.scene == scene for one in of) for scene in names[1]]
        lines.append(f"{blow:26}" + "".join(f"{count:12}" for count in counts) + f"{len(of):7}")
    for what, values in (
        ("of a reply lost, SIGKILL", _values(outcomes, "lost", "SIGKILL")),
        ("of a reply lost, others", _values(outcomes, "lost", "")),
        ("age of a draft, SIGKILL", _values(outcomes, "draft", "SIGKILL")),
        ("age of a draft, others", _values(outcomes, "draft", "")),
        ("kept waiting meanwhile", sorted(one.figures.waited * 1000 for one in outcomes)),
    ):
        if values:
            figures = [values[int(len(values) * share)] for share in (0.5, 0.95)]
            lines.append(
                f"{what:28} {len(values):5} runs; ms: median {figures[0]:.0f},"
                f" 95 % {figures[1]:.0f}, worst {values[-1]:.0f}"
            )
    failed = [one for one in outcomes if one.figures.faults]
    lines.append(f"{len(outcomes)} runs, {len(failed)} with a fault")
    lines += [one.words for one in failed]
    return "\n".join(lines)


def _values(outcomes: Sequence[Outcome], name: str, blow: str) -> list[float]:
    """Milliseconds, ascending: of one blow, or of all but SIGKILL."""
    of = [one for one in outcomes if (one.blow == blow if blow else one.blow != "SIGKILL")]
    return sorted(value * 1000 for one in of if (value := getattr(one.figures, name)) is not None)
