"""Facts for explanations, in a bounded number of queries however large a run is."""
