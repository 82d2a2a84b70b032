"""The configurations that are judged: which composition each is, and how it is left for OAR 2 and taken again."""

SCHEDULER = "oar_sched_gantt_with_timesharing_and_fairsharing_and_quotas"


def queue(scheduler):
    """Gives the queue `default` another scheduler while the server runs."""
    return f"oarnotify --remove-queue default && oarnotify --add-queue default,3,{scheduler}"


def metascheduler(command):
    """Sets META_SCHED_CMD and starts Almighty again, as `systemctl restart oar-server` does; the lab restarts
    services that end."""
    return (f"use-metascheduler {command}; old=$(pgrep -o -x Almighty); kill $old; "
            "until new=$(pgrep -o -x Almighty) && [ \"$new\" != $old ] && "
            "timeout 1 bash -c '</dev/tcp/server/6666' 2>/dev/null; do sleep 0.05; done")


def aside(command):
    """Sets META_SCHED_CMD alone: kao reads it at every pass, and lets OAR's own make the pass if that is named."""
    return f"use-metascheduler {command}"


class Configuration:
    """One of them; `back` and `forth` are scripts for root on the server, None where there is nowhere to go."""

    def __init__(self, name, back=None, forth=None):
        self.name = name
        self.back = back
        self.forth = forth


CONFIGURATIONS = [
    Configuration("oar2"),
    Configuration("oar2-kamelot", queue(SCHEDULER), queue("kamelot")),
    Configuration("oar2-kao", aside("oar_meta_sched"), metascheduler("kao")),
    Configuration("oar2-kamelot-kao", aside("oar_meta_sched") + "; " + queue(SCHEDULER),
                  queue("kamelot") + "; " + metascheduler("kao")),
    Configuration("oar2-liburnad", "use-server almighty", "use-server liburnad"),
    Configuration("liburna-postgres"),
]
