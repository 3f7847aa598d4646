#!/bin/sh
# Lambda calls this with the command of its own runtime, which begins with the path of its Python.
PYTHONPATH=/var/task:/opt/python exec "$1" -m together_adapters.lambda_runtime
