"""botocore as a program: one request a line in, one answer a line out (see clients_test.go)."""

import json
import os
import sys

import botocore
import botocore.config
import botocore.session
import botocore.exceptions
from botocore.tokens import SSOTokenProvider

UNSIGNED = botocore.config.Config(signature_version=botocore.UNSIGNED)

# What each operation is called with when only its refusal matters.
ARGUMENTS = {
    "RegisterClient": {"clientName": "interop", "clientType": "public"},
    "StartDeviceAuthorization": {"clientId": "c", "clientSecret": "s", "startUrl": "https://d-9067f00d42.awsapps.com/start"},
    "CreateToken": {"clientId": "c", "clientSecret": "s", "grantType": "refresh_token", "refreshToken": "r"},
    "ListAccounts": {"accessToken": "t"},
    "ListAccountRoles": {"accessToken": "t", "accountId": "111111111111"},
    "GetRoleCredentials": {"accessToken": "t", "accountId": "111111111111", "roleName": "r"},
    "Logout": {"accessToken": "t"},
}


def version(_):
    return {"version": "botocore " + botocore.__version__}


def identity(request):
    session = botocore.session.Session(profile=request["profile"] or None)
    answer = session.create_client("sts").get_caller_identity()
    return {"account": answer["Account"], "arn": answer["Arn"]}


def again(_, kept={}):
    """The identity by one client, which lives as long as this process."""
    if not kept:
        kept["sts"] = botocore.session.Session().create_client("sts")
    answer = kept["sts"].get_caller_identity()
    return {"account": answer["Account"], "arn": answer["Arn"]}


def profiles(_):
    return {"profiles": botocore.session.Session().available_profiles}


def token(request):
    session = botocore.session.Session(profile=request["profile"])
    frozen = SSOTokenProvider(session).load_token().get_frozen_token()
    return {"expires": frozen.expiration.isoformat()}


def call(request):
    session = botocore.session.Session()
    client = session.create_client(request["service"], region_name="us-east-1", config=UNSIGNED)
    method = botocore.xform_name(request["op"])
    try:
        getattr(client, method)(**ARGUMENTS[request["op"]])
    except botocore.exceptions.ClientError as e:
        typed = getattr(client.exceptions, e.response["Error"]["Code"], None)
        return {
            "type": type(e).__name__ if typed and isinstance(e, typed) else "",
            "code": e.response["Error"]["Code"],
            "message": e.response["Error"].get("Message") or e.response.get("error_description") or "",
            "status": e.response["ResponseMetadata"]["HTTPStatusCode"],
        }
    return {"status": 200}


DOES = {"version": version, "identity": identity, "again": again, "profiles": profiles, "token": token, "call": call}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = DOES[request["do"]](request)
        except Exception as e:  # whatever a client makes of it is the answer
            answer = {"error": type(e).__name__, "message": str(e)}
        print(json.dumps(answer), flush=True)


main()
