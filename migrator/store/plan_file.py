"""The folder of plan files: one deterministic YAML file per service, rewritten only when its bytes change.

Reading YAML is the dear half of planning a large fleet, so that files are compared as bytes and parsed only when they
differ; each is written beside its place and moved there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from migrator.documents.emit import emit
from migrator.documents.errors import DocumentError
from migrator.documents.yaml_file import Document, checked, read, unreadable
from migrator.model.ids import ServiceId
from migrator.model.plan import FORMAT, Edit, Plan
from migrator.planning.verdict import verdict
from migrator.store.plan_document import document_of, plan_of
from migrator.store.plan_edit import check_acceptances, check_container, load_edit, schema
from migrator.store.plan_names import path_of, service_at
from migrator.store.plan_walk import walk
from migrator.store.seal import check_seal
from migrator.store.whole import write_whole

SCHEMA_NAME = "plan.schema.json"
_HEAD = f"""\
# yaml-language-server: $schema=../../{SCHEMA_NAME}
# Made by "migrate plan", carried out by "migrate apply". Review it; edit nothing but the part "edit".
"""
_EDIT_HEAD = """\
# Only this part may be edited. hold: true keeps the service where it is; wave and order say when and how; verify is a
# check of your own, {command: [...], container: NAME}; accept takes findings on, each {code: CODE, reason: WHY}.
"""
_SEALED_HEAD = "# From here on all is sealed again.\n"


def to_text(plan: Plan) -> str:
    """The plan file's text; the same plan gives the same bytes."""
    parts = document_of(plan)
    heads = {"edit": _EDIT_HEAD, "facts": _SEALED_HEAD}
    return _HEAD + "".join(heads.get(name, "") + emit({name: part}) for name, part in parts.items())


def load_plan(path: Path) -> Plan:
    """The plan in one file, wherever it stands.

    Raises:
        DocumentError: unreadable, another format, an unknown field, a wrong type, or a protected field was changed.
    """
    return plan_of(_load(path).data)


def _load(path: Path) -> Document:
    document = read(path)
    data: Any = document.data
    found = data.get("format") if isinstance(data, dict) else None
    if isinstance(found, int) and not isinstance(found, bool) and found > FORMAT:
        problem = f'{found} is newer than {FORMAT}, the newest this "migrate" reads; use a newer one, or plan again'
        raise document.error(("format",), problem)
    checked(document, schema())
    check_seal(document)
    check_acceptances(document)
    return document


@dataclass(frozen=True, slots=True)
class PlanFiles:
    """The plan files below one folder."""

    folder: Path

    def path(self, service: ServiceId) -> Path:
        """Where the service's plan stands, or would."""
        return path_of(self.folder, service)

    def write(self, plan: Plan) -> bool:
        """Writes the plan, keeping what a person wrote into an earlier one; whether anything in the file changed.

        Raises:
            DocumentError: the earlier file's editable part cannot be read; it is left as it is.
            StoreFault: the file cannot be written.
        """
        path = self.path(plan.service)
        text = self._wanted(path, plan)
        if text is None:
            return False
        write_whole(path, text)
        return True

    def would_change(self, plan: Plan) -> bool:
        """Whether `write` would change the file; for dry runs.

        Raises:
            DocumentError: as `write`.
        """
        return self._wanted(self.path(plan.service), plan) is not None

    def read(self, service: ServiceId) -> Plan:
        """The service's plan.

        Raises:
            DocumentError: there is none, it cannot be used, it is another service's, or its own check names a container
                that none of its workloads has.
        """
        path = self.path(service)
        try:
            return self._at(path)
        except DocumentError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise DocumentError(path, f'there is no plan of "{service}"; run "migrate plan" first') from error
            raise

    def edit_of(self, service: ServiceId) -> Edit | None:
        """What a person wrote into the service's plan, or None when there is no plan.

        Raises:
            DocumentError: the editable part cannot be read.
        """
        path = self.path(service)
        try:
            return load_edit(path)
        except DocumentError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise

    def paths(self) -> tuple[Path, ...]:
        """All plan files, sorted.

        Raises:
            DocumentError: the folder is no folder, or cannot be looked into.
        """
        return walk(self.folder).paths

    def stands(self, service: ServiceId) -> bool:
        """Whether the service has a plan file, whatever is in it.

        Raises:
            DocumentError: its folder lets nobody look.
        """
        path = self.path(service)
        try:
            return path.is_file()
        except OSError as error:
            raise DocumentError(path, unreadable(error)) from error

    def closed(self) -> tuple[DocumentError, ...]:
        """Folders in which plan files may stand that cannot be looked into, and why.

        Raises:
            DocumentError: it is the folder itself, or that is none.
        """
        return walk(self.folder).closed

    def hidden(self, services: Iterable[ServiceId]) -> Iterator[ServiceId]:
        """Those whose plan file, if there is one, stands in such a folder.

        Raises:
            DocumentError: as `closed`.
        """
        closed = {Path(error.path) for error in self.closed()}
        return (service for service in services if not closed.isdisjoint(self.path(service).parents))

    def services(self) -> tuple[ServiceId, ...]:
        """The services that have a plan, sorted; by the files' names, without reading them where that is possible.

        Raises:
            DocumentError: the folder is no folder.
        """
        named = (service_at(self.folder, path) for path in self.paths())
        return tuple(sorted({service for service in named if service} | {plan.service for plan in self._nameless()[0]}))

    def strays(self) -> tuple[DocumentError, ...]:
        """What cannot be read without its being known whose plans it is, and why: folders, names cut short or strange.

        Raises:
            DocumentError: the folder is no folder.
        """
        found = walk(self.folder)
        return (*found.closed, *found.strange, *self._nameless()[1])

    def _nameless(self) -> tuple[list[Plan], list[DocumentError]]:
        plans, errors = [], []
        for path in self.paths():
            if service_at(self.folder, path) is None:
                try:
                    plans.append(self._standing(path)[1])
                except DocumentError as error:
                    errors.append(error)
        return plans, errors

    def all(self) -> Iterator[Plan]:
        """Every plan, sorted by path.

        Raises:
            DocumentError: one of them cannot be used.
        """
        for path in self.paths():
            yield self._at(path)

    def publish_schema(self) -> bool:
        """Puts the JSON Schema beside the plans, where their first line points editors to; whether it was changed."""
        path = self.folder / SCHEMA_NAME
        text = schema_text()
        if _bytes(path) == text:
            return False
        write_whole(path, text)
        return True

    def _wanted(self, path: Path, plan: Plan) -> bytes | None:
        """The file's new bytes, or None when it has them already."""
        there = _bytes(path)
        text = to_text(plan).encode()
        if there is not None and there != text:
            edit = load_edit(path)
            text = to_text(replace(plan, edit=edit, verdict=verdict(plan.findings, edit.accept))).encode()
        return None if there == text else text

    def _at(self, path: Path) -> Plan:
        document, plan = self._standing(path)
        check_container(document)
        return plan

    def _standing(self, path: Path) -> tuple[Document, Plan]:
        document = _load(path)
        plan = plan_of(document.data)
        if self.path(plan.service) != path:
            problem = f'"{plan.service}" does not belong here but in {self.path(plan.service)}'
            raise document.error(("service",), problem)
        return document, plan


def schema_text() -> bytes:
    """The published JSON Schema, as it stands beside this module."""
    return (Path(__file__).with_name(SCHEMA_NAME)).read_bytes()


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DocumentError(path, unreadable(error)) from error
