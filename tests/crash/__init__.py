"""Servers, Postgres and connections that are killed or cut, and a ledger outside of Dossier that finds any loss."""
