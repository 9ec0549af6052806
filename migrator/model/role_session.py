"""One role's session as a resource's policy sees it: one of IRSA, and one of Pod Identity.

What differs: the token's claims and `aws:FederatedProvider`, the session's name, which `aws:userid` ends in and which
a session's own ARN names, and the six tags. Sources: the IAM user guide's pages on global condition keys, on policy
variables and on principals; the EKS user guide's page on session tags; the model of EKS Auth for the session's name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from migrator.model.chains import Caller
from migrator.model.facts import Json
from migrator.model.trust.conditions import Entry, Request, Sure, judge
from migrator.model.trust.document import as_list, text_of
from migrator.model.trust.match import TAGS
from migrator.model.trust.parties import Statement, principals, provider_arn, subject_of
from migrator.model.trust.subject import Subject

PRINCIPAL = "principal"
USER_ID = "aws:userid"
SESSION_TAG = "aws:principaltag/"
NAME_BEGINS = "eks-"  # of the sessions that EKS makes: eks-CLUSTER-POD-UUID
_CLAIM = re.compile(r".+:(?:sub|aud|amr|azp|oaud|iss)|saml:.+|aws:federatedprovider")
_VARIABLE = re.compile(r"\$\{\s*([^},\s]+)\s*\}")  # one with a default is never without a value


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is known of a session; `name` is what its name surely begins with."""

    role: Caller
    request: Request
    name: str

    def has(self, key: str) -> Sure:
        """Whether it brings a value for the condition key, given in lower case."""
        return self.request.presence(key)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a statement, by the condition key that it rests on, and what it says to a session before and after."""

    key: str  # lower case
    shown: str
    before: Sure
    after: Sure


def is_claim(key: str) -> bool:
    """Whether the key, in lower case, is there in sessions of web identity or SAML only."""
    return _CLAIM.fullmatch(key) is not None


def is_tag(key: str) -> bool:
    """Whether the key, in lower case, is one of the six tags that a session of Pod Identity bears."""
    return key.startswith(SESSION_TAG) and key.removeprefix(SESSION_TAG) in TAGS


def is_session_arn(name: str) -> bool:
    """Whether a principal is a role's session, which its name tells apart."""
    return ":assumed-role/" in name


def keyed(statement: Statement) -> bool:
    """Whether a statement rests on anything in which the two mechanisms differ."""
    keys = {entry.key.lower() for entry in statement.condition}
    keys |= {key for entry in statement.condition for value in entry.values for key in _variables(value)}
    keys |= {key for resource in _resources(statement.body) for key in _variables(resource)}
    if any(key == USER_ID or is_claim(key) or is_tag(key) for key in keys):
        return True
    return any(is_session_arn(name) for _, name in _named(statement.body))


def irsa_session(role: Caller, subject: Subject, issuer: str, audience: str, tags: Mapping[str, str] | None) -> Session:
    """A session by the token of the subject; the role's tags are None where they could not be read.

    Args:
        role: whose session it is.
        subject: the ServiceAccount.
        issuer: the cluster's, without its scheme.
        audience: of the token.
        tags: the role's own.
    """
    claims = {
        f"{issuer.lower()}:sub": (subject_of(subject.namespace, subject.name),),
        f"{issuer.lower()}:aud": (audience,),
        "aws:federatedprovider": (provider_arn(issuer, role.account, role.partition),),
    }
    return _session(role, claims, tags, "")


def pod_identity_session(role: Caller, subject: Subject, tags: Mapping[str, str] | None, *, tagged: bool) -> Session:
    """A session that EKS makes for the subject, with the six tags or without."""
    known = {
        "eks-cluster-arn": subject.cluster_arn,
        "eks-cluster-name": subject.cluster_arn.rpartition("/")[2],
        "kubernetes-namespace": subject.namespace,
        "kubernetes-service-account": subject.name,
    }
    given = {SESSION_TAG + name: (value,) for name, value in known.items()} if tagged else {}
    pod = {f"{SESSION_TAG}kubernetes-pod-name", f"{SESSION_TAG}kubernetes-pod-uid"} if tagged else set()
    return _session(role, given, tags, NAME_BEGINS, frozenset(pod))


