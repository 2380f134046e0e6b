"""The built-in offline model: no language model, no network, no key; it reads the prompt and behaves accordingly."""
