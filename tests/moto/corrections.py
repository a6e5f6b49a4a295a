"""Corrections to moto 5.2.1's Classic ELB, so that the story can be told on it.

Each names what moto does and what the service does. Nothing here knows elbws; the corrected server is as strict as the
service where moto is lax, and never laxer.
"""

from moto.elb import models
from moto.elb.exceptions import ELBClientError, LoadBalancerNotFoundError


def keep_instance_protocol():
    """moto forgets InstanceProtocol and reports the front end's; the service stores it."""
    models.FakeListener.instance_protocol = property(lambda self: getattr(self, "_back_end", None) or self.protocol)

    create_balancer = models.LoadBalancer.__init__

    def create(self, *args, **kwargs):
        create_balancer(self, *args, **kwargs)
        remember(self.listeners, kwargs["ports"] if "ports" in kwargs else args[3])
        if self.health_check is None:  # the service always reports one
            port = self.listeners[0].instance_port if self.listeners else 80
            self.health_check = models.FakeHealthCheck("5", "10", "2", "30", f"TCP:{port}")

    def remember(listeners, requested):
        for request in requested:
            for listener in listeners:
                if str(listener.load_balancer_port) == str(request["LoadBalancerPort"]):
                    listener._back_end = (request.get("InstanceProtocol") or request["Protocol"]).upper()

    models.LoadBalancer.__init__ = create
    add_listeners = models.ELBBackend.create_load_balancer_listeners

    def add(self, name, ports):
        balancer = existing(self, name)
        answer = add_listeners(self, name, ports)
        remember(balancer.listeners, ports)
        for request in ports:  # moto has back ends only for ports known at creation
            if not any(str(backend.instance_port) == str(request["InstancePort"]) for backend in balancer.backends):
                balancer.backends.append(models.FakeBackend(request["InstancePort"]))
        return answer

    models.ELBBackend.create_load_balancer_listeners = add


def existing(backend, name):
    balancer = backend.load_balancers.get(name)
    if balancer is None:
        raise LoadBalancerNotFoundError(name)
    return balancer


def answer_for_missing_balancers():
    """moto fails with HTTP 500 where the service says LoadBalancerNotFound."""
    models.ELBBackend.get_load_balancer = existing


def delete_several_listeners():
    """moto, asked to delete several ports in one call, deletes the wrong ones."""

    def delete(self, name, ports):
        balancer = existing(self, name)
        gone = {int(port) for port in ports}
        balancer.listeners = [listener for listener in balancer.listeners if int(listener.load_balancer_port) not in gone]
        return balancer

    models.ELBBackend.delete_load_balancer_listeners = delete


def check_policy_names():
    """moto accepts a second definition of a policy and attaches policies that do not exist; the service refuses both."""
    create_policy = models.ELBBackend.create_load_balancer_policy

    def create(self, load_balancer_name, policy_name, policy_type_name, policy_attrs):
        if any(policy.policy_name == policy_name for policy in existing(self, load_balancer_name).policies):
            raise ELBClientError("DuplicatePolicyName", f"Policy Name [{policy_name}] already exists")
        return create_policy(self, load_balancer_name, policy_name, policy_type_name, policy_attrs)

    models.ELBBackend.create_load_balancer_policy = create

    def checked(original):
        def set_policies(self, name, port, policies):
            held = {policy.policy_name for policy in existing(self, name).policies}
            for policy in policies:
                if policy not in held:
                    raise ELBClientError("PolicyNotFound", f"There is no policy with name {policy} for load balancer {name}")
            return original(self, name, port, policies)

        return set_policies

    for call in ("set_load_balancer_policies_for_backend_server", "set_load_balancer_policies_of_listener"):
        setattr(models.ELBBackend, call, checked(getattr(models.ELBBackend, call)))


def apply_all():
    keep_instance_protocol()
    answer_for_missing_balancers()
    delete_several_listeners()
    check_policy_names()
