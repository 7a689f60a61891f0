//! Who belongs to a cluster: whoever holds its secret.
//!
//! Ballista asks nobody who they are, and a job may read any file that an executor can. So a scheduler, its executors and
//! its clients that do not all run on one machine share a secret file. Each makes the same key pair of it, and a certificate of
//! that key; connections are TLS in which both sides show this certificate and accept no other. Whoever lacks the secret can
//! neither send a job, nor answer as an executor, nor read along.
//!
//! Deliberately lacking: names, roles and expiry. A new secret file replaces an old one.

use std::path::Path;
use std::sync::Arc;

use ballista_core::extension::EndpointOverrideFn;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use sha2::{Digest, Sha256};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, ServerTlsConfig};

use crate::ClusterError;

/// The name that the certificate carries and that clients ask for; addresses change, the secret does not.
pub(crate) const NAME: &str = "cluster.xiaokang.internal";

/// Bytes that a secret must at least have. Its public key is seen by whoever connects, so a short secret could be guessed
/// away from the cluster.
const BYTES_MIN: usize = 32;

/// What `PKCS#8` puts before the 32 bytes of an Ed25519 private key (RFC 8410, section 7).
const PKCS8_BEFORE: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The certificate and key of everybody who holds the secret.
#[derive(Clone)]
pub struct Secret {
    certificate_pem: String,
    key_pem: String,
}

impl Secret {
    /// Reads a secret file; white space around the secret does not count.
    ///
    /// # Errors
    /// [`ClusterError::Secret`] where the file cannot be read or its secret is short.
    pub fn read(path: &Path) -> Result<Self, ClusterError> {
        let failed = |reason: String| ClusterError::Secret { path: path.to_owned(), reason };
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let secret = bytes.trim_ascii();
        if secret.len() < BYTES_MIN {
            return Err(failed(format!(
                "it holds {} bytes, and at least {BYTES_MIN} are needed",
                secret.len()
            )));
        }
        Self::of_bytes(secret).map_err(|error| failed(error.to_string()))
    }

    fn of_bytes(secret: &[u8]) -> Result<Self, rcgen::Error> {
        let seed = Sha256::new().chain_update(b"xiaokang cluster key 1\0").chain_update(secret).finalize();
        let key = [PKCS8_BEFORE.as_slice(), seed.as_slice()].concat();
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key.into(), &PKCS_ED25519)?;
        let certificate = CertificateParams::new(vec![NAME.to_owned()])?.self_signed(&key)?;
        Ok(Self { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }

    /// Writes a new random secret to a file that is not there yet, readable by its owner alone.
    ///
    /// # Errors
    /// [`ClusterError::Secret`] where the file is there already or cannot be written.
    pub fn create(path: &Path) -> Result<(), ClusterError> {
        use std::io::Write as _;

        let failed = |reason: String| ClusterError::Secret { path: path.to_owned(), reason };
        let mut bytes = [0_u8; BYTES_MIN];
        getrandom::fill(&mut bytes).map_err(|error| failed(error.to_string()))?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let written = options.open(path).and_then(|mut file| {
            writeln!(file, "{text}")?;
            file.sync_all()
        });
        written.map_err(|error| failed(error.to_string()))
    }

    /// How a server shows who it is and asks who calls.
    pub(crate) fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new().identity(self.identity()).client_ca_root(self.certificate())
    }

    /// How connections to schedulers and executors are opened.
    pub(crate) fn endpoints(self) -> EndpointOverrideFn {
        Arc::new(move |endpoint| self.endpoint(&endpoint))
    }

    /// The same address, spoken to over TLS.
    fn endpoint(&self, endpoint: &Endpoint) -> Result<Endpoint, Box<dyn std::error::Error + Send + Sync>> {
        let address = endpoint.uri().to_string().replacen("http://", "https://", 1);
        let tls = ClientTlsConfig::new()
            .identity(self.identity())
            .ca_certificate(self.certificate())
            .domain_name(NAME);
        Ok(Endpoint::from_shared(address)?.tcp_nodelay(true).tls_config(tls)?)
    }

    /// A client for the scheduler's HTTP addresses; `scheduler` is where [`NAME`] is found.
    pub(crate) fn http(&self, scheduler: std::net::SocketAddr) -> reqwest::Result<reqwest::Client> {
        let both = format!("{}\n{}", self.key_pem, self.certificate_pem);
        reqwest::Client::builder()
            .use_rustls_tls()
            .add_root_certificate(reqwest::Certificate::from_pem(self.certificate_pem.as_bytes())?)
            .identity(reqwest::Identity::from_pem(both.as_bytes())?)
            .resolve(NAME, scheduler)
            .build()
    }

    fn identity(&self) -> Identity {
        Identity::from_pem(&self.certificate_pem, &self.key_pem)
    }

    fn certificate(&self) -> Certificate {
        Certificate::from_pem(&self.certificate_pem)
    }
}
