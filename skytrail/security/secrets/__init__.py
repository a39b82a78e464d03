"""Connections and variables: what they are, where they come from, and how they are kept."""
