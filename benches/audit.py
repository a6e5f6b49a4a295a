"""Audits many balancers with elbws and its peers, on moto with its Classic ELB corrected; ./benches/audit runs it.

Of every four balancers one is HTTPS to HTTP, one SSL to TCP without the PROXY header, one with it on one of two ports, one ready. A third
has a TLS policy of its own. Prints medians: wall time, CPU time (user and system, children included), peak memory (no less than this
program's own, some 15 MB), API calls as the server counted them, and how many of the three quarters were found.
"""

import glob
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENVS = f"{ROOT}/target/benches"
PYTHON = f"{VENVS}/moto/bin/python"
REGION = "us-east-1"
ELBWS = os.environ.get("ELBWS", f"{ROOT}/target/release/elbws")
QUESTION = ["--rule", "ELBWS001", "--rule", "ELBWS004", "--rule", "ELBWS006"]


def fill(count):
    """Makes the balancers."""
    import boto3

    ec2, elb, iam = (boto3.client(service) for service in ("ec2", "elb", "iam"))
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24", AvailabilityZone=f"{REGION}a")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="chat", Description="chat", VpcId=vpc)["GroupId"]
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=chat.example.test -keyout - -out -"
    pem = subprocess.run(command.split(), check=True, capture_output=True, text=True).stdout
    key, certificate = pem.split("-----BEGIN CERTIFICATE")
    certificate = iam.upload_server_certificate(
        ServerCertificateName="chat", CertificateBody="-----BEGIN CERTIFICATE" + certificate, PrivateKey=key
    )["ServerCertificateMetadata"]["Arn"]

    def listener(port, protocol, instance_port, instance_protocol):
        secure = {"SSLCertificateId": certificate} if port == 443 else {}
        return {"LoadBalancerPort": port, "Protocol": protocol, "InstancePort": instance_port,
                "InstanceProtocol": instance_protocol, **secure}

    for index in range(count):
        name, kind = f"lb-{index:05}", index % 4
        listeners = [listener(443, "HTTPS", 8080, "HTTP"), listener(80, "HTTP", 8081, "HTTP")]
        if kind > 0:
            listeners = [listener(443, "SSL", 8080, "TCP"), listener(80, "TCP", 8081, "TCP")]
        elb.create_load_balancer(LoadBalancerName=name, Listeners=listeners, Subnets=[subnet], SecurityGroups=[group])
        if kind > 1:
            elb.create_load_balancer_policy(
                LoadBalancerName=name, PolicyName="EnableProxyProtocol", PolicyTypeName="ProxyProtocolPolicyType",
                PolicyAttributes=[{"AttributeName": "ProxyProtocol", "AttributeValue": "true"}])
        for port in [8080, 8081][: max(kind - 1, 0)]:
            elb.set_load_balancer_policies_for_backend_server(
                LoadBalancerName=name, InstancePort=port, PolicyNames=["EnableProxyProtocol"])
        if index % 3 == 0:
            elb.create_load_balancer_policy(
                LoadBalancerName=name, PolicyName="tls", PolicyTypeName="SSLNegotiationPolicyType",
                PolicyAttributes=[{"AttributeName": "Protocol-TLSv1.2", "AttributeValue": "true"}])
            elb.set_load_balancer_policies_of_listener(LoadBalancerName=name, LoadBalancerPort=443, PolicyNames=["tls"])


def boto3_threads():
    """The peer that a team would write itself: sixteen threads, each balancer's policies, the same question as elbws."""
    import concurrent.futures

    import boto3
    from botocore.config import Config

    elb = boto3.client("elb", config=Config(max_pool_connections=16))
    pages = elb.get_paginator("describe_load_balancers").paginate(PaginationConfig={"PageSize": 400})
    balancers = [balancer for page in pages for balancer in page["LoadBalancerDescriptions"]]

    def broken(balancer):
        policies = elb.describe_load_balancer_policies(LoadBalancerName=balancer["LoadBalancerName"])["PolicyDescriptions"]
        proxy = {policy["PolicyName"] for policy in policies if policy["PolicyTypeName"] == "ProxyProtocolPolicyType"}
        ports = {backend["InstancePort"] for backend in balancer["BackendServerDescriptions"]
                 if proxy & set(backend["PolicyNames"])}
        listeners = [entry["Listener"] for entry in balancer["ListenerDescriptions"]]
        return any(one["Protocol"] in ("HTTP", "HTTPS") or one["InstancePort"] not in ports for one in listeners)

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        print(sum(threads.map(broken, balancers)))


