"""Which proxy of the environment leads to an endpoint."""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_OWN_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


def proxy_for(endpoint: str) -> str:
    """The environment's proxy, empty if the endpoint's host is excepted from it, or is this machine."""
    url = urlsplit(endpoint)
    host = url.hostname or ""
    if host in _OWN_MACHINE or proxy_bypass(host):
        return ""
    proxies = getproxies()
    return proxies.get(url.scheme) or proxies.get("all") or ""
