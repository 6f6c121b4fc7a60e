"""Typed inputs and outputs: what the signature of a handler promises about a request.

Only ``markers`` and ``signature`` are imported by an app without contracts.
"""
