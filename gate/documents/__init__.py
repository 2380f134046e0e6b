"""Files as people write them: text with positions, and the trees that they are read from."""
