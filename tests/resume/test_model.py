"""The executor against a model: random worlds, faults, kills, second runners, foreign deeds and next commands.

Whatever happens, each change is made as often as the journal says, no pod is left without credentials because of us,
the journal knows of all that is ours, no lock stays, what others changed is kept; and there is always a way: once
nothing goes wrong any more, one of the ordinary commands ends the service migrated, or back.
"""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.model.plan import Order
from tests.resume.play import KINDS, Script, play

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "150"))
OURS = ("kill", "kill", "kill", "fault", "second")
HARMLESS = ("statement", "label", "scale", "delete", "job")
HINDERING = ("annotation", "repoint", "pause", "budget", "foreign")
HARMFUL = ("dissociate", "untrust", "take")
HAPPENINGS = (*OURS, *HARMLESS, *HINDERING, *HARMFUL)
COMMANDS = ("apply", "apply", "apply+", "rollback", "rollback+", "replan", "from-drift", "to", "to-verify", "stay")
BETWEEN = ("owner", "owner", *(f"they {deed}" for deed in (*HARMLESS, *HINDERING, *HARMFUL)))

happenings = st.dictionaries(st.integers(1, 30), st.sampled_from(HAPPENINGS), max_size=2)
scripts = st.builds(
    Script,
    workloads=st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 3)), min_size=1, max_size=3).map(tuple),
    order=st.sampled_from(Order),
    restart=st.sampled_from(("rollout", "rollout", "natural")),
    agent=st.booleans(),
    lets_in=st.booleans(),
    linked=st.sampled_from((False, False, True)),
    bare=st.sampled_from((False, False, True)),
    owned=st.sampled_from((False, False, True)),
    visible=st.integers(0, 3),
    accepted=st.integers(0, 3),
    agent_late=st.integers(0, 3),
    slow=st.integers(0, 3),
    late=st.sampled_from((0, 0, 1, 2, 3, 4)),
    refusals=st.sampled_from((0, 0, 1, 3)),
    missed=st.sampled_from((0, 0, 0, 1, 2, 9)),
    put_back=st.sampled_from((0, 0, 0, 1, 9)),
    check_exit=st.sampled_from((0, 0, 0, 1)),
    reality=st.sampled_from((None, None, None, "irsa", "none")),
    commands=st.lists(
        st.tuples(st.sampled_from(COMMANDS), happenings) | st.tuples(st.sampled_from(BETWEEN), st.just({})),
        min_size=1,
        max_size=6,
    ).map(tuple),
)


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(scripts)
def test_whatever_happens(script: Script) -> None:
    play(script)
