"""Source roles over a real socket: made, permitted and deleted once, whatever IAM answers, and if it is not heard."""

import json
from collections.abc import Callable, Mapping

import pytest

from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.aws.source_roles import Iam
from migrator.model.errors import EnvironmentFault, MigrateError, NotPermitted, Rejected
from migrator.model.facts import SourceRole
from migrator.model.source_role import POLICY_NAME
from tests.contract.adapters.iam_account import NAME, PATH, TAGS, TRUST, WRITES, Account, Role
from tests.contract.adapters.scripted import Said, Server
from tests.contract.adapters.support import Time
from tests.contract.adapters.test_aws import HOME, fault

ARN = f"arn:aws:iam::{HOME}:role{PATH}{NAME}"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:x"}]}'
FOREIGN = '{"Version":"2012-10-17","Statement":[]}'


@pytest.fixture
def account(cloud: Server) -> Account:
    made = Account()
    cloud.answer = made
    return made


@pytest.fixture
def iam(sessions: AwsSessions) -> Iam:
    return Iam(sessions)


def ours(**differs: object) -> Role:
    """The role as this tool leaves it."""
    return Role(**{"id": "AROAOURS", "inline": {POLICY_NAME: POLICY}, **differs})  # type: ignore[arg-type] # its fields


def create(iam: Iam) -> None:
    iam.create_source_role(ARN, trust=TRUST, tags=TAGS)


def live(iam: Iam) -> SourceRole:
    found = iam.source_role(ARN)
    assert found is not None
    return found


def denied(action: str) -> Said:
    return fault("AccessDenied", 403, f"User: ann is not authorized to perform: iam:{action} on resource: role {NAME}")


def test_made_permitted_seen_and_deleted(account: Account, iam: Iam) -> None:
    assert iam.source_role(ARN) is None
    create(iam)
    assert (live(iam).policy, live(iam).tags, json.loads(live(iam).trust)) == (None, TAGS, json.loads(TRUST))
    iam.permit(ARN, POLICY)
    found = live(iam)
    assert (found.arn, json.loads(found.policy or "")) == (ARN, json.loads(POLICY))
    assert iam.attached_to(ARN) == []
    iam.delete_source_role(found)
    assert (account.roles, account.changes) == ({}, list(WRITES))
    assert account.forms["CreateRole"]["Path"] == PATH


def test_a_role_of_that_name_at_another_path_is_told_and_left(account: Account, iam: Iam) -> None:
    account.roles[NAME] = ours(path="/")
    with pytest.raises(Rejected, match=f"role of that name at .*:role/{NAME}") as refused:
        iam.source_role(ARN)
    assert refused.value.reason == "other-path"
    assert account.changes == []


@pytest.mark.parametrize("tries", [1, 3])
@pytest.mark.parametrize("code", ["Throttling", "ConcurrentModification", "ServiceFailure"])
def test_what_passes_is_asked_again(account: Account, iam: Iam, time: Time, code: str, tries: int) -> None:
    status = {"Throttling": 400, "ConcurrentModification": 409, "ServiceFailure": 503}[code]
    account.said = {action: [fault(code, status)] * tries for action in WRITES}
    create(iam)
    iam.permit(ARN, POLICY)
    iam.delete_source_role(live(iam))
    assert (account.roles, len(account.changes), len(time.slept)) == ({}, 4 * (1 + tries), 4 * tries)


def test_throttled_without_end_is_an_environment_fault(account: Account, iam: Iam) -> None:
    account.said = {"CreateRole": [fault("Throttling")] * 50}
    with pytest.raises(EnvironmentFault, match="iam went on failing with Throttling"):
        create(iam)


def test_a_creation_whose_answer_is_lost_is_seen_at_the_next_look(account: Account, iam: Iam) -> None:
    account.lost = ["CreateRole"]
    with pytest.raises(Rejected, match="already exists") as refused:
        create(iam)
    assert refused.value.reason == "exists"
    assert live(iam).tags == TAGS


def test_a_permission_whose_answer_is_lost_is_written_once(account: Account, iam: Iam) -> None:
    account.roles[NAME] = ours(inline={})
    account.lost = ["PutRolePolicy"]
    iam.permit(ARN, POLICY)
    assert account.roles[NAME].inline == {POLICY_NAME: POLICY}
    assert account.changes == ["PutRolePolicy"]


def test_a_permission_that_says_the_same_is_not_written_again(account: Account, iam: Iam) -> None:
    account.roles[NAME] = ours(inline={POLICY_NAME: json.dumps(json.loads(POLICY), indent=2)})
    iam.permit(ARN, POLICY)
    assert account.changes == []


def test_a_permission_that_somebody_wrote_after_a_lost_answer_is_kept(account: Account, iam: Iam) -> None:
    def edited(account: Account, action: str) -> None:
        if action == "PutRolePolicy":
            account.roles[NAME].inline[POLICY_NAME] = FOREIGN

    account.roles[NAME] = ours(inline={})
    account.lost, account.after = ["PutRolePolicy"], edited
    with pytest.raises(Rejected, match="somebody wrote it at the same time") as refused:
        iam.permit(ARN, POLICY)
    assert refused.value.reason == "conflict"
    assert account.roles[NAME].inline == {POLICY_NAME: FOREIGN}


