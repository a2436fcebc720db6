"""What the use cases need of the world, as Protocols, and the values those speak.

An adapter answers with facts; the use case decides what they mean. The only exception one raises is
`ports.system.Unavailable`.
"""
