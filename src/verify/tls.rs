//! The third stage: TLS. The first handshake is let through whatever the certificate says, so that all of it can be told; nothing
//! is sent over a connection whose chain is not trusted, and every later handshake verifies it again.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::read_chain;
use super::probe::Trust;
use super::seen::{TlsFailure, TlsFailureKind, TlsSeen, TrustFailure, TrustFailureKind};
use super::socket::{Heard, Listened};

/// An encrypted connection.
pub(super) type Encrypted = TlsStream<Listened<TcpStream>>;

/// How TLS is spoken to one server.
#[derive(Clone)]
pub(super) struct Tls {
    server_name: ServerName<'static>,
    provider: Arc<CryptoProvider>,
    /// Who is trusted, or why nobody is.
    verifier: Result<Arc<dyn ServerCertVerifier>, String>,
    insecure: bool,
    /// For the handshakes after the first.
    config: Arc<ClientConfig>,
}

/// Why TLS cannot be spoken at all, whatever the server says.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// The host cannot be named in TLS.
    #[error("`{0}` is neither a DNS name nor an address")]
    Name(String),
    /// The PEM text holds no certificate.
    #[error("the CA file holds no certificate in PEM form")]
    NoCertificate,
    /// The PEM text holds something that is no certificate.
    #[error("the CA file cannot be used: {0}")]
    BadCertificate(String),
    /// The TLS library refuses its own settings.
    #[error("TLS cannot be used: {0}")]
    Library(#[from] TlsError),
}

impl Tls {
    /// Prepares TLS to a host.
    pub(super) fn new(host: &str, trust: &Trust) -> Result<Self, TlsSetupError> {
        let server_name =
            ServerName::try_from(host.to_owned()).map_err(|_: InvalidDnsNameError| TlsSetupError::Name(host.to_owned()))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let insecure = *trust == Trust::Insecure;
        let verifier: Result<Arc<dyn ServerCertVerifier>, String> = match trust {
            Trust::Pem(pem) => Ok(pem_verifier(pem, &provider)?),
            Trust::System | Trust::Insecure => rustls_platform_verifier::Verifier::new(provider.clone())
                .map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>)
                .map_err(|error| error.to_string()),
        };
        let lenient = || Arc::new(Recorder::new(provider.clone(), verifier.clone())) as Arc<dyn ServerCertVerifier>;
        let later = match &verifier {
            Ok(strict) if !insecure => strict.clone(),
            _ => lenient(),
        };
        let config = config(&provider, later)?;
        Ok(Tls { server_name, provider, verifier, insecure, config })
    }

    /// The first handshake: finishes whatever the chain is, and gives the connection only if it may be used.
    pub(super) async fn examine(&self, stream: TcpStream, patience: Duration) -> (TlsSeen, Option<Encrypted>) {
        let mut seen = TlsSeen {
            server_name: self.server_name.to_str().into_owned(),
            protocol: None,
            cipher: None,
            certificates: Vec::new(),
            trust_failure: None,
            failure: None,
            insecure: self.insecure,
        };
        let recorder = Arc::new(Recorder::new(self.provider.clone(), self.verifier.clone()));
        let connected = match config(&self.provider, recorder.clone()) {
            Ok(config) => self.handshake(config, stream, patience).await,
            Err(error) => Err(TlsFailure { kind: TlsFailureKind::Other, text: error.to_string(), received: None }),
        };
        if let Some(record) = recorder.record() {
            seen.certificates = read_chain(record.chain.iter().map(|der| der.as_ref()), Timestamp::now());
            seen.trust_failure = record.failure;
        }
        match connected {
            Ok(stream) => {
                let session = stream.get_ref().1;
                seen.protocol = session.protocol_version().and_then(|version| version.as_str()).map(dotted);
                seen.cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).map(iana);
                let usable = seen.trust_failure.is_none() || self.insecure;
                (seen, usable.then_some(stream))
            }
            Err(failure) => {
                seen.failure = Some(failure);
                (seen, None)
            }
        }
    }

    /// A later handshake, which fails if the chain is not trusted.
    pub(super) async fn connect(&self, stream: TcpStream, patience: Duration) -> Result<Encrypted, TlsFailure> {
        self.handshake(self.config.clone(), stream, patience).await
    }

    async fn handshake(
        &self,
        config: Arc<ClientConfig>,
        stream: TcpStream,
        patience: Duration,
    ) -> Result<Encrypted, TlsFailure> {
        let (stream, heard) = Listened::new(stream);
        let handshake = TlsConnector::from(config).connect(self.server_name.clone(), stream);
        match timeout(patience, handshake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(failure(&error, &heard)),
            Err(_) => Err(TlsFailure {
                kind: TlsFailureKind::TimedOut,
                text: format!("the handshake did not finish in {} s", patience.as_secs_f32()),
                received: not_tls(&heard),
            }),
        }
    }
}

