"""moto's IAM enforcement, completed for the services that elbws calls.

moto checks the signature and whether a policy allows the action, but takes every resource for `*`, asks for no action of
another service that the called one depends on, and words a denial in a form that no service uses. Which action takes which resource comes from AWS's service authorization data
as cfn-lint ships it; which actions depend on others, from the Elastic Load Balancing user guide ("API permissions"). Nothing
here knows elbws.
"""

import importlib.resources
import json
import urllib.parse

from moto import settings
from moto.core.exceptions import AccessDeniedError
from moto.core.responses import BaseResponse
from moto.iam.access_control import IAMRequest
from moto.iam.models import iam_backends
from werkzeug.exceptions import HTTPException

ACCOUNT = "123456789012"
USER = "deployer"
SERVICES = ("acm", "ec2", "elasticloadbalancing", "iam", "sts")

with importlib.resources.files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").open() as file:
    _data = json.load(file)
AUTHORIZATION = {service: _data[service]["Actions"] for service in SERVICES}

DEPENDS_ON = {
    "elasticloadbalancing:DescribeLoadBalancers": ["ec2:DescribeSecurityGroups"],
    "elasticloadbalancing:DescribeInstanceHealth": ["ec2:DescribeInstances", "ec2:DescribeClassicLinkInstances"],
}


def resource_of(response, service, action):
    """The ARN that a policy's Resource must match, or `*` where the action takes none."""
    region = response.region
    kinds = AUTHORIZATION[service][action.lower()].get("Resources")
    if not kinds:
        return "*"
    if service == "elasticloadbalancing" and "loadbalancer" in kinds:
        query = response.querystring
        name = (query.get("LoadBalancerName") or query["LoadBalancerNames.member.1"])[0]
        return f"arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/{name}"
    if service == "iam" and kinds == ["server-certificate"]:
        return f"arn:aws:iam::{ACCOUNT}:server-certificate/{response.querystring['ServerCertificateName'][0]}"
    if service == "acm" and kinds == ["certificate"]:
        return json.loads(response.body)["CertificateArn"]
    if service == "sts" and kinds == ["role"]:
        return response.querystring["RoleArn"][0]
    raise NotImplementedError(f"the resource of {service}:{action}")


class Denied(HTTPException):
    """A denial in the form of the service that was called."""

    code = 403

    def __init__(self, service, message):
        super().__init__()
        if service == "acm":
            self.description = json.dumps({"__type": "AccessDeniedException", "Message": message})
        elif service == "ec2":
            self.description = (
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this "
                f"operation. {message}</Message></Error></Errors><RequestID>r</RequestID></Response>"
            )
        else:
            self.description = (
                f"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message></Error>"
                "<RequestId>r</RequestId></ErrorResponse>"
            )


def complete():
    """Every call is checked with its own resource, and then the calls it depends on."""

    def authorize(self, resource="*"):
        if settings.INITIAL_NO_AUTH_ACTION_COUNT:
            return
        url = urllib.parse.urlsplit(self.uri)
        action = self._get_action()
        request = IAMRequest(
            account_id=self.current_account,
            method=self.method,
            path=f"{url.path}?{url.query}" if url.query else url.path,
            data=self.data,
            body=self.raw_body,
            headers=self.headers,
            action=action,
        )
        request.check_signature()
        needed = [(request._action, resource_of(self, request._service, action))]
        needed += [(other, "*") for other in DEPENDS_ON.get(request._action, [])]
        for request._action, resource in needed:
            try:
                request.check_action_permitted(resource)
            except AccessDeniedError:
                message = f"User: {request._access_key.arn} is not authorized to perform: {request._action} on resource: {resource}"
                raise Denied(request._service, message) from None

    BaseResponse._authenticate_and_authorize_normal_action = authorize


def allow(policy):
    """From now on only calls that this policy allows succeed; answers with the keys to sign them with."""
    backend = iam_backends[ACCOUNT]["aws"]
    if USER not in backend.users:
        backend.create_user("us-east-1", USER)
        backend.create_access_key(USER)
    backend.put_user_policy(USER, "only", policy)
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    key = backend.users[USER].access_keys[0]
    return f"{key.access_key_id} {key.secret_access_key}"


def allow_everything():
    """No call is checked any more."""
    settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
    return "allowed"
