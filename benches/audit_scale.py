"""Audits a large account on the sandbox: python3 benches/audit_scale.py [BALANCERS...] after `cargo build --release --locked`.

Of every four balancers one is HTTPS to HTTP, one SSL to TCP without the PROXY header, one with it on one of two ports, one ready. Each has
two instances and a certificate, one of five of either. Prints for every size and format: wall time, CPU time, peak memory of elbws (no less
than this program's own, some 12 MB), the API calls made and the size of the report.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ELBWS = os.environ.get("ELBWS", f"{ROOT}/target/release/elbws")
RUNS = [("text, all rules", []), ("json, all rules", ["--format", "json"]), ("html, all rules", ["--format", "html"]),
        ("sarif, all rules", ["--format", "sarif"]), ("junit, all rules", ["--format", "junit"]),
        ("json, three rules", ["--format", "json", "--rule", "ELBWS001", "--rule", "ELBWS004", "--rule", "ELBWS006"])]
# The protocols of port 443, whose back end is also that of port 80, and the instance ports that have the PROXY header.
KINDS = [("HTTPS", "HTTP", []), ("SSL", "TCP", []), ("SSL", "TCP", [8080]), ("SSL", "TCP", [8080, 8081])]


def seed(count):
    """An account in the sandbox's own words."""
    parts = ['region = "eu-west-1"\n']
    for number in range(5):
        parts.append(f'[[certificates]]\nname = "chat-{number}"\nstore = "{["acm", "iam"][number % 2]}"\ndomain = "chat.example.com"\n')
    for number, zone in (1, "a"), (2, "b"):
        parts.append(f'[[subnets]]\nid = "subnet-0000000000000000{number}"\nzone = "eu-west-1{zone}"\n')
    parts.append('[[security_groups]]\nid = "sg-00000000000000001"\nname = "balancers"\n'
                 'ingress = [{ port = 443, cidr = "0.0.0.0/0" }, { port = 80, cidr = "0.0.0.0/0" }]\n')
    parts.append('[[security_groups]]\nid = "sg-00000000000000002"\nname = "instances"\n'
                 'ingress = [{ port = 8080, group = "sg-00000000000000001" }, { port = 8081, group = "sg-00000000000000001" }]\n')
    for number in range(2 * count):
        parts.append(f'[[instances]]\nid = "i-{number:017x}"\nsubnet = "subnet-0000000000000000{number % 2 + 1}"\n'
                     'security_groups = ["sg-00000000000000002"]\n')
    for number in range(count):
        front, back, proxied = KINDS[number % 4]
        listeners = (f'{{ protocol = "{front}", load_balancer_port = 443, instance_protocol = "{back}", instance_port = 8080, '
                     f'certificate = "chat-{number % 5}" }}, "{back}:80/{back}:8081"')
        parts.append(f'[[balancers]]\nname = "chat-{number:05}"\nlisteners = [{listeners}]\nhealth_check = "TCP:8080"\n'
                     'subnets = ["subnet-00000000000000001", "subnet-00000000000000002"]\nsecurity_groups = ["sg-00000000000000001"]\n'
                     f'instances = ["i-{2 * number:017x}", "i-{2 * number + 1:017x}"]\ntags = {{ team = "chat" }}\n')
        if proxied:
            parts.append('[balancers.policies]\nproxy = { type = "ProxyProtocolPolicyType", attributes = { ProxyProtocol = "true" } }\n'
                         "[balancers.backend_policies]\n" + "".join(f'{port} = ["proxy"]\n' for port in proxied))
    return "".join(parts)


def run(arguments, environment, out):
    begin = time.perf_counter()
    process = subprocess.Popen([ELBWS, "-v", "audit", "--out", out, *arguments], env=environment, stderr=subprocess.PIPE, text=True)
    told = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"exit status {os.waitstatus_to_exitcode(status)}: {told[-2000:]}")
    calls = next(line.split()[0] for line in reversed(told.splitlines()) if " calls: " in line)
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, int(calls), os.path.getsize(out)


def main(*counts):
    print("| balancers | report | wall | CPU | memory | calls | size |\n| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for count in map(int, counts or (1000, 2500, 5000, 10000)):
            with open(f"{folder}/seed.toml", "w") as file:
                # In a process of its own: what this one holds would count as elbws's memory.
                subprocess.run([sys.executable, __file__, "seed", str(count)], stdout=file, check=True)
            command = [ELBWS, "sandbox", "--quiet", "--no-traffic", "--listen", "127.0.0.1:0", "--seed", f"{folder}/seed.toml"]
            sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            environment = {"PATH": os.environ["PATH"], "HOME": folder}
            try:
                while "AWS_SECRET_ACCESS_KEY" not in environment:
                    name, value = sandbox.stdout.readline().removeprefix("export ").strip().split("=", 1)
                    environment[name] = value
                for name, arguments in RUNS:
                    wall, cpu, memory, calls, size = run(arguments, environment, f"{folder}/report")
                    print(f"| {count:,} | {name} | {wall:.1f} s | {cpu:.1f} s | {memory:.0f} MB | {calls:,} | {size / 1e6:.1f} MB |", flush=True)
            finally:
                sandbox.terminate()
                sandbox.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["seed"]:
        print(seed(int(sys.argv[2])))
    else:
        main(*sys.argv[1:])
