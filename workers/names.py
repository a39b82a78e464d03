"""Names by which processes find each other: Celery tasks, queues, environment variables."""

RUN = "skytrail.run"
DISPATCH = "skytrail.dispatch"

#: What a worker sends itself, and how the queue in which it does begins.
CANARY = "skytrail.canary"

#: Tries a connection, and tells who asked.
TEST_CONNECTION = "skytrail.test_connection"

DISPATCH_QUEUE = "dispatch"

#: The remote control command that has a worker renew its leases at once.
RENEW_LEASES = "skytrail_renew_leases"

#: The environment variable by which pool processes find their worker's directory: their sockets are
#: in it, and what tasks need only while they run. It goes with the worker.
WORKER_DIRECTORY = "SKYTRAIL_WORKER_DIRECTORY"
