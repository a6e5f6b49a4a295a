"""Holds the sandbox against the service models that botocore ships.

Every reply's raw body is walked along the operation's output shape: each element must be a member of that shape and have its
type. Over the whole run, every member of every output shape of Classic ELB must have been seen at least once, and the sandbox must
serve exactly the operations of that model.

It expects a fresh sandbox with the seed fixtures/chat.toml behind the environment's AWS_ENDPOINT_URL, a certificate
(server.crt, server.key) in CERTIFICATE_FOLDER, and as arguments the actions the sandbox serves, each as service:Action.
"""

import datetime
import json
import os
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

import boto3
from botocore.exceptions import ClientError

problems = []
seen = {}

# What a Classic Load Balancer in a VPC never says.
NEVER = {
    "DescribeLoadBalancerPolicyTypes": {"PolicyTypeDescriptions.PolicyAttributeTypeDescriptions.Description"},
}


def check_scalar(shape, text, where):
    text = text or ""
    kind = shape.type_name
    right = {
        "string": lambda: True,
        "integer": lambda: re.fullmatch(r"-?\d+", text),
        "long": lambda: re.fullmatch(r"-?\d+", text),
        "boolean": lambda: text in ("true", "false"),
        "timestamp": lambda: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")),
    }.get(kind)
    try:
        if right is None or not right():
            problems.append(f"{where}: {text!r} is not of type {kind}")
    except ValueError:
        problems.append(f"{where}: {text!r} is not of type {kind}")


def local(tag):
    return tag.split("}", 1)[-1]


def wire_name(name, shape, is_ec2):
    serialized = shape.serialization.get("name", name)
    return serialized if is_ec2 or "name" in shape.serialization else name


def walk(shape, element, where, path, found, is_ec2):
    if shape.type_name == "structure":
        members = {wire_name(name, member, is_ec2): (name, member) for name, member in shape.members.items()}
        for child in element:
            tag = local(child.tag)
            if where.endswith(":") and tag in ("requestId", "ResponseMetadata"):
                continue
            if tag not in members:
                problems.append(f"{where}: unknown member {tag} at {path or 'the top'}")
                continue
            name, member = members[tag]
            below = f"{path}.{name}" if path else name
            found.add(below)
            walk(member, child, where + below, below, found, is_ec2)
    elif shape.type_name == "list":
        entry = shape.member.serialization.get("name", "member")
        for child in element:
            if local(child.tag) != entry:
                problems.append(f"{where}: list entry {local(child.tag)}, not {entry}")
            walk(shape.member, child, where, path, found, is_ec2)
    else:
        check_scalar(shape, element.text, where)


def walk_json(shape, value, where):
    kind = shape.type_name
    expected = {"structure": dict, "list": list, "string": str, "boolean": bool, "integer": int, "long": int}
    expected = expected.get(kind, (int, float) if kind == "timestamp" else object)
    if not isinstance(value, expected):
        problems.append(f"{where}: {value!r} is not of type {kind}")
    elif kind == "structure":
        for name, one in value.items():
            if name not in shape.members:
                problems.append(f"{where}: unknown member {name}")
            else:
                walk_json(shape.members[name], one, f"{where}.{name}")
    elif kind == "list":
        for one in value:
            walk_json(shape.member, one, where)


def on_reply(operation_model, response_dict, **_):
    if response_dict["status_code"] >= 300:
        return
    protocol = operation_model.service_model.metadata["protocol"]
    name, shape = operation_model.name, operation_model.output_shape
    found = seen.setdefault((operation_model.service_model.service_name, name), set())
    body = response_dict["body"]
    if shape is None:
        return
    if protocol == "json":
        walk_json(shape, json.loads(body), name)
        return
    root = ET.fromstring(body)
    if local(root.tag) != f"{name}Response":
        problems.append(f"{name}: the root is {root.tag}")
    namespace = operation_model.service_model.metadata["xmlNamespace"]
    if protocol == "query" and root.tag != f"{{{namespace}}}{name}Response":
        problems.append(f"{name}: the namespace of {root.tag} is not {namespace}")
    wrapper = shape.serialization.get("resultWrapper")
    if wrapper:
        inner = [child for child in root if local(child.tag) == wrapper]
        if len(inner) != 1:
            problems.append(f"{name}: no {wrapper}")
            return
        root = inner[0]
    walk(shape, root, f"{name}:", "", found, protocol == "ec2")


