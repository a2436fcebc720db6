"""What it costs to know who calls, and whether they may: the same requests with and without."""
