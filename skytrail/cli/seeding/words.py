"""What seeded DAGs are called, who looks after them, and what their tasks say."""

from __future__ import annotations

from typing import Final

TEAMS: Final = (
    "billing", "catalog", "checkout", "claims", "compliance", "content", "crm", "energy",
    "finance", "fraud", "growth", "inventory", "logistics", "marketing", "ml", "payments",
    "pricing", "research", "search", "support",
)  # fmt: skip

SUBJECTS: Final = (
    "accounts", "addresses", "audits", "balances", "baskets", "bookings", "budgets", "campaigns",
    "carriers", "clicks", "contracts", "coupons", "customers", "devices", "disputes", "emails",
    "embeddings", "events", "features", "forecasts", "invoices", "journals", "labels", "ledgers",
    "margins", "measurements", "meters", "offers", "orders", "parcels", "payouts", "photos",
    "products", "queries", "ratings", "refunds", "reviews", "scores", "sessions", "shipments",
    "stocks", "surveys", "tariffs", "taxes", "tickets", "transfers", "vendors", "visits",
)  # fmt: skip

KINDS: Final = (
    "archive", "backup", "check", "cleanup", "digest", "export", "import", "mart", "model",
    "refresh", "report", "rollup", "snapshot", "sync",
)  # fmt: skip

OWNERS: Final = (
    "ada", "alan", "anita", "barbara", "bjarne", "claude", "dennis", "donald", "dorothy", "edgar",
    "edsger", "elena", "ellen", "evelyn", "frances", "grace", "guido", "hedy", "ida", "ivan",
    "jean", "jim", "joan", "john", "karen", "katherine", "ken", "leslie", "linus", "lynn",
    "margaret", "mary", "niklaus", "radia", "robin", "shafi", "sophie", "tim", "tony", "wanda",
)  # fmt: skip

#: Beside the names of the teams.
TAGS: Final = (
    "adhoc", "api", "audit", "batch", "bronze", "critical", "customer-facing", "daily", "dbt",
    "deprecated", "eu", "experimental", "external", "gdpr", "gold", "hourly", "infra", "internal",
    "kafka", "legacy", "monthly", "nightly", "p1", "p2", "p3", "pii", "postgres", "quality",
    "realtime", "regulatory", "s3", "silver", "sla", "snowflake", "spark", "staging", "tier-1",
    "tier-2", "us", "weekly",
)  # fmt: skip

POOLS: Final = {
    "warehouse": (16, "Connections to the warehouse"),
    "crm_api": (4, "The CRM allows four calls at once"),
    "gpu": (2, "The two cards of the training machine"),
}

QUEUES: Final = {"default": 30, "heavy": 2, "reports": 1}

WORKERS: Final = tuple(f"worker-{n}@node-{n % 3 + 1}" for n in range(1, 7))

#: Variables that go with it; none is a secret.
VARIABLES: Final = {
    "environment": ("staging", "Where this installation stands"),
    "warehouse_schema": ("analytics", "Where marts are written"),
    "report_recipients": ("data@example.com", "Who gets the reports"),
    "retention_days": ("90", "How long raw files are kept"),
}

#: Why a try failed: a word for programs, a sentence, the exit code, and the log's last lines.
FAILURES: Final = (
    ("exit_code", "the command ended with exit code 1", 1,
     "psycopg.OperationalError: connection to server at warehouse failed: Connection refused"),
    ("exit_code", "the command ended with exit code 2", 2,
     "KeyError: 'customer_id'\n  the column is missing in the file of today"),
    ("exit_code", "the command was ended by SIGTERM (exit code 143)", 143, "Terminated"),
    ("timeout", "it was stopped when its time was up", None,
     "still waiting for a lock on analytics.daily …"),
    ("exception", "ValueError: 3 rows of 18,204 have no amount", None,
     "ValueError: 3 rows of 18,204 have no amount"),
    ("exception", "ConnectionError: api.example.com did not answer within 30 s", None,
     "urllib3: Retrying after connection broken by ReadTimeoutError"),
)  # fmt: skip

STEPS: Final = (
    "extract", "fetch", "stage", "clean", "join", "enrich", "check", "load", "index", "publish",
    "notify",
)  # fmt: skip

REGIONS: Final = ("north", "south", "east", "west", "central", "coast", "islands", "capital")
