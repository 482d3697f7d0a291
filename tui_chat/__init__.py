"""tui-chat: the playground for language models in a terminal."""

__version__ = "0.1.0"
