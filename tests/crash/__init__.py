"""Servers, connections and databases that die under load: what was acknowledged stays, once, and every key answers."""
