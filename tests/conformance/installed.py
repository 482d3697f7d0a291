"""Programs of others that the behaviours are tried against, each in an environment of its own.

An environment lies in the tests' cache directory and is made once; a variable may name another one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

CARRIED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
"""What a program of others is told of this environment: no keys of anybody's, and no proxy."""


@dataclass(frozen=True)
class Program:
    """Something to be installed, and where."""

    name: str
    requirement: str
    variable: str
    """The environment variable that asks for it: a directory with a ready environment, or anything else for
    the one in the cache."""
    building: Mapping[str, str] = field(default_factory=dict)
    """Variables that its installation needs."""

    @property
    def directory(self) -> Path:
        named = Path(os.environ.get(self.variable, ""))
        if named.is_absolute():
            return named
        return Path(platformdirs.user_cache_dir("tui-chat-tests", False)) / f"{self.name}-venv"

    @property
    def ready(self) -> bool:
        """Whether it can be run without installing anything."""
        # An installation that was broken off has not got as far as that.
        place = self.directory
        return (place / "ready").exists() or os.environ.get(self.variable) == str(place)

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    def install(self) -> None:
        """Make the environment, unless it is there. Takes from most of a minute to several."""
        if self.ready:
            return
        print(f"Making {self.directory} with {self.requirement} …", flush=True)  # noqa: T201
        venv.create(self.directory, with_pip=True, clear=True)
        subprocess.run(
            [self.python, "-m", "pip", "install", "--quiet", self.requirement],
            check=True,
            env={**os.environ, **self.building},
        )
        (self.directory / "ready").touch()


LITELLM = Program("litellm", "litellm[proxy]", "TUI_CHAT_TESTS_LITELLM")
LLAMA_CPP_PYTHON = Program(
    "llama-cpp-python",
    "llama-cpp-python[server]",
    "TUI_CHAT_TESTS_LLAMA_CPP_PYTHON",
    # Compiled for the very processor, it crashes in virtual machines that show AMX and do not let it be used.
    {"CMAKE_ARGS": "-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON"},
)


def carried() -> dict[str, str]:
    """The environment in which such a program runs."""
    return {name: os.environ[name] for name in CARRIED if name in os.environ}


def require_posix() -> None:
    """End here on a system where the environments are laid out in another way."""
    if os.name != "posix":
        sys.exit("The servers of others are started on Linux and macOS only.")
