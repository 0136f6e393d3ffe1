"""The oldest botocore as a program: that of ../botocore, with the endpoints in code.

botocore reads AWS_ENDPOINT_URL_… since 1.31.0. Before, a program had to pass endpoint_url, and could not for the
clients that botocore makes for itself.
"""

import os
import pathlib
import runpy

import botocore.session

create_client = botocore.session.Session.create_client


def create_client_there(self, service_name, *args, **kwargs):
    endpoint = os.environ.get("AWS_ENDPOINT_URL_" + service_name.upper().replace("-", "_"))
    if endpoint:
        kwargs.setdefault("endpoint_url", endpoint)
    return create_client(self, service_name, *args, **kwargs)


botocore.session.Session.create_client = create_client_there
runpy.run_path(str(pathlib.Path(__file__).parent.parent / "botocore" / "client.py"))
