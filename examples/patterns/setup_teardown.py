"""What is set up is torn down, however the work in between has ended."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash, Param

with DAG(
    "pattern_setup_teardown",
    description="A folder is made, used and removed, though the work in it fails.",
    owner="examples",
    tags=["example", "pattern"],
    params={"fail": Param(default=True, type="boolean")},
):
    make_folder = Bash(
        "make_folder",
        command='folder=$(mktemp -d)\necho "folder=$folder" > "$SKYTRAIL_OUTPUT"\n',
    )
    folder = make_folder.output["folder"]
    remove_folder = Bash("remove_folder", command='rm -rv "$FOLDER"', env={"FOLDER": folder})
    # What stands in the block comes after the setup and before the teardown.
    with remove_folder.as_teardown(setups=make_folder):
        Bash(
            "work",
            command='echo "some rows" > "$FOLDER/rows"\n'
            'if [ "$SKYTRAIL_PARAM_FAIL" = true ]; then echo "the disk is full" >&2; exit 1; fi\n',
            env={"FOLDER": folder},
        )
