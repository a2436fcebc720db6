"""`RateLimiter` over many processes, on Valkey: counted there while it answers, in this process while it does not."""
