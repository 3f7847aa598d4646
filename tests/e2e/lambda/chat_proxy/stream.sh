#!/bin/sh
# Lambda calls this script with the command of its own runtime. The first argument is the path of Python.
PYTHONPATH=/var/task:/opt/python exec "$1" -m together_adapters.lambda_runtime