def filled(value: Json, session: Session) -> Any:
    """A copy of a statement, or a part of one, with the claims' values in place of their variables."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _claimed(found[1].lower(), session) or found[0], value)
    if isinstance(value, Mapping):
        return {key: filled(item, session) for key, item in value.items()}
    return [filled(item, session) for item in value] if isinstance(value, list) else value


def _claimed(key: str, session: Session) -> str:
    values = session.request.values.get(key, ()) if is_claim(key) else ()
    return values[0] if values else ""


def parts(statement: Statement, before: Session, after: Session) -> list[Part]:
    """The parts of a statement; it is about a session as far as all of them are."""
    found = [_principal(statement.body, before, after)]
    found += [_condition(entry, before, after) for entry in statement.condition]
    resource = _resource(_resources(statement.body), before, after)
    return [*found, *([resource] if resource is not None else [])]


def by_account(statement: Statement, role: Caller) -> bool:
    """Whether a statement names the role's account and not the role: the role's own policies have the last word."""
    names = {name for _, name in principals(statement.body.get("Principal"))}
    itself = names & {"*", role.arn, role.id} or any(name.startswith(_sessions(role)) for name in names)
    return bool(names & _account_names(role)) and not itself


def _session(
    role: Caller,
    known: Mapping[str, tuple[str, ...]],
    tags: Mapping[str, str] | None,
    name: str,
    present: frozenset[str] = frozenset(),
) -> Session:
    own = {SESSION_TAG + key.lower(): (value,) for key, value in (tags or {}).items()}
    values = {
        "aws:principalarn": (role.arn,),
        "aws:principalaccount": (role.account,),
        "aws:principaltype": ("AssumedRole",),
        **{key: value for key, value in own.items() if key not in present},
        **known,
    }

    def absent(key: str) -> bool:
        return is_claim(key) or (is_tag(key) and tags is not None)

    begun = {USER_ID: f"{role.id}:{name}"}
    return Session(role=role, request=Request(values=values, present=present, begun=begun, absent=absent), name=name)


def _principal(body: Mapping[str, Json], before: Session, after: Session) -> Part:
    shown = ", ".join(name for _, name in _named(body) if name.startswith(_sessions(before.role)))
    return Part(PRINCIPAL, f"principal {shown}", _about(body, before), _about(body, after))


def _about(body: Mapping[str, Json], session: Session) -> Sure:
    """Whether a statement is about the session, as far as its principals tell."""
    names = {name for kind, name in _named(body) if kind in {"AWS", "*"}}
    role = session.role
    sessions = [_session_named(session, name) for name in names if name.startswith(_sessions(role))]
    itself = names & {"*", role.arn, role.id, *_account_names(role)}
    if "NotPrincipal" not in body:
        return Sure.YES if itself else max(sessions, default=Sure.NO)
    # whom it leaves out: a session whose own ARN is listed beside its role's and its account's; and no other one
    return max(sessions, default=Sure.NO).negated()


def _account_names(role: Caller) -> set[str]:
    return {role.account, f"arn:{role.partition}:iam::{role.account}:root"}


def _sessions(role: Caller) -> str:
    """What the ARNs of a role's sessions begin with."""
    return f"arn:{role.partition}:sts::{role.account}:assumed-role/{role.arn.rpartition('/')[2]}/"


def _session_named(session: Session, arn: str) -> Sure:
    """Principals know no wildcards."""
    return Sure.MAYBE if arn.rpartition("/")[2].startswith(session.name) else Sure.NO


def _named(body: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    return principals(body.get("NotPrincipal", body.get("Principal")))


def _condition(entry: Entry, before: Session, after: Session) -> Part:
    variables = (key for value in entry.values for key in _variables(value))
    key = next((key for key in variables if before.has(key) is not after.has(key)), entry.key.lower())
    return Part(key, str(entry), _met(entry, before), _met(entry, after))


def _met(entry: Entry, session: Session) -> Sure:
    """A value with a variable that the session has not is equal to nothing.

    A line that asks for one of several values, of which one is such, says less than it might: it is taken for unmet.
    """
    operator = entry.operator.lower()
    left = tuple(value for value in entry.values if not _without(value, session))
    if left == entry.values or operator.endswith("ifexists") or operator.startswith("forallvalues:"):
        return judge(entry, session.request)
    if "not" not in operator:
        return Sure.NO
    return judge(Entry(operator=entry.operator, key=entry.key, values=left), session.request) if left else Sure.YES


def _resource(resources: Iterable[str], before: Session, after: Session) -> Part | None:
    """The resources that the statement is about for one of the sessions only, for want of a variable's value."""
    changed = [one for one in resources if _without(one, before) is not _without(one, after)]
    if not changed:
        return None
    keys = (key for key in _variables(changed[0]) if before.has(key) is not after.has(key))
    say = [min(one.has(key) for text in changed for key in _variables(text)) for one in (before, after)]
    return Part(next(keys), f"Resource = {', '.join(changed)}", say[0], say[1])


def _without(text: str, session: Session) -> bool:
    return any(session.has(key) is Sure.NO for key in _variables(text))


def _variables(text: str) -> list[str]:
    return [found[1].lower() for found in _VARIABLE.finditer(text)]


def _resources(body: Mapping[str, Json]) -> list[str]:
    return [text_of(resource) for member in ("Resource", "NotResource") for resource in as_list(body.get(member))]
