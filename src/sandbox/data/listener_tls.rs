//! TLS towards clients: the listener's certificate, and the versions and ciphers of its negotiation policy (elb-facts 2.6).
//!
//! The service speaks TLS 1.2 at most. rustls knows nothing older, and only some ciphers of 1.2: what a policy allows beyond that
//! is said in the traffic log.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ServerConfig, SupportedCipherSuite};

use crate::model::{Balancer, Listener, Policy, policy_type};
use crate::sandbox::authority::{Authority, KeyKind};
use crate::sandbox::control::certificates::ServerCertificate;
use crate::sandbox::control::{World, negotiation_attributes};
use crate::sandbox::listing::ListenerKey;
use crate::sandbox::notes::Notes;

/// The ciphers of negotiation policies that rustls has, by their names in the policies.
const CIPHERS: [(&str, CipherSuite); 4] = [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-RSA-AES128-GCM-SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-RSA-AES256-GCM-SHA384", CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
];

/// The TLS settings of one listener, made anew when its certificate or its policies change.
#[derive(Debug, Default)]
pub(super) struct ListenerTls(Mutex<Option<(Source, Config)>>);

/// Settings, or why there are none.
type Config = Result<Arc<ServerConfig>, String>;

/// What the settings are made from.
#[derive(Debug)]
struct Source {
    certificate: Option<Arc<ServerCertificate>>,
    dns_name: String,
    negotiation: BTreeSet<String>,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        let Source { certificate, dns_name, negotiation } = self;
        // The same certificate is the same object: it is replaced whole.
        let same = match (certificate, &other.certificate) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            (None, None) => true,
            _ => false,
        };
        same && *dns_name == other.dns_name && *negotiation == other.negotiation
    }
}

impl ListenerTls {
    /// The settings for a new connection. Errors: the listener cannot speak TLS, with the reason, which is also in the log.
    pub(super) fn config(
        &self,
        world: &World,
        (key, balancer, listener): (&ListenerKey, &Balancer, &Listener),
        authority: &Authority,
        notes: &Notes,
    ) -> Config {
        let arn = listener.certificate.as_ref();
        let source = Source {
            certificate: arn.and_then(|arn| world.certificate(&key.region, arn)).cloned(),
            dns_name: balancer.dns_name.clone(),
            negotiation: negotiation(balancer, listener),
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((from, config)) = kept.as_ref()
            && *from == source
        {
            return config.clone();
        }
        let config = make(&source, authority, |message| notes.add(key, message)).map(Arc::new);
        if let Err(why) = &config {
            notes.add(key, format!("the listener cannot speak TLS: {why}"));
        }
        *kept = Some((source, config.clone()));
        config
    }
}

/// Names of the attributes that the listener's negotiation policy switches on.
fn negotiation(balancer: &Balancer, listener: &Listener) -> BTreeSet<String> {
    let policies = listener.policies.iter().filter_map(|name| balancer.policies.get(name));
    let negotiation = |policy: &&Policy| policy.policy_type == policy_type::SSL_NEGOTIATION;
    policies.filter(negotiation).flat_map(negotiation_attributes).collect()
}

fn make(source: &Source, authority: &Authority, note: impl Fn(String)) -> Result<ServerConfig, String> {
    let Source { certificate, dns_name, negotiation } = source;
    let suites = suites(negotiation)?;
    for message in limits(negotiation) {
        note(message);
    }
    let (chain, key) = match certificate {
        Some(certificate) => (format!("{}\n{}", certificate.body, certificate.chain), certificate.key.reveal().to_owned()),
        None => issue(dns_name, &suites, authority)?,
    };
    let provider = CryptoProvider { cipher_suites: suites, ..aws_lc_rs::default_provider() };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let chain = chain.map_err(|error| format!("its certificate cannot be read: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| format!("its key cannot be read: {error}"))?;
    let mut config = ServerConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| error.to_string())?;
    config.ignore_client_order = negotiation.contains("Server-Defined-Cipher-Order");
    Ok(config)
}

/// A certificate for a listener whose own is not in the sandbox's stores.
fn issue(dns_name: &str, suites: &[SupportedCipherSuite], authority: &Authority) -> Result<(String, String), String> {
    let names = [dns_name, "localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let ecdsa =
        |suite: &SupportedCipherSuite| CIPHERS.iter().any(|(name, id)| suite.suite() == *id && name.contains("ECDSA"));
    let kind = if suites.iter().any(ecdsa) { KeyKind::EcdsaP256 } else { KeyKind::Rsa2048 };
    let issued = authority.issue(&names, kind, Timestamp::now()).map_err(|error| error.to_string())?;
    Ok((issued.certificate, issued.key))
}

/// The ciphers of a policy that rustls has; a listener without a policy takes all of them.
fn suites(negotiation: &BTreeSet<String>) -> Result<Vec<SupportedCipherSuite>, String> {
    if !negotiation.is_empty() && !negotiation.contains("Protocol-TLSv1.2") {
        return Err("its policy does not allow TLS 1.2, and the sandbox has nothing older".to_owned());
    }
    let wanted = |suite: &SupportedCipherSuite| {
        let name = CIPHERS.iter().find(|(_, id)| *id == suite.suite()).map(|(name, _)| *name);
        name.is_some_and(|name| negotiation.is_empty() || negotiation.contains(name))
    };
    let suites: Vec<_> = aws_lc_rs::ALL_CIPHER_SUITES.iter().copied().filter(wanted).collect();
    match suites.is_empty() {
        true => Err("its policy allows no cipher that the sandbox has (ECDHE with AES-GCM)".to_owned()),
        false => Ok(suites),
    }
}

/// What a policy allows that the sandbox cannot do.
fn limits(negotiation: &BTreeSet<String>) -> Vec<String> {
    let (protocols, others): (Vec<&String>, Vec<&String>) =
        negotiation.iter().partition(|name| name.starts_with("Protocol-"));
    let old: Vec<&str> =
        protocols.iter().filter_map(|name| name.strip_prefix("Protocol-")).filter(|name| *name != "TLSv1.2").collect();
    let known = |name: &&&String| CIPHERS.iter().any(|(known, _)| known == *name) || **name == "Server-Defined-Cipher-Order";
    let missing = others.iter().filter(|name| !known(name)).count();
    let mut said = Vec::new();
    if !old.is_empty() {
        said.push(format!(
            "the listener's policy allows {}, which the sandbox does not have: it offers TLS 1.2",
            old.join(", ")
        ));
    }
    if missing > 0 {
        said.push(format!("the sandbox does not have {missing} of the ciphers that the listener's policy allows"));
    }
    said
}
