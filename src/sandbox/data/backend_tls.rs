//! TLS towards instances. The service does not verify their certificates, unless a back-end authentication policy on the instance
//! port names the public keys they may have (elb-facts 2.1).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use data_encoding::BASE64;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::relay::Stream;
use crate::model::{Balancer, policy_type};

/// Public keys (DER of SubjectPublicKeyInfo) that an instance may have.
pub(super) type Keys = BTreeSet<Vec<u8>>;

/// The keys that the policies of an instance port allow; `None` if no policy says anything.
pub(super) fn allowed_keys(balancer: &Balancer, instance_port: u16) -> Option<Keys> {
    let names = balancer.policies_of_instance_port(instance_port);
    let attached = names.iter().filter_map(|name| balancer.policies.get(name));
    let mut authentication = attached.filter(|policy| policy.policy_type == policy_type::BACKEND_AUTHENTICATION).peekable();
    authentication.peek()?;
    let names = authentication.flat_map(|policy| policy.attributes.get("PublicKeyPolicyName")).flatten();
    let keys = names.filter_map(|name| balancer.policies.get(name)?.attributes.get("PublicKey")).flatten();
    let decode = |key: &String| BASE64.decode(key.split_whitespace().collect::<String>().as_bytes()).ok();
    Some(keys.filter_map(decode).collect())
}

/// Speaks TLS over a connection to an instance.
pub(super) async fn connect(stream: TcpStream, address: IpAddr, keys: Option<Keys>) -> std::io::Result<Stream> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Verifier { keys, provider: provider.clone() });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .map_err(std::io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.enable_sni = false;
    let stream = TlsConnector::from(Arc::new(config)).connect(ServerName::IpAddress(address.into()), stream).await?;
    Ok(Box::new(stream))
}

#[derive(Debug)]
struct Verifier {
    keys: Option<Keys>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(keys) = &self.keys else { return Ok(ServerCertVerified::assertion()) };
        let (_, certificate) = X509Certificate::from_der(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        match keys.contains(certificate.public_key().raw) {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::General("its public key is none that the back-end authentication policy allows".to_owned())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Without keys to compare nothing is verified, so that any certificate will do.
        match self.keys {
            None => Ok(HandshakeSignatureValid::assertion()),
            Some(_) => {
                verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
            }
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
