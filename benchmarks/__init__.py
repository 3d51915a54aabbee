"""What the program is measured by: `python -m benchmarks NAME [--json]`.

Each module here is one benchmark: `run()` returns its result as plain values, the keys that
matter first.
"""
