"""Every port in memory: the executable specification, and the double of every test. Nothing outlives the process."""
