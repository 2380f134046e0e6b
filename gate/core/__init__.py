"""The decision and its words: pure, standard library only, no clock, randomness, environment, file or network."""
