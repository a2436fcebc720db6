"""What goes over the wire, member by member in the order of the contract. Requests are read by `domain`'s rules."""
