"""The names under which Celery knows Skytrail's own tasks, and the queue of the dispatcher."""

RUN = "skytrail.run"
DISPATCH = "skytrail.dispatch"

DISPATCH_QUEUE = "dispatch"

#: The remote control command that has a worker renew its leases at once.
RENEW_LEASES = "skytrail_renew_leases"
