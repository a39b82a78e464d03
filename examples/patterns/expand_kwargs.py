"""A task for each set of arguments, where they belong together."""

from __future__ import annotations

from skytrail.sdk import dag, task


@task
def read_customers() -> list[dict[str, str]]:
    return [
        {"name": "Ada", "language": "en"},
        {"name": "Jürgen", "language": "de"},
        {"name": "Zoé", "language": "fr"},
    ]


@task(retries=1, retry_delay_seconds=10)  # of one instance: the others are not done again
def greet(name: str, language: str) -> str:
    word = {"en": "Hello", "de": "Guten Tag", "fr": "Bonjour"}[language]
    print(f"{word}, {name}")
    return f"{word}, {name}"


@dag(
    description="Everybody is greeted in their own language.",
    owner="examples",
    tags=["example", "pattern"],
)
def pattern_expand_kwargs() -> None:
    # `expand(name=…, language=…)` would greet each in each language: see cross_product.py.
    greet.expand_kwargs(read_customers())


pattern_expand_kwargs()
