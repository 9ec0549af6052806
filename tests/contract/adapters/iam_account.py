"""IAM of one account as the source roles' adapter meets it: over a real socket, with odd answers and lost ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from tests.contract.adapters.scripted import Asked, Said
from tests.contract.adapters.test_aws import HOME, fault, xml

NAME, PATH = "irsa-migrator-main-orders", "/eks/"
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"]}]}'
TAGS = {"irsa-migrator/run": "r-1", "managed-by": "irsa-migrator"}
WRITES = ("CreateRole", "PutRolePolicy", "DeleteRolePolicy", "DeleteRole")
Form = Mapping[str, str]


@dataclass
class Role:
    """One role as IAM keeps it."""

    id: str
    path: str = PATH
    trust: str = TRUST
    tags: dict[str, str] = field(default_factory=lambda: dict(TAGS))
    inline: dict[str, str] = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)
    profiles: list[str] = field(default_factory=list)


@dataclass
class Account:
    """IAM with roles in it. `lost` writes are made and not told of; `said` are answers in the place of IAM's own.

    `after` is called with an action once its change is made, whether that is told of or not.
    """

    roles: dict[str, Role] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    said: dict[str, list[Said]] = field(default_factory=dict)
    after: Callable[["Account", str], None] = lambda _account, _action: None
    asked: list[str] = field(default_factory=list)
    forms: dict[str, dict[str, str]] = field(default_factory=dict)
    page: int = 1000

    def __call__(self, request: Asked) -> Said:
        form = dict(parse_qsl(request.body.decode()))
        action = form["Action"]
        if action == "GetCallerIdentity":
            return xml(action, f"<Account>{HOME}</Account><Arn>arn:aws:iam::{HOME}:user/ann</Arn>")
        self.asked.append(action)
        self.forms[action] = form
        if self.said.get(action):
            return self.said[action].pop(0)
        told = self._unless_missing(action, form)
        if told.status < 300:
            self.after(self, action)
        if action in self.lost:
            self.lost.remove(action)
            return Said(lost=True)
        return told

    @property
    def changes(self) -> list[str]:
        return [action for action in self.asked if action in WRITES]

    def _unless_missing(self, action: str, form: Form) -> Said:
        if action != "CreateRole" and form["RoleName"] not in self.roles:
            return fault("NoSuchEntity", 404, f"The role with name {form['RoleName']} cannot be found.")
        answers: dict[str, Callable[[Form], Said]] = {
            "CreateRole": self._create,
            "GetRole": self._get,
            "PutRolePolicy": self._put,
            "GetRolePolicy": self._get_policy,
            "DeleteRolePolicy": self._delete_policy,
            "DeleteRole": self._delete,
            "ListRolePolicies": lambda form: self._listed(form, "PolicyNames", [*self._of(form).inline], "{}"),
            "ListAttachedRolePolicies": lambda form: self._listed(
                form, "AttachedPolicies", self._of(form).attached, "<PolicyName>{}</PolicyName>"
            ),
            "ListInstanceProfilesForRole": lambda form: self._listed(
                form, "InstanceProfiles", self._of(form).profiles, "<InstanceProfileName>{}</InstanceProfileName>"
            ),
        }
        return answers[action](form)

    def _of(self, form: Form) -> Role:
        return self.roles[form["RoleName"]]

    def _create(self, form: Form) -> Said:
        if form["RoleName"] in self.roles:
            return fault("EntityAlreadyExists", 409, f"Role with name {form['RoleName']} already exists.")
        pairs = range(1, 1 + sum(key.endswith(".Key") for key in form))
        tags = {form[f"Tags.member.{one}.Key"]: form[f"Tags.member.{one}.Value"] for one in pairs}
        made = Role(f"AROA{len(self.asked)}", form["Path"], form["AssumeRolePolicyDocument"], tags)
        self.roles[form["RoleName"]] = made
        return self._get(form)

    def _get(self, form: Form) -> Said:
        role, name = self._of(form), form["RoleName"]
        tags = "".join(f"<member><Key>{key}</Key><Value>{value}</Value></member>" for key, value in role.tags.items())
        inner = (
            f"<RoleName>{name}</RoleName><RoleId>{role.id}</RoleId><Path>{role.path}</Path>"
            f"<Arn>arn:aws:iam::{HOME}:role{role.path}{name}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>"
            f"<AssumeRolePolicyDocument>{quote(role.trust)}</AssumeRolePolicyDocument><Tags>{tags}</Tags>"
        )
        return xml(form["Action"], f"<Role>{inner}</Role>")

    def _put(self, form: Form) -> Said:
        self._of(form).inline[form["PolicyName"]] = form["PolicyDocument"]
        return xml("PutRolePolicy", "")

    def _get_policy(self, form: Form) -> Said:
        found = self._of(form).inline.get(form["PolicyName"])
        if found is None:
            return fault("NoSuchEntity", 404, f"The role policy with name {form['PolicyName']} cannot be found.")
        return xml("GetRolePolicy", f"<PolicyDocument>{quote(found)}</PolicyDocument>")

    def _delete_policy(self, form: Form) -> Said:
        if self._of(form).inline.pop(form["PolicyName"], None) is None:
            return fault("NoSuchEntity", 404, f"The role policy with name {form['PolicyName']} cannot be found.")
        return xml("DeleteRolePolicy", "")

    def _delete(self, form: Form) -> Said:
        role = self._of(form)
        if role.inline or role.attached or role.profiles:
            return fault("DeleteConflict", 409, "Cannot delete entity, must detach all policies first.")
        del self.roles[form["RoleName"]]
        return xml("DeleteRole", "")

    def _listed(self, form: Form, key: str, names: list[str], entry: str) -> Said:
        first = int(form.get("Marker", "0"))
        shown = "".join(f"<member>{entry.format(name)}</member>" for name in names[first : first + self.page])
        more = first + self.page < len(names)
        rest = f"<IsTruncated>true</IsTruncated><Marker>{first + self.page}</Marker>" if more else ""
        return xml(form["Action"], f"<{key}>{shown}</{key}>{rest}")
