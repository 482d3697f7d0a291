"""Files shipped with the program: token vocabularies and other data that code reads, never code."""
