"""AWS over a real socket: how accounts are reached and proven, roles in bulk, lost answers, tokens."""

import base64
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest

from migrator.adapters.aws.eks import EksCluster
from migrator.adapters.aws.iam import IamRoles
from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.aws.token import LIFETIME, PREFIX, EksToken
from migrator.adapters.kube.auth import EksAuth
from migrator.model.errors import CredentialsExpired, EnvironmentFault, Rejected
from migrator.model.facts import Role
from migrator.model.trust.document import minified
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.support import Time

HOME, AWAY, NOWHERE = "111111111111", "222222222222", "333333333333"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}
EDITED = json.dumps({"Version": "2012-10-17", "Statement": []})


def xml(operation: str, inner: str) -> Said:
    body = f"<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
    return Said(body=body.encode(), headers={"Content-Type": "text/xml"})


def fault(code: str, status: int = 400, message: str = "said so") -> Said:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Said(status, body.encode(), {"Content-Type": "text/xml"})


def role_xml(name: str, trust: Any = TRUST, path: str = "/") -> str:
    arn = f"arn:aws:iam::{HOME}:role{path}{name}"
    document = quote(json.dumps(trust))
    return (
        f"<RoleName>{name}</RoleName><RoleId>AROA{name.upper()}</RoleId><Path>{path}</Path><Arn>{arn}</Arn>"
        f"<CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{document}</AssumeRolePolicyDocument>"
    )


@dataclass
class Cloud:
    """STS and IAM of the home account; `lost` answers of writes are made but not told."""

    roles: dict[str, Any] = field(default_factory=dict)
    lost: int = 0
    first: Callable[["Cloud"], Said | None] = lambda _cloud: None
    stacks: Callable[[Mapping[str, str]], Said] = lambda _form: xml("DescribeStacks", "<Stacks></Stacks>")
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: Asked) -> Said:
        form = dict(parse_qsl(request.body.decode()))
        self.asked.append(form["Action"])
        early = self.first(self) if form["Action"] not in {"GetCallerIdentity", "AssumeRole"} else None
        return early or getattr(self, f"_{form['Action']}")(form, request)

    def _GetCallerIdentity(self, _form: Mapping[str, str], request: Asked) -> Said:  # noqa: N802 - the API's name
        account = AWAY if "ASIAAWAY" in request.headers["authorization"] else HOME
        return xml("GetCallerIdentity", f"<Account>{account}</Account><Arn>arn:aws:iam::{account}:user/ann</Arn>")

    def _AssumeRole(self, form: Mapping[str, str], _request: Asked) -> Said:  # noqa: N802 - the API's name
        assert (form["RoleArn"], form["ExternalId"]) == (f"arn:aws:iam::{AWAY}:role/ops", "x-1")
        keys = "<AccessKeyId>ASIAAWAY</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        return xml("AssumeRole", f"<Credentials>{keys}<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>")

    def _GetRole(self, form: Mapping[str, str], _request: Asked) -> Said:  # noqa: N802 - the API's name
        name = form["RoleName"]
        if name not in self.roles:
            return fault("NoSuchEntity", 404)
        return xml("GetRole", f"<Role>{role_xml(name, self.roles[name])}</Role>")

    def _ListRoles(self, form: Mapping[str, str], _request: Asked) -> Said:  # noqa: N802 - the API's name
        assert form["MaxItems"] == "1000"
        names = sorted(self.roles)
        half = len(names) // 2
        page = names[half:] if "Marker" in form else names[:half]
        more = "" if "Marker" in form else "<IsTruncated>true</IsTruncated><Marker>m</Marker>"
        members = "".join(f"<member>{role_xml(name, self.roles[name])}</member>" for name in page)
        return xml("ListRoles", f"<Roles>{members}</Roles>{more}")

    def _DescribeStacks(self, form: Mapping[str, str], _request: Asked) -> Said:  # noqa: N802 - the API's name
        return self.stacks(form)

    def _ListStackResources(self, form: Mapping[str, str], _request: Asked) -> Said:  # noqa: N802 - the API's name
        return self.stacks(form)

    def _UpdateAssumeRolePolicy(self, form: Mapping[str, str], _request: Asked) -> Said:  # noqa: N802 - the API's name
        assert not set(form["PolicyDocument"]) & set(" \n")
        self.roles[form["RoleName"]] = json.loads(form["PolicyDocument"])
        self.lost -= 1
        return Said(lost=True) if self.lost >= 0 else xml("UpdateAssumeRolePolicy", "")


def arn(name: str, account: str = HOME) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def live(roles: IamRoles, name: str = "web") -> Role:
    found = roles.role(arn(name))
    assert found is not None
    return found


