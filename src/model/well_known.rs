//! Well-known services by their instance port, as far as the PROXY header concerns them.

/// Well-known services that cannot read a PROXY header, by instance port. A policy on such a port cuts the service off.
const CANNOT_READ_PROXY: [(u16, &str); 24] = [
    (21, "FTP"),
    (22, "SSH"),
    (23, "Telnet"),
    (25, "SMTP"),
    (53, "DNS"),
    (110, "POP3"),
    (143, "IMAP"),
    (389, "LDAP"),
    (465, "SMTP over TLS"),
    (587, "mail submission"),
    (636, "LDAP over TLS"),
    (993, "IMAP over TLS"),
    (995, "POP3 over TLS"),
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (3306, "MySQL"),
    (3389, "Remote Desktop"),
    (5432, "PostgreSQL"),
    (5672, "AMQP"),
    (6379, "Redis"),
    (9042, "Cassandra"),
    (9092, "Kafka"),
    (11211, "memcached"),
    (27017, "MongoDB"),
];

/// The well-known service of an instance port, if that service cannot read the PROXY header.
pub fn service_without_proxy(instance_port: u16) -> Option<&'static str> {
    CANNOT_READ_PROXY.iter().find(|(port, _)| *port == instance_port).map(|(_, service)| *service)
}