def members_of(shape, path=""):
    """Every member's path, once; recursive shapes do not occur in this model."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            below = f"{path}.{name}" if path else name
            yield below
            yield from members_of(member, below)
    elif shape.type_name == "list":
        yield from members_of(shape.member, path)


def make(service):
    client = boto3.client(service)
    client.meta.events.register(f"before-parse.{client.meta.service_model.service_id.hyphenize()}.*", on_reply)
    return client


def fails(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            problems.append(f"{error} is not {code}")
        if not error.response["ResponseMetadata"].get("RequestId"):
            problems.append(f"{error} has no request id")
    else:
        problems.append(f"{call.__name__} did not fail with {code}")


def run_elb(elb, acm):
    chat = {"LoadBalancerName": "chat"}
    certificate = acm.list_certificates()["CertificateSummaryList"][0]["CertificateArn"]
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8080}
    elb.create_load_balancer(
        LoadBalancerName="second",
        Listeners=[listener],
        Subnets=["subnet-0c4a7000000000001"],
        SecurityGroups=["sg-0c4a7000000000001"],
        Scheme="internal",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    elb.create_load_balancer(LoadBalancerName="zonal", Listeners=[listener], AvailabilityZones=["eu-west-1a"])
    zonal = {"LoadBalancerName": "zonal"}
    elb.enable_availability_zones_for_load_balancer(**zonal, AvailabilityZones=["eu-west-1b"])
    elb.disable_availability_zones_for_load_balancer(**zonal, AvailabilityZones=["eu-west-1a"])
    second = {"LoadBalancerName": "second"}
    elb.attach_load_balancer_to_subnets(**second, Subnets=["subnet-0c4a7000000000002"])
    elb.detach_load_balancer_from_subnets(**second, Subnets=["subnet-0c4a7000000000001"])
    elb.apply_security_groups_to_load_balancer(**second, SecurityGroups=["sg-0c4a7000000000002"])
    elb.add_tags(LoadBalancerNames=["second"], Tags=[{"Key": "k", "Value": "v"}])
    elb.remove_tags(LoadBalancerNames=["second"], Tags=[{"Key": "k"}])
    elb.describe_tags(LoadBalancerNames=["chat", "second"])
    ssl = {"Protocol": "SSL", "LoadBalancerPort": 8443, "InstanceProtocol": "TCP", "InstancePort": 80}
    elb.create_load_balancer_listeners(**chat, Listeners=[{**ssl, "SSLCertificateId": certificate}])
    elb.set_load_balancer_listener_ssl_certificate(**chat, LoadBalancerPort=8443, SSLCertificateId=certificate)
    elb.create_app_cookie_stickiness_policy(**chat, PolicyName="app", CookieName="SESSION")
    elb.create_lb_cookie_stickiness_policy(**chat, PolicyName="lb", CookieExpirationPeriod=60)
    for name in ("proxy", "unused"):
        attributes = [{"AttributeName": "ProxyProtocol", "AttributeValue": "true"}]
        policy = {"PolicyName": name, "PolicyTypeName": "ProxyProtocolPolicyType", "PolicyAttributes": attributes}
        elb.create_load_balancer_policy(**chat, **policy)
    elb.set_load_balancer_policies_for_backend_server(**chat, InstancePort=80, PolicyNames=["proxy"])
    elb.set_load_balancer_policies_of_listener(**chat, LoadBalancerPort=80, PolicyNames=["app"])
    elb.set_load_balancer_policies_of_listener(**chat, LoadBalancerPort=80, PolicyNames=[])
    elb.delete_load_balancer_policy(**chat, PolicyName="unused")
    check = {"Target": "TCP:80", "Interval": 30, "Timeout": 5, "UnhealthyThreshold": 2, "HealthyThreshold": 10}
    elb.configure_health_check(**chat, HealthCheck=check)
    attributes = {
        "CrossZoneLoadBalancing": {"Enabled": True},
        "AccessLog": {"Enabled": True, "S3BucketName": "logs", "EmitInterval": 5, "S3BucketPrefix": "chat"},
        "ConnectionDraining": {"Enabled": True, "Timeout": 60},
        "ConnectionSettings": {"IdleTimeout": 3600},
        "AdditionalAttributes": [{"Key": "elb.http.desyncmitigationmode", "Value": "strictest"}],
    }
    elb.modify_load_balancer_attributes(**chat, LoadBalancerAttributes=attributes)
    elb.describe_load_balancer_attributes(**chat)
    elb.deregister_instances_from_load_balancer(**chat, Instances=[{"InstanceId": "i-0c4a7000000000001"}])
    elb.register_instances_with_load_balancer(**chat, Instances=[{"InstanceId": "i-0c4a7000000000001"}])
    elb.describe_instance_health(**chat)
    elb.get_waiter("instance_in_service").wait(**chat)
    elb.describe_load_balancer_policies(**chat)
    elb.describe_load_balancer_policies()
    elb.describe_load_balancer_policy_types()
    for operation, key in (("describe_load_balancers", "LoadBalancerDescriptions"), ("describe_account_limits", "Limits")):
        pages = list(elb.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}))
        if [len(page[key]) for page in pages] != [1, 1, 1]:
            problems.append(f"{operation}: the pages have {[len(page[key]) for page in pages]} entries")
    elb.delete_load_balancer_listeners(**chat, LoadBalancerPorts=[8443])
    elb.delete_load_balancer(**second)
    fails("LoadBalancerNotFound", elb.describe_load_balancers, LoadBalancerNames=["second"])
    fails("InvalidConfigurationRequest", elb.delete_load_balancer_policy, **chat, PolicyName="proxy")


def run_others(acm, iam, sts, ec2):
    sts.get_caller_identity()
    sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/audit", RoleSessionName="session")
    fails("AccessDenied", sts.assume_role, RoleArn="arn:aws:iam::210987654321:role/audit", RoleSessionName="session")
    folder = pathlib.Path(os.environ["CERTIFICATE_FOLDER"])
    certificate, key = (folder / "server.crt").read_text(), (folder / "server.key").read_text()
    arn = acm.import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]
    acm.describe_certificate(CertificateArn=arn)
    iam.upload_server_certificate(ServerCertificateName="own", CertificateBody=certificate, PrivateKey=key)
    if "PRIVATE" in json.dumps(iam.get_server_certificate(ServerCertificateName="own"), default=str):
        problems.append("a reply holds a private key")
    iam.list_server_certificates()
    iam.delete_server_certificate(ServerCertificateName="own")
    fails("NoSuchEntity", iam.get_server_certificate, ServerCertificateName="own")
    fails("ResourceNotFoundException", acm.describe_certificate, CertificateArn=arn + "x")
    expected = {"subnets": 2, "security_groups": 3, "instances": 2, "vpcs": 1, "route_tables": 1, "internet_gateways": 1}
    keys = {"instances": "Reservations"}
    for name, count in {**expected, "availability_zones": 2, "regions": 1}.items():
        reply = getattr(ec2, f"describe_{name}")()
        key = keys.get(name) or "".join(word.capitalize() for word in name.split("_"))
        # The service makes a group of its own for balancers in the default VPC without one.
        entries = [one for one in reply[key] if not one.get("GroupName", "").startswith("default_elb_")]
        if len(entries) != count:
            problems.append(f"describe_{name}: {len(entries)} entries, not {count}")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for name in ("subnets", "security_groups", "route_tables", "instances"):
        getattr(ec2, f"describe_{name}")(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    fails("InvalidSubnetID.NotFound", ec2.describe_subnets, SubnetIds=["subnet-0000dead"])
    fails("InvalidParameterValue", ec2.describe_subnets, Filters=[{"Name": "colour", "Values": ["red"]}])


def main():
    clients = {name: make(name) for name in ("elb", "acm", "iam", "sts", "ec2")}
    services = {"elasticloadbalancing": "elb", "acm": "acm", "iam": "iam", "sts": "sts", "ec2": "ec2"}
    served = {name: set() for name in clients}
    for argument in sys.argv[1:]:
        service, action = argument.split(":")
        served[services[service]].add(action)
    run_elb(clients["elb"], clients["acm"])
    run_others(*(clients[name] for name in ("acm", "iam", "sts", "ec2")))

    model = clients["elb"].meta.service_model
    if served["elb"] != set(model.operation_names):
        problems.append(f"served, but not in the model, or the reverse: {served['elb'] ^ set(model.operation_names)}")
    for name, client in clients.items():
        for action in served[name]:
            if (client.meta.service_model.service_name, action) not in seen:
                problems.append(f"{name} {action} was never called with success")
    for operation in model.operation_names:
        shape = model.operation_model(operation).output_shape
        missing = set(members_of(shape)) - seen.get(("elb", operation), set()) - NEVER.get(operation, set())
        problems.extend(f"{operation}: {member} was never in a reply" for member in sorted(missing))

    for problem in problems:
        print(problem)
    print(f"{len(seen)} operations, {len(problems)} problems")
    sys.exit(bool(problems))


main()
