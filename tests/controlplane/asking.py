"""Requests as data, and one API server to put them to."""

import base64
import json
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import urllib3
import yaml

Json = dict[str, Any]

JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"

_EARLIER = re.compile(r"\$(\d+)((?:\.[\w-]+)+)")
_SECONDS = 30
_STREAMS = 16


@dataclass(frozen=True)
class Ask:
    """One request.

    `{ns}` in it is the case's namespace; `$2.metadata.uid` is what the case's third answer (from 0) has there,
    `$2.headers.Etag` one of its headers.

    Attributes:
        verb: of HTTP.
        path: with its query.
        body: sent as JSON; text is sent as it is.
        content: its media type.
        headers: in place of, or beside, those that every request has; empty ones are left out.
        until: a place in the body, as `status.phase`: the request is repeated until there is something, or, as
            `status.phase=Active`, until it is that.
    """

    verb: str
    path: str
    body: Any = None
    content: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    until: str = ""

    @property
    def watches(self) -> bool:
        """Whether the answer is a stream of events."""
        url = urlsplit(self.path)
        return parse_qs(url.query).get("watch", ["false"])[0] in ("1", "true") or "/watch/" in url.path

    def patient(self) -> "Ask":
        """The same watch, with more time."""
        return replace(self, path=self.path.replace("timeoutSeconds=1", "timeoutSeconds=10"))

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"


def get(path: str, accept: str = "", **headers: str) -> Ask:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Ask("GET", path, headers={"Accept": accept, **named} if accept else named)


def wait(path: str, until: str) -> Ask:
    return Ask("GET", path, until=until)


def post(path: str, body: Any = None, **headers: str) -> Ask:
    return Ask("POST", path, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def put(path: str, body: Any) -> Ask:
    return Ask("PUT", path, body)


def patch(path: str, body: Any, content: str = MERGE) -> Ask:
    return Ask("PATCH", path, body, content)


def apply(path: str, body: Any, manager: str = "applier", *, force: bool = False) -> Ask:
    query = f"fieldManager={manager}" + ("&force=true" if force else "")
    return Ask("PATCH", f"{path}{'&' if '?' in path else '?'}{query}", body, APPLY)


def delete(path: str, options: Any = None) -> Ask:
    return Ask("DELETE", path, options)


def core(rest: str) -> str:
    """A path of the core group in the case's namespace."""
    return "/api/v1/namespaces/{ns}/" + rest


def apps(rest: str) -> str:
    """A path of group apps in the case's namespace."""
    return "/apis/apps/v1/namespaces/{ns}/" + rest


class Server:
    """One API server, asked as its administrator unless a request says otherwise."""

    def __init__(self, url: str, ca_pem: str, token: str) -> None:
        self.url, self._token = url, token
        context = ssl.create_default_context(cadata=ca_pem)
        self._pool = urllib3.PoolManager(ssl_context=context, retries=False, timeout=_SECONDS, maxsize=_STREAMS)

    def ask_all(self, asks: Sequence[Ask], namespace: str, earlier: Sequence[Json] = ()) -> list[Json]:
        """The answers to requests that are put one after the other, behind the earlier ones.

        Watches take their time; they come last, and so run side by side.
        """
        answers = list(earlier)
        with ThreadPoolExecutor(_STREAMS) as pool:
            streams = []
            for ask in asks:
                if ask.watches:
                    streams.append((len(answers), pool.submit(self.ask, ask, namespace, tuple(answers))))
                    answers.append({})
                else:
                    answers.append(self._patiently(ask, namespace, answers))
            for place, stream in streams:
                answers[place] = stream.result()
        return answers

    def _patiently(self, ask: Ask, namespace: str, earlier: Sequence[Json]) -> Json:
        give_up = time.monotonic() + _SECONDS
        answer = self.ask(ask, namespace, earlier)
        while ask.until and not _has(answer.get("body"), ask.until):
            assert time.monotonic() < give_up, f"{ask}: {answer}"
            answer = self.ask(ask, namespace, earlier)
        return answer

    def ask(self, ask: Ask, namespace: str, earlier: Sequence[Json] = ()) -> Json:
        """Status, headers, and body (or events, or text) of one answer."""

        def filled(text: str) -> str:
            named = text.replace("{ns}", namespace)
            return _EARLIER.sub(lambda found: str(_earlier(earlier[int(found[1])], found[2][1:])), named)

        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": JSON,
            "User-Agent": "asker/1.0",
            **({"Content-Type": ask.content} if ask.body is not None else {}),
            **{name: filled(value) for name, value in ask.headers.items()},
        }
        text = (
            ask.body if ask.body is None or isinstance(ask.body, str) else json.dumps(ask.body, separators=(",", ":"))
        )
        answer = self._pool.request(
            ask.verb,
            self.url + filled(ask.path),
            body=None if text is None else filled(text).encode(),
            headers={name: value for name, value in headers.items() if value},
        )
        content = _content(ask, answer)
        return {"status": answer.status, "headers": dict(answer.headers), **content}


def _content(ask: Ask, answer: urllib3.BaseHTTPResponse) -> Json:
    text = answer.data.decode()
    if ask.watches and answer.headers.get("Transfer-Encoding") == "chunked":
        events = [json.loads(line) for line in text.splitlines() if line]
        return {"events": [{event["type"]: event["object"]} for event in events]}
    if "yaml" in answer.headers.get("Content-Type", ""):
        return {"body": yaml.safe_load(text)}
    try:
        return {"body": _opened(json.loads(text))}
    except ValueError:
        return {"text": text}


def _opened(body: Any) -> Any:
    """A body in which everything can be compared: a token is as good as what is written in it."""
    if isinstance(body, dict) and body.get("kind") == "TokenRequest":
        raw = body["status"]["token"]
        head, claims = (json.loads(base64.urlsafe_b64decode(f"{part}===")) for part in raw.split(".")[:2])
        body["status"]["token"] = {"raw": raw, "head": head, "claims": claims}
    if isinstance(body, dict) and body.get("kind") == "SelfSubjectRulesReview":
        # a real server has them in no order
        for rules in ("resourceRules", "nonResourceRules"):
            body["status"][rules].sort(key=json.dumps)
    return body


def _has(body: Any, until: str) -> bool:
    path, _, wanted = until.partition("=")
    try:
        return str(_at(body, path)) == wanted if wanted else bool(_at(body, path))
    except (KeyError, IndexError, TypeError):
        return False


def _earlier(answer: Json, path: str) -> Any:
    return _at(answer if path.startswith("headers.") else answer["body"], path)


def _at(body: Any, path: str) -> Any:
    for step in path.split("."):
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body
