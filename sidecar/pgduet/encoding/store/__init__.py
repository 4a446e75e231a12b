"""The model store: fetching, checking, converting and keeping duets."""
