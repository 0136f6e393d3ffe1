"""Answers, one JSON object a line, what botocore reads from the files it is given as base64.

Asked {"config": B64} it uses botocore.configloader; with "credentials" as well, a session's full_config, which merges
the two as every AWS CLI command does.
"""
import base64
import json
import os
import sys
import tempfile

import botocore.configloader
import botocore.exceptions
import botocore.session

folder = tempfile.mkdtemp(prefix="homing-oracle-", dir=os.environ.get("ORACLE_DIR"))
config = os.path.join(folder, "config")
credentials = os.path.join(folder, "credentials")
session = botocore.session.Session()
session.set_config_variable("config_file", config)
session.set_config_variable("credentials_file", credentials)


def put(path, data):
    with open(path, "wb") as f:
        f.write(base64.b64decode(data))


def answer(request):
    put(config, request["config"])
    try:
        if request.get("credentials") is None:
            return botocore.configloader.load_config(config)
        put(credentials, request["credentials"])
        session._config = None
        return session.full_config
    except botocore.exceptions.ConfigParseError as e:
        return {"error": str(e)}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
