"""What the model nearly said: a reply seen by the probabilities of its tokens."""
