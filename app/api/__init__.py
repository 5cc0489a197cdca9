"""HTTP interfaces for programs: tills, Apple's devices, Google's callbacks."""
