"""Stories that once went wrong, told to the model word by word: what chance finds seldom stays found."""

from migrator.model.plan import Order
from tests.resume.play import Script

LAST = Order.ANNOTATION_LAST
TWO = (("Deployment", 1), ("Deployment", 2))
ON_DELETE = (("DaemonSet", 3),)

STORIES: dict[str, Script] = {
    "its owner takes the annotation out once the service has moved, and the way back waits for him": Script(
        commands=(("apply", {}), ("they take", {}), ("apply", {}), ("rollback", {})), owned=True
    ),
    "its owner takes it out, others the association and a workload, before the run comes to it": Script(
        commands=(("apply", {}), ("they delete", {}), ("they dissociate", {}), ("they take", {})),
        workloads=(("DaemonSet", 0), ("DaemonSet", 1)),
        order=LAST,
        restart="natural",
        owned=True,
    ),
    "its owner takes it out while the way back is cut off behind it": Script(
        commands=(
            ("apply", {}),
            ("rollback", {"journal association started": "kill"}),
            ("they take", {}),
            ("rollback", {}),
        ),
        owned=True,
    ),
    "the association is deleted while the walk rests before the annotation": Script(
        commands=(("to-verify", {}), ("they dissociate", {}), ("apply", {})), order=LAST
    ),
    "the same, killed there": Script(
        commands=(("apply", {"journal annotation started": "kill"}), ("they dissociate", {}), ("apply", {})), order=LAST
    ),
    "the association is deleted while the walk rests behind it": Script(
        commands=(("to", {}), ("they dissociate", {}), ("apply", {})), workloads=TWO
    ),
    "the trust is put back while the walk rests": Script(
        commands=(("to", {}), ("they untrust", {}), ("apply", {})), workloads=TWO
    ),
    "the annotation is taken while the way back is cut off behind it": Script(
        commands=(
            ("apply", {}),
            ("rollback", {"journal association started": "kill"}),
            ("they take", {}),
            ("rollback", {}),
        )
    ),
    "a budget holds up one of two on the way back": Script(
        commands=(("apply", {}), ("they budget", {}), ("rollback", {})),
        workloads=(("DaemonSet", 1), ("Deployment", 2)),
    ),
    "a bare pod on Pod Identity, and a way back that may not touch it": Script(
        commands=(("apply+", {"after delete-association": "kill"}), ("apply", {})), bare=True, check_exit=1
    ),
    "a Job's pod comes before the way back": Script(
        commands=(("apply", {"after restart orders-0": "job"}),), check_exit=1
    ),
    "a bare pod is set aside, the run is killed, and a newer plan comes": Script(
        commands=(("apply+", {"after evict bare": "kill"}), ("from-drift", {})), bare=True
    ),
    "a bare pod is set aside by a second try, and the way back may not": Script(
        commands=(
            ("apply", {"before restart orders-0": "kill"}),
            ("apply+", {"after evict bare": "kill"}),
            ("rollback", {}),
        ),
        bare=True,
    ),
    "somebody makes the association at the same moment": Script(
        commands=(("apply", {"before create-association": "foreign"}), ("rollback", {}))
    ),
    "a Deployment is paused before the way back": Script(
        commands=(("apply", {"journal verify started": "pause"}),), check_exit=1
    ),
    "a workload is deleted when it is to be restarted": Script(
        commands=(("apply", {"before restart orders-0": "delete"}),), workloads=TWO
    ),
    "the first pod that comes from scaling is missed": Script(
        commands=(("apply", {"before evict orders-0-1": "scale"}),), workloads=ON_DELETE, missed=1, refusals=3
    ),
    "the annotation is gone when an automatic way back needs it": Script(
        commands=(("to", {}), ("they take", {}), ("apply", {})), order=LAST, check_exit=1
    ),
    "a bare pod is allowed, and the association is somebody else's": Script(
        commands=(("apply+", {}),), bare=True, linked=True, put_back=9
    ),
    **{f"a controller begins after {late} looks": Script(commands=(("apply", {}),), late=late) for late in range(1, 7)},
}
