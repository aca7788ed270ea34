"""Which proxy leads to an address, by HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Only those: no file is read."""

from urllib.request import getproxies, proxy_bypass

from yarl import URL


class Proxies:
    """As the environment says when this is made.

    aiohttp's `trust_env` reads the environment and `~/.netrc` twice for every request, each time in another thread,
    and sends what that file has for a host: of Kubernetes, beside our token, which it then refuses to send.
    """

    def __init__(self) -> None:
        self._named = getproxies()

    def to(self, url: str | URL) -> str | None:
        """The proxy that this address is asked through; None asks it directly, as what is no address would be."""
        if not self._named:
            return None
        try:
            asked = URL(url)
        except ValueError:
            return None
        if proxy_bypass(asked.host_port_subcomponent or ""):
            return None
        return self._named.get(asked.scheme)
