"""The former module of `ResponseTooLargeError`, which pickles of version 0.1.0 import. To be removed in 1.0."""

from .aws_lambda import ResponseTooLargeError as ResponseTooLargeError
