"""The program hit by signals at random moments, in every thing it does, and what must hold afterwards.

`python -m tests.crashes --runs 1000` does it at length and prints figures.
"""
