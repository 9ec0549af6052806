"""Posts the summary of a batch run to a URL that somebody else listens on.

The URL may carry a token in its path, query or user part, so that no more of it than scheme and host is ever said; for
the same reason no redirect is followed: it would hand the token, or the summary, to whoever it names.

A summary that was received, but whose answer was lost, is posted again: its `run` tells that it is the same.
"""

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3 import exceptions as u3
from urllib3.util import make_headers

from migrator import __version__
from migrator.adapters.proxies import proxy_for
from migrator.adapters.retry import Retry

_TIMEOUT = urllib3.Timeout(connect=5.0, read=10.0)
_POLICY = Retry(first=0.5, deadline=60.0, attempts=6)
_AGAIN = frozenset({429, 500, 502, 503, 504})
_SAID = (
    (u3.SSLError, "its certificate was not accepted"),
    (u3.NameResolutionError, "its name does not resolve"),
    (u3.NewConnectionError, "it could not be reached"),
    (u3.ConnectTimeoutError, "it could not be reached in time"),
    (u3.TimeoutError, "it did not answer in time"),
    (ValueError, "that is no URL"),
)  # the most specific first; their own words may hold the URL


class _Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, pause: float) -> None:
        self.status = status
        self.pause = pause
        super().__init__(f"it answered {status}")


def post(url: str, body: str, *, retry: Retry = _POLICY, timeout: urllib3.Timeout = _TIMEOUT) -> str:
    """Posts a JSON document; empty, or why it did not arrive, as a sentence.

    Args:
        url: where to, http or https.
        body: the document as text.
        retry: when a post that failed is made again.
        timeout: of one try.
    """
    try:
        retry.run(_sender(url, body.encode(), timeout), transient=_transient, pause=_pause)
    except (_Refused, u3.HTTPError, OSError, ValueError) as error:
        return f"the summary could not be posted to {shown(url)}: {_why(error)}; the run itself is not affected"
    return ""


def shown(url: str) -> str:
    """As much of the URL as may be said: scheme and host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the given URL"
    return f'"{parts.scheme}://{parts.hostname or ""}"'


def _sender(url: str, body: bytes, timeout: urllib3.Timeout) -> Callable[[], None]:
    headers = {"Content-Type": "application/json", "User-Agent": f"irsa-migrator/{__version__}", **_credentials(url)}

    def send() -> None:
        proxy = proxy_for(url)
        with urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager() as pool:
            answer = pool.request(
                "POST",
                url,
                body=body,
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,  # nothing but its status and headers is read, however slow the rest is
            )
            answer.close()
        if not 200 <= answer.status < 300:
            asked = answer.headers.get("Retry-After", "")
            raise _Refused(answer.status, float(asked) if asked.isdigit() else 0.0)

    return send


def _credentials(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise ValueError(parts.scheme)
    if parts.username is None:
        return {}
    return make_headers(basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")


def _transient(error: BaseException) -> bool:
    if isinstance(error, _Refused):
        return error.status in _AGAIN
    return isinstance(error, u3.HTTPError | OSError) and not isinstance(error, u3.SSLError | ValueError)


def _pause(error: BaseException) -> float:
    return error.pause if isinstance(error, _Refused) else 0.0


def _why(error: BaseException) -> str:
    if isinstance(error, _Refused):
        moved = ", and redirects are not followed" if 300 <= error.status < 400 else ""
        return f"{error}{moved}"
    return next((said for kind, said in _SAID if isinstance(error, kind)), "the connection was lost")
