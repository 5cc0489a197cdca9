"""Stand-ins for what Counterfoil meets outside: an iPhone, APNs, Google, a phone before a camera.

Each is a real server or client on loopback, as strict as the original. `counterfoil demo` and the
tests use the same ones.
"""
