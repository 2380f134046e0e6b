"""Where a model is reached, and whether a key may go there."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gate.documents.wording import quoted
from gate.errors import ConfigurationError
from gate.targets.definition import TargetDefinition

# Stricter than any URL parser, so that no two of them can see different hosts in one address.
_URL = re.compile(r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::(\d{1,5}))?(?:/[A-Za-z0-9._~-]+)*/?")
_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where a provider is reached unless the definition says otherwise, and the name of the key for it.

    Without `url` the definition must name the address, and the key is still the provider's; with one, an address of the
    definition's own gets no key but the one that it names.
    """

    url: str | None
    key_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A base URL without its last slash, its host, and the key for it, if any.

    `refusal` says why the key may not be sent there; then no call is to be made.
    """

    url: str
    host: str
    key: str | None = field(default=None, repr=False)
    refusal: str | None = None

    def mask(self, text: str) -> str:
        """Replace the key wherever it stands."""
        return text.replace(self.key, "***") if self.key else text


def find_endpoint(definition: TargetDefinition, environ: Mapping[str, str], home: Home) -> Endpoint:
    """Read a definition's address and its key, which only goes to hosts that the base ref lists for it.

    Without an address it is the provider's, with the provider's key. Raises ConfigurationError for an address that
    cannot be used, plain http to anything but this machine, and a key that is not set.
    """
    own = definition.endpoint or definition.base_url
    url = own or home.url
    if url is None:
        message = f"target {quoted(definition.name)} names no address"
        raise ConfigurationError(message, hint="add base_url, as in base_url: https://my-resource.openai.azure.com")
    host, port = _read_host(definition, url)
    endpoint = Endpoint(url=url.rstrip("/"), host=host)
    key_name = definition.api_key_name or (home.key_name if own is None or home.url is None else None)
    if key_name is None:
        return endpoint
    listed = {name.lower() for name in definition.allowed_hosts.get(key_name, ())}
    if not listed & {host, f"{host}:{port}"}:
        refusal = f"{key_name} may not be sent to {host}: gate.yaml of the base ref does not list it under credentials"
        return replace(endpoint, refusal=refusal)
    return replace(endpoint, key=_read_key(definition, key_name, environ))


def _read_host(definition: TargetDefinition, url: str) -> tuple[str, str]:
    found = _URL.fullmatch(url)
    if found is None:
        message = f"target {quoted(definition.name)}: {quoted(url)} is not an address that lockgate can use"
        raise ConfigurationError(message, hint="as in base_url: https://api.openai.com/v1, without user, query or %")
    host = found[2].strip("[]").lower()
    if found[1] == "http" and not _is_this_machine(host):
        message = f"target {quoted(definition.name)}: plain http to {host} would show prompts and keys to the network"
        raise ConfigurationError(message, hint="use https://; http:// is for 127.0.0.1 and localhost only")
    return host, found[3] or _PORTS[found[1]]


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read_key(definition: TargetDefinition, key_name: str, environ: Mapping[str, str]) -> str:
    key = environ.get(key_name, "").strip()
    if not key:
        message = f"target {quoted(definition.name)} needs the key {key_name}, which is not set"
        raise ConfigurationError(message, hint=f"set {key_name} in the environment, in a workflow from a secret")
    if not key.isascii() or not key.isprintable() or " " in key:
        message = f"target {quoted(definition.name)}: {key_name} holds characters that no key has"
        raise ConfigurationError(message, hint="check the secret for spaces, quotes and line ends")
    return key
