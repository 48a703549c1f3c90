//! TLS: rustls over ring, the system's authorities or the connection's own, a client certificate if the
//! connection has one.

use super::failed;
use crate::guest::{Failure, FailureKind};
use hostler_ports::connection::{Auth, ConnectionConfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// The connection's TLS settings.
pub fn settings(config: &ConnectionConfig) -> Result<ClientConfig, Failure> {
    let refuse = |what: &str, why: String| {
        let name = &config.name;
        failed(
            FailureKind::Refused,
            format!("connection {name}: {what}: {why}"),
        )
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse("TLS", error.to_string()))?
        .with_root_certificates(authorities(config).map_err(|why| refuse("the authorities", why))?);
    match &config.auth {
        Auth::MutualTls { certificate, key } => {
            let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| refuse("the client certificate", error.to_string()))?;
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                .map_err(|_| refuse("the client key", "it is no PEM private key".into()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| refuse("the client certificate and its key", error.to_string()))
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn authorities(config: &ConnectionConfig) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    if let Some(own) = &config.authorities {
        for certificate in CertificateDer::pem_slice_iter(own.as_bytes()) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            store.add(certificate).map_err(|error| error.to_string())?;
        }
        return if store.is_empty() {
            Err("there is no certificate in it".into())
        } else {
            Ok(store)
        };
    }
    // Some of a system's certificates are always unusable; none at all shows at the first handshake.
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Ok(store)
}
