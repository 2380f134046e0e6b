"""Show hostile text on one line: nothing in it can steer a terminal, a log or a reader's eye."""


def escape_controls(text: str) -> str:
    r"""Replace whatever is not printable (line ends, controls, direction marks, lone surrogates) by its `\\x` form."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
