"""One cluster's API server over urllib3: raw JSON in and out, one TLS context, one retry policy, errors made ours."""

import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3
from urllib3 import exceptions as u3

from migrator import __version__
from migrator.adapters.fence import Fence
from migrator.adapters.kube.auth import Auth
from migrator.adapters.kube.errors import Refusal, Where, mapped, pause_of, refusal, throttled, transient
from migrator.adapters.proxies import proxy_for
from migrator.adapters.retry import Retry
from migrator.model.meter import KUBERNETES, Api, Meter

T = TypeVar("T")

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
USER_AGENT = f"irsa-migrator/{__version__}"
_TIMEOUT = urllib3.Timeout(connect=5.0, read=30.0)
_IN_FLIGHT = 4


class KubeConnection:
    """Requests to one API server, counted in `meter`; thread-safe. Every one given to it must be safe to repeat."""

    def __init__(
        self,
        *,
        where: Where,
        context: ssl.SSLContext,
        auth: Auth,
        retry: Retry,
        proxy: str = "",
        meter: Meter | None = None,
        fence: Fence | None = None,
    ) -> None:
        self.where = where
        self.context = context
        self.auth = auth
        self.proxy = proxy or proxy_for(where.endpoint)
        self._retry = retry
        self._meter = meter or Meter()
        self._fence = fence or Fence()
        self._api = Api(where.cluster, KUBERNETES)
        self._pool = self._manager()
        self._worked = threading.Event()

    def get(self, path: str, *, doing: str, query: Mapping[str, str] | None = None, accept: str = JSON) -> bytes:
        """The body of a GET.

        Raises:
            Rejected: reason `NotFound` when there is nothing, or the server's own reason.
        """
        return self.run(lambda: self.once("GET", path, query=query, accept=accept), doing=doing)

    def find(self, path: str, *, doing: str) -> bytes | None:
        """The body of a GET, or None when there is nothing."""

        def tolerant() -> bytes | None:
            try:
                return self.once("GET", path)
            except Refusal as error:
                if error.status == 404:
                    return None
                raise

        return self.run(tolerant, doing=doing)

    def run(self, call: Callable[[], T], *, doing: str, worth: Callable[[BaseException], bool] = transient) -> T:
        """What `call` gives, tried again by the policy, with its errors made ours.

        Args:
            call: makes requests through `once`; safe to repeat.
            doing: what is being done, for the sentence.
            worth: which errors are worth another try.
        """
        try:
            return self._retry.run(call, transient=worth, pause=pause_of, again=self._again)
        except Refusal as error:
            if error.status == 401:
                raise self.auth.complaint(worked=self._worked.is_set()) from error
            raise mapped(error, where=self.where, doing=doing) from error
        except (u3.HTTPError, OSError) as error:
            raise mapped(error, where=self.where, doing=doing) from error

    def once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        fresh: bool = False,
    ) -> bytes:
        """One request, without retries; a 401 renews the token and asks once more.

        Args:
            method: HTTP's.
            path: without query.
            query: added to the path.
            body: anything that encodes as JSON, or None.
            content_type: of the body.
            accept: asked-for media type.
            fresh: use a new connection, closed afterwards, so that another API server may answer.

        Raises:
            Refusal: an answer that is not a success.
            Locked: it would change something, and another runner took over a lock that this thread holds.
        """
        target = f"{path}?{urlencode(query)}" if query else path
        payload = None if body is None else msgspec.json.encode(body)
        headers = {"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": USER_AGENT}
        if payload is not None:
            headers["Content-Type"] = content_type
        if method != "GET" and "dryRun" not in (query or {}):
            self._fence.check()
        manager = self._manager() if fresh else self._pool
        try:
            response = self._send(manager, method, target, payload, headers)
        finally:
            if fresh:
                manager.clear()
        if response.status >= 300:
            refused = refusal(method, path, response)
            if throttled(refused):
                self._meter.throttled(self._api)
            raise refused
        self._worked.set()
        return response.data

    def authorised(self, headers: Mapping[str, str]) -> tuple[dict[str, str], str]:
        """The headers with ours added, and the Authorization value among them."""
        header = self.auth.header()
        return {**headers, **({"Authorization": header} if header else {})}, header

    def count(self) -> None:
        """A request goes out, by whatever way."""
        self._meter.called(self._api)

    def close(self) -> None:
        """Closes the pool's connections."""
        self._pool.clear()

    def _send(
        self,
        manager: urllib3.PoolManager,
        method: str,
        target: str,
        payload: bytes | None,
        headers: Mapping[str, str],
    ) -> urllib3.BaseHTTPResponse:
        url = self.where.endpoint + target
        for last in (False, True):
            whole, used = self.authorised(headers)
            self.count()
            response = manager.request(method, url, body=payload, headers=whole, retries=False, redirect=False)
            if response.status != 401 or last:
                break
            self.auth.renew(used)
        return response

    def _again(self, _error: BaseException) -> None:
        self._meter.retried(self._api)

    def _manager(self) -> urllib3.PoolManager:
        options: dict[str, Any] = {
            "ssl_context": self.context,
            "timeout": _TIMEOUT,
            "maxsize": _IN_FLIGHT,
            "block": True,
        }
        return urllib3.ProxyManager(self.proxy, **options) if self.proxy else urllib3.PoolManager(**options)
