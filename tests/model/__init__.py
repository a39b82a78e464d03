"""A model of everything that can happen to runs, beside the real statements."""

import pytest

# Its assertions are to say what they compared.
pytest.register_assert_rewrite("tests.model.machine")
