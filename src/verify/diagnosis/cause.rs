//! Causes, each with a stable identifier, and a diagnosis: what it says to a person.

use serde::Serialize;

/// Why a connection does not work, or not as it should. The identifiers are stable; numbers are those of elb-facts section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The name has no address.
    NameNotFound,
    /// Nothing listens on the port.
    PortRefused,
    /// The balancer has no listener on the port.
    NoListener,
    /// Nothing answers (24).
    PortHangs,
    /// Some of the addresses do not answer (24).
    AddressesFail,
    /// This machine cannot connect from where it was told to.
    LocalTrouble,
    /// The port does not speak TLS.
    PortIsPlain,
    /// The port speaks TLS and was addressed without.
    PortIsEncrypted,
    /// The handshake was cut off.
    TlsCutOff,
    /// The handshake was not answered.
    TlsHangs,
    /// No version or cipher is common.
    TlsNothingInCommon,
    /// TLS fails in another way.
    TlsBroken,
    /// The certificate has expired.
    CertificateExpired,
    /// The certificate is not valid yet.
    CertificateNotYetValid,
    /// The certificate is for other names.
    CertificateWrongName,
    /// The certificate is its own issuer.
    CertificateSelfSigned,
    /// The intermediate certificate is missing.
    CertificateChainIncomplete,
    /// Nobody trusted vouches for the certificate.
    CertificateUntrusted,
    /// The certificate expires soon.
    CertificateExpiresSoon,
    /// The certificate was not verified.
    CertificateIgnored,
    /// An HTTP or HTTPS listener swallows the upgrade (1).
    HttpListener,
    /// The server does not expect the PROXY line that the balancer sends (2).
    UnexpectedProxyLine,
    /// The server expects a PROXY line that the balancer does not send (3).
    MissingProxyLine,
    /// No instance is in service (4, 6).
    NoInstanceInService,
    /// The health check cannot pass where the PROXY line is expected (4).
    HealthCheckOnProxyPort,
    /// The PROXY line travels inside TLS (5).
    ProxyLineInsideTls,
    /// HTTP and TCP listeners share an instance port that has the PROXY line (21).
    MixedListeners,
    /// The server does not pass the upgrade on (23).
    ServerDoesNotUpgrade,
    /// Every request is redirected to where it came from (11).
    RedirectLoop,
    /// The upgrade is redirected elsewhere.
    Redirected,
    /// The application refuses.
    Refused,
    /// The server fails.
    ServerError,
    /// The server closes the connection without an answer, for a reason that cannot be seen from here.
    ClosedWithoutReply,
    /// The server does not answer.
    NoReply,
    /// The answer is no HTTP.
    NotHttp,
    /// The reply to the upgrade does not keep to the RFC.
    BadUpgrade,
    /// A second connection could not be made.
    Unsteady,
    /// The message was not echoed.
    NoEcho,
    /// The connection opens but nothing comes back.
    NoAnswer,
    /// The balancer's idle timeout closes a silent connection (7).
    BalancerIdleTimeout,
    /// Something behind the balancer closes a silent connection sooner (9).
    ServerIdleTimeout,
    /// Somebody closes a silent connection (7, 9).
    IdleTimeout,
    /// Pings do not keep the connection open.
    PingsDoNotHelp,
    /// The server saw the balancer's address (10).
    ClientAddressLost,
    /// Not all of many connections could be open at once.
    NotAllOpen,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// What was asked for does not work.
    Failure,
    /// It works, but something should be looked at.
    Warning,
}

/// A cause, and what a person is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The cause.
    pub cause: Cause,
    /// How bad it is.
    pub severity: Severity,
    /// Whether what was seen leaves no other explanation.
    pub certain: bool,
    /// What is wrong, in one sentence without a full stop.
    pub sentence: String,
    /// What was seen that says so.
    pub evidence: Vec<String>,
    /// What to do next.
    pub remedies: Vec<String>,
}

impl Diagnosis {
    /// A failure that nothing else explains.
    pub(super) fn failure(cause: Cause, sentence: impl Into<String>) -> Self {
        Diagnosis {
            cause,
            severity: Severity::Failure,
            certain: true,
            sentence: sentence.into(),
            evidence: Vec::new(),
            remedies: Vec::new(),
        }
    }

    /// Something to look at.
    pub(super) fn warning(cause: Cause, sentence: impl Into<String>) -> Self {
        Diagnosis { severity: Severity::Warning, ..Diagnosis::failure(cause, sentence) }
    }

    /// The same, but another explanation is possible.
    pub(super) fn probably(mut self) -> Self {
        self.certain = false;
        self
    }

    /// The same with one more piece of evidence.
    pub(super) fn seen(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    /// The same with one more remedy.
    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedies.push(remedy.into());
        self
    }
}
