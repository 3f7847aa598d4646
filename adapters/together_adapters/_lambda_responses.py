"""Where pickles of 0.1.0 look for `ResponseTooLargeError`; removed in 1.0."""

from .aws_lambda import ResponseTooLargeError as ResponseTooLargeError