fn pem_verifier(pem: &[u8], provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsSetupError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| TlsSetupError::BadCertificate(error.to_string()))?;
        roots.add(certificate).map_err(|error| TlsSetupError::BadCertificate(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(TlsSetupError::NoCertificate);
    }
    WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
        .map_err(|error| TlsSetupError::BadCertificate(error.to_string()))
}

fn config(
    provider: &Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<Arc<ClientConfig>, TlsSetupError> {
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // Every connection shows the whole chain and takes the time of a first one.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// `TLSv1_2` as everybody else writes it: `TLSv1.2`.
fn dotted(version: &str) -> String {
    version.replace('_', ".")
}

/// `TLS13_AES_256_GCM_SHA384` as the registry of cipher suites writes it: `TLS_AES_256_GCM_SHA384`.
fn iana(suite: &str) -> String {
    suite.replacen("TLS13_", "TLS_", 1)
}

/// What the server sent, if it does not begin as a TLS record does (RFC 8446 section 5.1).
fn not_tls(heard: &Heard) -> Option<String> {
    match heard.bytes().as_slice() {
        [] | [20..=23, 3, ..] | [20..=23] => None,
        _ => heard.preview(),
    }
}

fn failure(error: &io::Error, heard: &Heard) -> TlsFailure {
    let received = not_tls(heard);
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    let kind = match cause {
        _ if received.is_some() => TlsFailureKind::NotTls,
        Some(TlsError::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
        ))
        | Some(TlsError::PeerIncompatible(_)) => TlsFailureKind::NothingInCommon,
        Some(_) => TlsFailureKind::Other,
        None => TlsFailureKind::Closed,
    };
    TlsFailure { kind, text: error.to_string(), received }
}

/// A verifier that accepts every chain and remembers what the real one says of it.
#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    verifier: Result<Arc<dyn ServerCertVerifier>, String>,
    record: Mutex<Option<Record>>,
}

#[derive(Debug, Clone)]
struct Record {
    chain: Vec<CertificateDer<'static>>,
    failure: Option<TrustFailure>,
}

impl Recorder {
    fn new(provider: Arc<CryptoProvider>, verifier: Result<Arc<dyn ServerCertVerifier>, String>) -> Self {
        Recorder { provider, verifier, record: Mutex::new(None) }
    }

    fn record(&self) -> Option<Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let failure = match &self.verifier {
            Ok(verifier) => verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .err()
                .map(|error| TrustFailure { kind: trust_failure(&error), text: error.to_string() }),
            Err(why) => Some(TrustFailure { kind: TrustFailureKind::NoRoots, text: why.clone() }),
        };
        let chain = std::iter::once(end_entity).chain(intermediates).map(|der| der.clone().into_owned()).collect();
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) = Some(Record { chain, failure });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn trust_failure(error: &TlsError) -> TrustFailureKind {
    let TlsError::InvalidCertificate(error) = error else { return TrustFailureKind::Other };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TrustFailureKind::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TrustFailureKind::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TrustFailureKind::WrongName,
        CertificateError::UnknownIssuer => TrustFailureKind::UnknownIssuer,
        _ => TrustFailureKind::Other,
    }
}
