"""Scorers: each judges one trial and says why; `table` names them all and imports one only when it is used."""