def test_account_is_proven_once(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud({"web": TRUST})
    roles = IamRoles(sessions)
    assert (live(roles).trust, live(roles).id) == (json.dumps(TRUST), "AROAWEB")
    assert script.asked == ["GetCallerIdentity", "GetRole", "GetRole"]


def test_role_is_assumed_for_its_account(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud()
    assert sessions.identity(AWAY).account == AWAY
    assert sessions.identity(AWAY).partition == "aws"
    assert script.asked == ["AssumeRole", "GetCallerIdentity"]


def test_agent_string(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud()
    sessions.identity(HOME)
    assert "irsa-migrator/" in cloud.asked[0].headers["user-agent"]


def test_wrong_account_is_refused_naming_both(
    cloud: Server, sessions: AwsSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.answer = Cloud()
    monkeypatch.setenv("AWS_PROFILE", "home")
    with pytest.raises(EnvironmentFault, match=r'for account "444444444444" lead to account "111111111111"'):
        sessions.eks("444444444444", "us-east-1")


def test_unknown_profile(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud()
    with pytest.raises(EnvironmentFault, match=r"nowhere") as refused:
        sessions.identity(NOWHERE)
    assert '"profile" under "accounts"' in refused.value.sentence()


def test_throttling_is_waited_out(cloud: Server, sessions: AwsSessions, time: Time) -> None:
    throttles = [fault("Throttling"), fault("Throttling")]
    cloud.answer = Cloud({"web": TRUST}, first=lambda _cloud: throttles.pop() if throttles else None)
    assert live(IamRoles(sessions)).name == "web"
    assert len(time.slept) == 2


def test_expired_credentials_stop_at_once(cloud: Server, sessions: AwsSessions, time: Time) -> None:
    cloud.answer = Cloud(first=lambda _cloud: fault("ExpiredToken", 403))
    with pytest.raises(CredentialsExpired, match="have expired"):
        IamRoles(sessions).role(arn("web"))
    with pytest.raises(CredentialsExpired):
        IamRoles(sessions).roles([arn("web")])
    assert time.slept == []


@pytest.mark.parametrize("asked", [arn("gone"), arn("path/web"), "no ARN", arn("WEB")])
def test_another_arn_is_another_role(cloud: Server, sessions: AwsSessions, asked: str) -> None:
    cloud.answer = Cloud({"web": TRUST})
    assert IamRoles(sessions).role(asked) is None


def test_few_roles_are_read_one_by_one(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud({"a": TRUST, "b": TRUST})
    roles = IamRoles(sessions)
    found = roles.roles([arn("a"), arn("b"), arn("c"), "no ARN"])
    assert list(found) == [arn("a"), arn("b")]
    assert script.asked.count("GetRole") == 3
    assert roles.unreadable(HOME) is None


def test_many_roles_are_listed(cloud: Server, sessions: AwsSessions) -> None:
    names = [f"r{number:02}" for number in range(30)]
    script = cloud.answer = Cloud(dict.fromkeys(names, TRUST))
    found = IamRoles(sessions).roles([arn(name) for name in names[:21]])
    assert list(found) == [arn(name) for name in names[:21]]
    assert script.asked == ["GetCallerIdentity", "ListRoles", "ListRoles", "DescribeStacks"]


def test_without_leave_to_list_roles_are_read_one_by_one(cloud: Server, sessions: AwsSessions) -> None:
    names = [f"r{number:02}" for number in range(21)]

    def first(script: Cloud) -> Said | None:
        return fault("AccessDenied", 403) if script.asked[-1] == "ListRoles" else None

    cloud.answer = Cloud(dict.fromkeys(names, TRUST), first=first)
    assert len(IamRoles(sessions).roles([arn(name) for name in names])) == 21


def test_unreadable_account_is_left_out_and_named(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud({"web": TRUST})
    roles = IamRoles(sessions)
    found = roles.roles([arn("web"), arn("web", NOWHERE)])
    assert list(found) == [arn("web")]
    assert "nowhere" in (roles.unreadable(NOWHERE) or "")


def test_trust_is_written_once_though_the_answer_was_lost(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud({"web": TRUST}, lost=1)
    roles = IamRoles(sessions)
    roles.write_trust(live(roles), EDITED)
    assert script.asked.count("UpdateAssumeRolePolicy") == 1
    assert json.loads(live(roles).trust) == json.loads(EDITED)


def test_trust_is_sent_to_the_letter_as_it_was_judged(cloud: Server, sessions: AwsSessions) -> None:
    document = {**TRUST, "Id": "Bestellungen-für-München"}
    cloud.answer = Cloud({"web": TRUST})
    roles = IamRoles(sessions)
    roles.write_trust(live(roles), json.dumps(document, indent=2))
    sent = dict(parse_qsl(cloud.asked[-1].body.decode()))
    assert sent["Action"] == "UpdateAssumeRolePolicy"
    assert sent["PolicyDocument"] == minified(document)


def test_trust_is_not_written_over_a_foreign_edit(cloud: Server, sessions: AwsSessions) -> None:
    foreign = {**TRUST, "Id": "somebody"}

    def first(script: Cloud) -> Said | None:
        if script.asked.count("UpdateAssumeRolePolicy") == 1 and script.asked[-1] == "UpdateAssumeRolePolicy":
            script.roles["web"] = foreign
            return Said(503)
        return None

    script = cloud.answer = Cloud({"web": TRUST}, first=first)
    roles = IamRoles(sessions)
    with pytest.raises(Rejected, match="at the same time") as refused:
        roles.write_trust(live(roles), EDITED)
    assert (refused.value.reason, script.roles["web"]) == ("conflict", foreign)


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("LimitExceeded", 409, "too-large"),
        ("UnmodifiableEntity", 400, "unmodifiable"),
        ("MalformedPolicyDocument", 400, "malformed"),
    ],
)
def test_trust_refused(cloud: Server, sessions: AwsSessions, code: str, status: int, reason: str) -> None:
    def first(script: Cloud) -> Said | None:
        return fault(code, status, "IAM's words") if script.asked[-1] == "UpdateAssumeRolePolicy" else None

    cloud.answer = Cloud({"web": TRUST}, first=first)
    roles = IamRoles(sessions)
    with pytest.raises(Rejected, match="IAM's words") as refused:
        roles.write_trust(live(roles), EDITED)
    assert refused.value.reason == reason


def url_of(token: str) -> str:
    body = token.removeprefix(PREFIX)
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()


def test_token_names_the_cluster_in_a_signed_header(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud()
    cluster = sessions.fleet.clusters[1]
    token = EksToken(cluster, sessions).current()
    url = urlsplit(url_of(token))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert token.startswith("k8s-aws-v1.")
    assert "=" not in token
    assert f"{url.scheme}://{url.netloc}" == cloud.url
    assert (query["Action"], query["X-Amz-Expires"], query["X-Amz-Security-Token"]) == ("GetCallerIdentity", "60", "t")
    assert query["X-Amz-SignedHeaders"].split(";") == ["host", "x-k8s-aws-id"]
    assert "ASIAAWAY" in query["X-Amz-Credential"]


def test_token_is_signed_anew_before_it_expires_and_after_a_refusal(
    cloud: Server, sessions: AwsSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.answer = Cloud()
    clock = [0.0]
    token = EksToken(sessions.fleet.clusters[0], sessions, monotonic=lambda: clock[0])
    made = (f"t{number}" for number in range(9))
    monkeypatch.setattr(token, "_sign", lambda: next(made))
    assert [token.current(), token.current()] == ["t0", "t0"]
    clock[0] = LIFETIME
    assert token.current() == "t1"
    token.forget("t0")
    assert token.current() == "t1"
    token.forget("t1")
    assert token.current() == "t2"


def test_refused_token_of_a_good_identity_means_no_access(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud()
    cluster = sessions.fleet.clusters[0]
    auth = EksAuth(cluster, sessions, EksToken(cluster, sessions))
    complaint = auth.complaint(worked=False)
    assert f'does not let "arn:aws:iam::{HOME}:user/ann" in' in complaint.sentence()
    assert isinstance(auth.complaint(worked=True), CredentialsExpired)  # it was let in a moment ago
    cloud.answer = lambda _asked: fault("ExpiredToken", 403)
    assert isinstance(auth.complaint(worked=True), CredentialsExpired)


def test_clients_are_made_safely_from_many_threads(cloud: Server, sessions: AwsSessions) -> None:
    script = cloud.answer = Cloud()
    seen: list[object] = []
    threads = [threading.Thread(target=lambda: seen.append(sessions.eks(HOME, "us-east-1"))) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in seen}) == 1
    assert script.asked == ["GetCallerIdentity"]


def eks_answers(*, taken_tags: Mapping[str, str]) -> Callable[[Asked], Said]:
    """EKS whose pair is taken by an association with these tags."""
    pair = {"clusterName": "eks-home", "namespace": "shop", "serviceAccount": "web", "associationId": "a-1"}
    script = Cloud()

    def answer(asked: Asked) -> Said:
        if "pod-identity-associations" not in asked.path:
            return script(asked)
        if asked.method == "POST":
            headers = {"x-amzn-ErrorType": "ResourceInUseException"}
            return Said(409, b'{"message": "Association already exists: a-1"}', headers)
        if asked.path.endswith("a-1"):
            full = {**pair, "roleArn": arn("web"), "tags": dict(taken_tags)}
            return Said(body=json.dumps({"association": full}).encode())
        return Said(body=json.dumps({"associations": [pair]}).encode())

    return answer


@pytest.mark.parametrize(("run", "ours"), [("run-1", True), ("run-0", False)])
def test_association_of_a_try_whose_answer_was_lost_is_ours(
    cloud: Server, sessions: AwsSessions, run: str, ours: bool
) -> None:
    cloud.answer = eks_answers(taken_tags={"run": run, "team": "x"})
    eks = EksCluster(sessions.fleet.clusters[0], sessions)

    def create() -> str:
        made = eks.create_association(
            namespace="shop", service_account="web", role_arn=arn("web"), tags={"run": "run-1"}, token="t"
        )
        return made.id

    if ours:
        assert create() == "a-1"
        return
    with pytest.raises(Rejected, match="already exists") as refused:
        create()
    assert refused.value.reason == "exists"
