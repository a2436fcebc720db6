"""The verbs of the service. Each reads top to bottom, has no `try`, logs nothing and knows no status code."""
