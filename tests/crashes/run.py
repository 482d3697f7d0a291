"""One run: a scene, a blow in it, and all that must hold afterwards. The seed decides what and when."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from tests.crashes import checks
from tests.crashes.blows import BLOWS, Blow, Fault
from tests.crashes.checks import DRAFT_SECONDS, LOST_SECONDS, TRANSPORT_SECONDS, Figures
from tests.crashes.scenes import CTRL_Q, SCENES, SECONDS, Scene, Stage
from tests.crashes.tty import Tty
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


class Watch:
    """How long this machine has kept a thread waiting that wanted to run: what no program can help."""

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque(maxlen=400)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            before = time.monotonic()
            time.sleep(0.005)
            self._late.append((before, time.monotonic() - before - 0.005))

    def worst(self, moment: float, seconds: float = 1) -> float:
        """The longest wait in the seconds before a moment."""
        return max((late for at, late in list(self._late) if at > moment - seconds), default=0)


def chosen(seed: int) -> tuple[Scene, Blow, Random]:
    """What a seed stands for; its lot goes on from there."""
    random = Random(seed)
    (scene,) = random.choices(SCENES, [scene.weight for scene in SCENES])
    (blow,) = random.choices(BLOWS, [blow.weight for blow in BLOWS])
    return scene, blow, random


def run(seed: int) -> Outcome:
    """Do it; what did not hold is among the outcome's faults."""
    scene, blow, random = chosen(seed)
    figures = Figures()
    outcome = Outcome(seed, scene.name, blow.name, None, figures)
    with tempfile.TemporaryDirectory(prefix="tui-chat-crash-") as directory, FakeServer() as server:
        stage = Stage(Path(directory), random, server)
        scene.prepare(stage)
        try:
            _play(stage, scene, blow, outcome)
        except Exception as error:  # noqa: BLE001  # whatever it is, the other runs go on
            figures.faults.append(f"{type(error).__name__}: {error}")
    return outcome


def _play(stage: Stage, scene: Scene, blow: Blow, outcome: Outcome) -> None:
    figures = outcome.figures
    with Watch() as watch, stage.start() as terminal:
        scene.lead(stage, terminal)
        over = terminal.process.poll() is not None
        struck = time.monotonic()
        blow.strike(terminal, stage.random)
        if not blow.ends:
            # What it does afterwards is a person's: they leave.
            _leave(terminal, stage)
        outcome.code = terminal.wait_end(SECONDS)
        figures.stalled = watch.worst(struck)
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
        # Before it has done anything, signals end it as the system does.
        allowed |= {128 - one for one in allowed if one > 128}
        allowed |= {130, -2} if blow.name.startswith("ctrl+c") else set()
    if code not in allowed:
        raise Fault(f"it ended with {code}, not {sorted(allowed)}:\n{terminal.text[-3000:]}")
    # Python itself says so of ctrl+c before it has begun with the program.
    young = not terminal.taken and "KeyboardInterrupt" in terminal.text
    if not young and ("Traceback" in terminal.text or "Exception" in terminal.text):
        raise Fault(f"it fails:\n{terminal.text[-3000:]}")
    if blow.orderly and (wrong := terminal.disorder()):
        raise Fault(f"it leaves the terminal in disorder: {', '.join(wrong)}")


def _check_losses(figures: Figures) -> None:
    allowed = TRANSPORT_SECONDS + figures.stalled
    if figures.lost is not None and figures.lost > LOST_SECONDS + allowed:
        raise Fault(
            f"{figures.lost * 1000:.0f} ms of the reply are lost, {allowed * 1000:.0f} allowed"
        )
    if figures.draft is not None and figures.draft > DRAFT_SECONDS + allowed:
        raise Fault(f"the draft is {figures.draft * 1000:.0f} ms old")


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
        ("kept waiting by the machine", sorted(one.figures.stalled * 1000 for one in outcomes)),
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
