//! TLS, with the certificates that the system trusts.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Trouble;
use super::connect::Stream;

/// Makes TLS connections.
pub(super) struct Connector(TlsConnector);

impl Connector {
    /// With the system's certificates and those of a file in PEM. The error is for people.
    pub(super) fn new(extra: Option<&Path>) -> Result<Self, String> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots(extra)?)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Connector(TlsConnector::from(Arc::new(config))))
    }

    /// Makes sure that `host` is at the other end.
    pub(super) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<Box<dyn Stream>, Trouble> {
        // An address of IPv6 stands in brackets in a URL, and without in a certificate.
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(name.to_owned())
            .map_err(|error| Trouble::Tls(error.to_string()))?;
        let stream = self.0.connect(name, stream).await.map_err(trouble)?;
        Ok(Box::new(stream))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector(..)")
    }
}

/// What TLS says of the other end lasts; a connection that breaks may hold next time.
fn trouble(error: io::Error) -> Trouble {
    let of_tls = error
        .get_ref()
        .is_some_and(|inner| inner.is::<rustls::Error>());
    if of_tls {
        Trouble::Tls(error.to_string())
    } else {
        Trouble::Connect(error.to_string())
    }
}

fn roots(extra: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    // Systems have certificates that rustls cannot read; the others are as good without them.
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = extra {
        add(&mut roots, path)
            .map_err(|cause| format!("the certificates in {}: {cause}", path.display()))?;
    }
    if roots.is_empty() {
        let causes = system.errors.iter().map(ToString::to_string);
        let causes: Vec<String> = causes.take(3).collect();
        return Err(format!("the system has none {}", causes.join(", ")));
    }
    Ok(roots)
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    let mut count = 0;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
        count += 1;
    }
    if count == 0 {
        return Err("there is none".to_owned());
    }
    Ok(())
}
