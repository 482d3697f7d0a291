"""What strangers hand to the program, changed at random: streams, answers, lists, and files.

A few hundred changes of each run with all tests; `python -m tests.fuzzing` looks for as long as it is told.
"""
