"""Typed inputs and outputs: what the signature of a handler promises about a request.

At start-up, ``arguments`` and ``outputs`` read a signature; ``inputs`` and ``places`` plan readers
for the one, ``writers`` makes a writer for the other. Requests then use ``readers`` and writers
alone. Both work with a :class:`~.libraries.Codec`, which is pydantic's or msgspec's work in one
small interface.

An app without contracts imports neither these libraries nor the modules that use them.
"""
