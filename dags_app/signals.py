"""What definitions tell those who are above them and whom they do not know."""

from django.dispatch import Signal

#: Sent inside the transaction that deletes a DAG, with `dag`. A receiver that raises a
#: `SkytrailError` keeps the DAG: runs do so while some of them are unfinished.
dag_deleting = Signal()
