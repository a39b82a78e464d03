"""What a run can be given, checked before anything starts."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, Param

with DAG(
    "pattern_params",
    description="An export that can be asked for: which days, of which cities, and to whom.",
    owner="examples",
    tags=["example", "pattern"],
    params={
        # Any JSON Schema. The admin makes a form of it, and the API refuses what does not fit.
        "days": Param(7, type="integer", minimum=1, maximum=31, description="How many days."),
        "cities": Param(
            ["Seattle"],
            type="array",
            items={"type": "string", "enum": ["Seattle", "San Francisco"]},
            minItems=1,
            uniqueItems=True,
        ),
        "mail_to": Param("team@example.org", type="string", format="email"),
    },
):
    Bash(
        "export",
        # Parameters are in the environment already, what is no text as JSON. What else a command
        # needs is rendered into `env`, never into the command.
        command='echo "$SKYTRAIL_PARAM_DAYS days of $CITIES to $SKYTRAIL_PARAM_MAIL_TO"',
        env={"CITIES": "{{ params.cities | join(' and ') }}"},
    )