def test_the_role_is_gone_before_its_permission_is_written(account: Account, iam: Iam) -> None:
    with pytest.raises(Rejected) as refused:
        iam.permit(ARN, POLICY)
    assert (refused.value.reason, account.roles) == ("NoSuchEntity", {})


@pytest.mark.parametrize("lost", [["DeleteRolePolicy"], ["DeleteRole"], ["DeleteRolePolicy", "DeleteRole"]])
def test_a_deletion_whose_answer_is_lost_is_well(account: Account, iam: Iam, lost: list[str]) -> None:
    account.roles[NAME] = ours()
    account.lost = lost
    iam.delete_source_role(live(iam))
    assert account.roles == {}


@pytest.mark.parametrize("left", [{}, {NAME: ours(inline={})}], ids=["role", "policy"])
def test_what_is_gone_already_is_well(account: Account, iam: Iam, left: dict[str, Role]) -> None:
    account.roles[NAME] = ours()
    seen = live(iam)
    account.roles = dict(left)
    iam.delete_source_role(seen)
    assert account.roles == {}


@pytest.mark.parametrize("lost", ["DeleteRolePolicy", "DeleteRole"])
def test_a_role_that_somebody_made_after_a_lost_answer_is_kept(account: Account, iam: Iam, lost: str) -> None:
    theirs = ours(id="AROATHEIRS")

    def replaced(account: Account, action: str) -> None:
        if action == lost:
            account.roles[NAME] = theirs

    account.roles[NAME] = ours()
    account.lost, account.after = [lost], replaced
    with pytest.raises(Rejected, match="another role of that name") as refused:
        iam.delete_source_role(live(iam))
    assert refused.value.reason == "replaced"
    assert account.roles == {NAME: theirs}
    assert theirs.inline == {POLICY_NAME: POLICY}


@pytest.mark.parametrize(
    "hanging",
    [{"inline": {POLICY_NAME: POLICY, "theirs": FOREIGN}}, {"attached": ["ReadOnly"]}, {"profiles": ["ec2"]}],
    ids=["inline", "attached", "profile"],
)
def test_what_else_hangs_on_it_keeps_it_there(account: Account, iam: Iam, hanging: dict[str, object]) -> None:
    account.roles[NAME] = ours(**hanging)
    assert iam.attached_to(ARN) in (["policy theirs"], ["policy ReadOnly"], ["instance profile ec2"])
    with pytest.raises(Rejected) as refused:
        iam.delete_source_role(live(iam))
    assert refused.value.reason == "in-use"
    assert NAME in account.roles


def test_every_page_of_what_hangs_on_it_is_read(account: Account, iam: Iam) -> None:
    """IAM may cut a list short of what was asked for; ours comes first, and hides nobody else's."""
    account.roles[NAME] = ours(inline={POLICY_NAME: POLICY, "a": FOREIGN}, attached=["b", "c"], profiles=["d", "e"])
    account.page = 1
    expected = ["instance profile d", "instance profile e", "policy a", "policy b", "policy c"]
    assert iam.attached_to(ARN) == expected


def test_nothing_hangs_on_a_role_that_is_gone(account: Account, iam: Iam) -> None:
    assert iam.attached_to(ARN) == []
    assert account.asked == ["ListRolePolicies"]


REFUSED: Mapping[str, Callable[[Iam], object]] = {
    "GetRole": lambda iam: iam.source_role(ARN),
    "GetRolePolicy": lambda iam: iam.source_role(ARN),
    "CreateRole": create,
    "PutRolePolicy": lambda iam: iam.permit(ARN, POLICY),
    "ListRolePolicies": lambda iam: iam.attached_to(ARN),
    "ListAttachedRolePolicies": lambda iam: iam.attached_to(ARN),
    "ListInstanceProfilesForRole": lambda iam: iam.attached_to(ARN),
    "DeleteRolePolicy": lambda iam: iam.delete_source_role(live(iam)),
    "DeleteRole": lambda iam: iam.delete_source_role(live(iam)),
}


@pytest.mark.parametrize("action", REFUSED)
def test_who_may_not_is_told_what_to_allow(account: Account, iam: Iam, action: str) -> None:
    account.roles[NAME] = ours(inline={} if action == "PutRolePolicy" else {POLICY_NAME: POLICY})
    account.said = {action: [denied(action)]}
    with pytest.raises(NotPermitted, match=f'iam:{action} is not permitted to "ann"') as refused:
        REFUSED[action](iam)
    assert (refused.value.remedy, account.asked.count(action)) == (f'allow "iam:{action}"', 1)


def test_tags_that_may_not_be_given_are_named(account: Account, iam: Iam) -> None:
    account.said = {"CreateRole": [denied("TagRole")]}
    with pytest.raises(NotPermitted, match="iam:TagRole is not permitted"):
        create(iam)


@pytest.mark.parametrize(
    ("code", "call"),
    [("LimitExceeded", "CreateRole"), ("MalformedPolicyDocument", "CreateRole"), ("LimitExceeded", "PutRolePolicy")],
)
def test_what_iam_will_not_have_keeps_its_own_code(account: Account, iam: Iam, code: str, call: str) -> None:
    account.roles = {} if call == "CreateRole" else {NAME: ours(inline={})}
    account.said = {call: [fault(code, 400)]}
    with pytest.raises(MigrateError, match=rf"said so \({code}\)") as refused:
        REFUSED[call](iam)
    assert isinstance(refused.value, Rejected)
    assert refused.value.reason == code