def found_by_elbws(stdout, _):
    errors = [[finding for finding in balancer["findings"]
               if finding["rule"] < "ELBWS1" and finding["severity"] == "error"]
              for balancer in json.loads(stdout)["balancers"]]
    return sum(map(bool, errors))


def found_by_custodian(_, folder):
    with open(f"{folder}/no-proxy-policy/resources.json") as file:
        return len(json.load(file))


def found_by_prowler(_, folder):
    """No check of Prowler's asks for the PROXY protocol or WebSockets; should one come, its failures count."""
    found = set()
    for path in glob.glob(f"{folder}/**/*.csv", recursive=True):
        with open(path) as file:
            heads = next(file).rstrip().split(";")
            for line in file:
                row = dict(zip(heads, line.split(";")))
                check = row.get("CHECK_ID", "")
                if row.get("STATUS") == "FAIL" and ("proxy" in check or "websocket" in check):
                    found.add(row.get("RESOURCE_UID"))
    return len(found)


def tools(folder):
    audit = [ELBWS, "audit", "--all", "--format", "json"]
    return {
        "elbws": (audit + QUESTION, found_by_elbws),
        "elbws, all rules": (audit, found_by_elbws),
        "boto3, 16 threads": ([PYTHON, __file__, "boto3"], lambda stdout, _: int(stdout)),
        "Cloud Custodian": ([f"{VENVS}/custodian/bin/custodian", "run", "--dryrun", "--cache-period", "0", "-s", folder,
                             "-r", REGION, f"{ROOT}/benches/custodian.yml"], found_by_custodian),
        "Prowler": ([f"{VENVS}/prowler/bin/prowler", "aws", "--service", "elb", "-f", REGION, "--no-banner", "-M", "csv",
                     "-o", folder, "--ignore-exit-code-3"], found_by_prowler),
    }


def run(name, endpoint, environment):
    folder = f"{VENVS}/out/{time.time_ns()}"
    os.makedirs(folder)
    command, found = tools(folder)[name]
    calls = urllib.request.Request(f"{endpoint}/_calls", method="DELETE")
    urllib.request.urlopen(calls).read()
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE,
                               stderr=open(f"{folder}/stderr", "w"))
    stdout = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"{name}: exit status {os.waitstatus_to_exitcode(status)}; see {folder}/stderr")
    made = len(urllib.request.urlopen(calls).read().splitlines())
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, made, found(stdout, folder)


def main(count="1000", runs="5", *names):
    server = subprocess.Popen([PYTHON, f"{ROOT}/tests/moto/server.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    endpoint = server.stdout.readline().strip()
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "AWS_ENDPOINT_URL": endpoint,
                   "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
                   "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
    try:
        subprocess.run([PYTHON, __file__, "fill", count], env=environment, check=True)
        print(f"{count} balancers, {int(count) * 3 // 4} not ready for WebSockets; medians of {runs} runs\n")
        print("| tool | wall | CPU | memory | calls | finds |\n| --- | --- | --- | --- | --- | --- |", flush=True)
        for name in names or tools(""):
            rows = [run(name, endpoint, environment) for _ in range(int(runs))]
            wall, cpu, memory, calls, found = (statistics.median(column) for column in zip(*rows))
            print(f"| {name} | {wall:.2f} s | {cpu:.2f} s | {memory:.0f} MB | {calls:.0f} | {found:.0f} |", flush=True)
    finally:
        server.stdin.close()
        server.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        fill(int(sys.argv[2]))
    elif sys.argv[1:] == ["boto3"]:
        boto3_threads()
    else:
        main(*sys.argv[1:])
