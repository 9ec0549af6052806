"""What `migrate explain` says about the codes of errors. The docs page on exit codes is generated from it."""

from collections.abc import Mapping
from dataclasses import dataclass

from migrator.model.exits import Exit


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """One code of an error line on stderr."""

    exit: Exit
    title: str
    why: str
    remedy: str


ERRORS: Mapping[str, ErrorPage] = {
    "usage": ErrorPage(
        Exit.USAGE,
        "the command line asks for something that is not there",
        "A service, selector or option does not fit what is known; nothing was changed.",
        'read the message: it names the wrong value and what is near it; "migrate COMMAND --help" has an example',
    ),
    "document": ErrorPage(
        Exit.USAGE,
        "a file cannot be used as it is",
        "The fleet file, a plan file or a world file is unreadable, does not fit its schema, or was changed where a"
        " person may not change it. The message names file, line and field.",
        'mend the field; for a plan, change only what stands under "edit", or run "migrate plan" again',
    ),
    "environment": ErrorPage(
        Exit.ERROR,
        "something outside of migrate failed",
        "The network, a certificate, AWS or a Kubernetes API server did not answer as it should, also after retrying."
        " What was done up to there is in the journal.",
        "mend what the message names, then run the same command again: it resumes",
    ),
    "not-permitted": ErrorPage(
        Exit.ERROR,
        "the operator may not do this",
        "AWS or Kubernetes refused a call; the message names the permission and who was refused.",
        "grant the permission to the role that the fleet file names for the account, then run the same command again",
    ),
    "rejected": ErrorPage(
        Exit.ERROR,
        "the other side understood and refused",
        "AWS or Kubernetes found the request wrong as it stands; its own code and words are in the message.",
        'read its words; if the live objects changed since the plan was made, run "migrate plan" again',
    ),
    "credentials-expired": ErrorPage(
        Exit.UNFINISHED,
        "the operator's credentials ran out",
        "The run stopped at a checkpoint; nothing is half-recorded and pods are not affected.",
        "renew the credentials (for example sign in again), then run the same command: it resumes",
    ),
    "blocked": ErrorPage(
        Exit.BLOCKED,
        "a finding, a hold or a failed gate needs a person",
        "The plan says why the service cannot be migrated as it is, or a step failed and its way back was off.",
        'look with "migrate show SERVICE"; mend the cause and plan again, or accept the finding in the plan file',
    ),
    "locked": ErrorPage(
        Exit.LOCKED,
        "another runner holds the service, the role or the agent",
        "Two runners never change the same thing. The message says who, on which host, and since when.",
        "wait for the other runner; a lock whose owner is gone expires by itself",
    ),
    "drift": ErrorPage(
        Exit.DRIFT,
        "the live state is neither what the plan found nor what it wants",
        "Somebody or something changed the object since the plan was made. It was not overwritten.",
        'find out who changed it, then run "migrate plan" and look at the new plan; or run'
        ' "migrate apply --service SERVICE --from-drift", which plans again, shows what changed and goes on',
    ),
    "stranded": ErrorPage(
        Exit.STRANDED,
        "a step failed, and the way back failed too",
        "The service is between the two mechanisms. Its pods may keep running on old credentials until they restart.",
        'look with "migrate history SERVICE" and "migrate verify --service SERVICE", mend what the message names, then'
        ' run "migrate rollback --service SERVICE"',
    ),
    "store": ErrorPage(
        Exit.ERROR,
        "the state store cannot be read or written",
        "Without a durable journal nothing is changed; the run stopped before the next change.",
        "check the disk and the rights of the file that the message names",
    ),
    "output": ErrorPage(
        Exit.ERROR,
        "the result could not be written to stdout",
        "A full disk, most often. What the command did stands, and is in the journal; a graver exit code of its own"
        " comes before this one. A reader that goes away, as in a pipe to head, is no error.",
        'make room or send the result elsewhere; "migrate status" and "migrate history SERVICE" tell what was done',
    ),
    "interrupted": ErrorPage(
        Exit.INTERRUPTED,
        "a signal was honoured at a checkpoint",
        "Ctrl-C ends with 130, SIGTERM with 143. Every change made is in the journal.",
        "run the same command again: it resumes where it stopped",
    ),
    "error": ErrorPage(
        Exit.ERROR,
        "an error without a more exact code",
        "The message says what was being done and what happened.",
        "follow the message",
    ),
    "unexpected": ErrorPage(
        Exit.ERROR,
        "an error that nobody foresaw",
        "A fault in migrate itself. The journal is written before every change, so nothing is half-recorded.",
        'run again with "--debug" and report the traceback',
    ),
}
