"""The summary is posted to a server that fails, drops, delays, and then takes it; what the URL hides is never said."""

import json
import logging
import socket
import time as wall
from collections.abc import Callable

import pytest
import urllib3

from migrator import __version__
from migrator.adapters.notify import post, shown
from tests.contract.adapters.scripted import Asked, Said, Server, serving
from tests.contract.adapters.support import Time, in_turn

BODY = json.dumps({"format": 1, "command": "batch", "run": "b1", "note": "grüß"}, ensure_ascii=False) + "\n"
SECRET = "/hooks/T0/s3cr3t?token=hush"
SHORT = urllib3.Timeout(connect=0.3, read=0.3)
LEFT_ALONE = "; the run itself is not affected"


def posted(server: Server, time: Time) -> str:
    return post(server.url + SECRET, BODY, retry=time.retry, timeout=SHORT)


def where(server: Server) -> str:
    return '"http://127.0.0.1"'


def test_it_arrives_as_it_is(cloud: Server, time: Time) -> None:
    assert posted(cloud, time) == ""

    (asked,) = cloud.asked
    assert (asked.method, asked.path, dict(asked.query)) == ("POST", "/hooks/T0/s3cr3t", {"token": "hush"})
    assert asked.body.decode() == BODY
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"] == f"irsa-migrator/{__version__}"
    assert "authorization" not in asked.headers


def test_user_and_password_of_the_url_are_sent_as_such(cloud: Server, time: Time) -> None:
    url = cloud.url.replace("http://", "http://ann:p%40ss@")
    assert post(url, BODY, retry=time.retry) == ""

    assert cloud.asked[0].headers["authorization"] == "Basic YW5uOnBAc3M="


@pytest.mark.parametrize("status", [201, 202, 204])
def test_any_success_is_one(cloud: Server, time: Time, status: int) -> None:
    cloud.answer = in_turn(Said(status, b""))

    assert posted(cloud, time) == ""


def slow(answer: Callable[[Asked], Said], seconds: float) -> Callable[[Asked], Said]:
    def late(asked: Asked) -> Said:
        wall.sleep(seconds)
        return answer(asked)

    return late


def test_a_server_that_fails_drops_delays_and_then_accepts(cloud: Server, time: Time) -> None:
    told: list[Said] = [Said(500), Said(429, headers={"Retry-After": "7"}), Said(lost=True), Said(503)]

    def answer(_asked: Asked) -> Said:
        if told:
            return told.pop(0)
        if len(cloud.asked) == 5:
            wall.sleep(0.6)  # longer than it is waited for: it was taken, and nobody heard of it
        return Said()

    cloud.answer = answer
    assert posted(cloud, time) == ""

    assert len(cloud.asked) == 6
    assert {asked.body.decode() for asked in cloud.asked} == {BODY}
    assert 7.0 in time.slept


def test_a_server_that_goes_on_failing_is_given_up(cloud: Server, time: Time) -> None:
    cloud.answer = in_turn(Said(502))

    assert posted(cloud, time) == f"the summary could not be posted to {where(cloud)}: it answered 502{LEFT_ALONE}"
    assert time.now < 45


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_refusal_is_not_tried_again(cloud: Server, time: Time, status: int) -> None:
    cloud.answer = in_turn(Said(status))

    assert f"it answered {status};" in posted(cloud, time)
    assert len(cloud.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(cloud: Server, time: Time, status: int) -> None:
    with serving(in_turn(Said()), tls=False) as elsewhere:
        cloud.answer = in_turn(Said(status, headers={"Location": f"{elsewhere.url}/stolen"}))

        assert f"it answered {status}, and redirects are not followed" in posted(cloud, time)
        assert elsewhere.asked == []
    assert len(cloud.asked) == 1


def test_silence_is_given_up(cloud: Server, time: Time) -> None:
    cloud.answer = slow(in_turn(Said()), 0.6)
    attempts = Time().retry
    given = type(attempts)(attempts=2, sleep=time.sleep, monotonic=lambda: time.now)

    assert "it did not answer in time" in post(cloud.url, BODY, retry=given, timeout=SHORT)
    assert len(cloud.asked) == 2


def test_nobody_listens(time: Time) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    said = post(f"http://127.0.0.1:{port}{SECRET}", BODY, retry=time.retry, timeout=SHORT)
    assert said == f'the summary could not be posted to "http://127.0.0.1": it could not be reached{LEFT_ALONE}'
    assert len(time.slept) > 3


def test_a_name_that_does_not_resolve(time: Time) -> None:
    assert "its name does not resolve" in post("http://no-such-host.invalid/", BODY, retry=time.retry, timeout=SHORT)


def test_a_foreign_certificate_is_refused_at_once(server: Server, time: Time) -> None:
    assert "its certificate was not accepted" in post(server.url + SECRET, BODY, retry=time.retry, timeout=SHORT)
    assert (server.asked, time.slept) == ([], [])


@pytest.mark.parametrize("url", ["http://[::1", "http://", "http://a b/", "nonsense", "http://x:port/"])
def test_what_is_no_url_is_said(url: str, time: Time) -> None:
    assert post(url, BODY, retry=time.retry, timeout=SHORT).startswith("the summary could not be posted to ")
    assert time.slept == []


TROUBLES = {
    "[fails]": in_turn(Said(500)),
    "[refuses]": in_turn(Said(403, b'{"you sent": "/hooks/T0/s3cr3t?token=hush"}')),
    "[drops]": in_turn(Said(lost=True)),
    "[redirects]": in_turn(Said(302, headers={"Location": "http://127.0.0.1/s3cr3t?hush"})),
}


@pytest.mark.parametrize("answer", TROUBLES.values(), ids=TROUBLES.keys())
def test_what_the_url_hides_is_never_said(
    cloud: Server, time: Time, answer: Callable[[Asked], Said], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cloud.answer = answer
    url = cloud.url.replace("http://", "http://ann:p4ss@") + SECRET
    said = post(url, BODY, retry=time.retry, timeout=SHORT)

    assert said
    for text in (said, caplog.text):
        assert not [hidden for hidden in ("s3cr3t", "hush", "ann", "p4ss", "hooks") if hidden in text]


def test_only_scheme_and_host_are_shown() -> None:
    assert shown("https://ann:p4ss@hooks.example.com:8443/T0/s3cr3t?token=hush#x") == '"https://hooks.example.com"'


def test_a_proxy_of_the_environment_is_used(cloud: Server, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", cloud.url)
    assert post("http://hooks.example.com/T0", BODY, retry=time.retry, timeout=SHORT) == ""

    assert cloud.asked[0].headers["host"] == "hooks.example.com"
